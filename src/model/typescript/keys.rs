//! The data that keys accept: an object with the keys' paths.

use super::{
    schema,
    types::{Type, TypeMember},
};
use crate::model::{action::Key, path::DataPath, path::Segment};

/// A place in the payload.
#[derive(Default)]
struct PayloadMember {
    /// The types of the keys that end here.
    keys: Vec<Type>,
    required: bool,
    /// In the order in which keys first name them.
    below: Vec<(String, PayloadMember)>,
}

/// The type of a payload under these keys. Without keys it is an object without members.
pub(super) fn payload(keys: &[Key]) -> Type {
    let mut root = PayloadMember::default();
    for key in keys {
        // A deployed key is a path.
        if let Ok(path) = DataPath::parse_members(&key.path) {
            root.add(path.segments(), key);
        }
    }
    Type::Object(root.members())
}

impl PayloadMember {
    /// If a key is required, everything on the way to it is required.
    fn add(&mut self, segments: &[Segment], key: &Key) {
        self.required |= key.required;
        let Some((Segment::Member(name), rest)) = segments.split_first() else {
            self.keys.push(match &key.schema {
                Some(schema) => schema::meaning(schema),
                None if key.required => Type::named("NonNullable<Json>"),
                None => Type::json(),
            });
            return;
        };
        let index = self
            .below
            .iter()
            .position(|(known, _)| **known == **name)
            .unwrap_or_else(|| {
                self.below
                    .push((name.to_string(), PayloadMember::default()));
                self.below.len() - 1
            });
        self.below[index].1.add(rest, key);
    }

    fn members(self) -> Vec<TypeMember> {
        let member = |(name, place): (String, Self)| TypeMember {
            name,
            required: place.required,
            meaning: place.meaning(),
        };
        self.below.into_iter().map(member).collect()
    }

    fn meaning(mut self) -> Type {
        let mut types = std::mem::take(&mut self.keys);
        if !self.below.is_empty() {
            types.push(Type::Object(self.members()));
        }
        Type::all(types)
    }
}
