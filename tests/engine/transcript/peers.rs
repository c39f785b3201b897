//! The names of other instances in a case.

use stepwire::model::ids::InstanceKey;

use super::{
    super::subject::{OWN, PARENT, stranger},
    Names,
};

impl Names {
    pub(super) fn peer(&self, key: InstanceKey) -> String {
        if key == PARENT {
            return "parent".to_owned();
        }
        if key == OWN {
            return "itself".to_owned();
        }
        let child = self
            .children
            .iter()
            .position(|child| *child == key)
            .map(|index| format!("child{}", index + 1));
        let known = child.or_else(|| {
            (1..9)
                .find(|&number| stranger(number) == key)
                .map(|number| format!("stranger{number}"))
        });
        known.unwrap_or_else(|| key.to_string())
    }
}
