//! The page of the playground: a frame; everything else happens in the browser.

use serde::Serialize;

use super::{
    assets::Assets,
    layout::{Layout, PLAYGROUND_URL},
};

/// Fields of `admin_playground.hbs`.
#[derive(Serialize)]
pub struct PlaygroundPage {
    #[serde(flatten)]
    layout: Layout,
    roles: String,
}

impl PlaygroundPage {
    /// The page for a user with these roles.
    pub fn new(assets: &Assets, user: &str, roles: &[String]) -> Self {
        Self {
            layout: Layout::new(
                assets,
                "Playground",
                "playground",
                PLAYGROUND_URL,
                Some(user),
            ),
            roles: roles.join(" "),
        }
    }
}
