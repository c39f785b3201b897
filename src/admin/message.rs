//! Pages that say one thing: how to sign in, and that something is not there.

use serde::Serialize;

use super::{
    assets::Assets,
    layout::{INSTANCES_URL, Layout, SIGN_IN_URL},
};

/// Fields of `sign_in.hbs`.
#[derive(Serialize)]
pub struct SignIn {
    #[serde(flatten)]
    layout: Layout,
    trouble: Option<String>,
}

impl SignIn {
    /// The page, with what went wrong at the last try.
    pub fn new(assets: &Assets, trouble: Option<String>) -> Self {
        Self { layout: Layout::new(assets, "Sign in", "", SIGN_IN_URL, None), trouble }
    }
}

/// Fields of `message.hbs`.
#[derive(Serialize)]
pub struct Message {
    #[serde(flatten)]
    layout: Layout,
    heading: String,
    sentence: String,
    link: Link,
}

#[derive(Serialize)]
struct Link {
    href: &'static str,
    label: &'static str,
}

impl Message {
    /// A page for a signed-in user that says what is the case, and what was expected.
    pub fn new(assets: &Assets, user: &str, heading: &str, sentence: &str) -> Self {
        Self {
            layout: Layout::new(assets, heading, "", INSTANCES_URL, Some(user)),
            heading: heading.to_owned(),
            sentence: sentence.to_owned(),
            link: Link { href: INSTANCES_URL, label: "All instances" },
        }
    }
}
