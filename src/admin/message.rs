//! Pages with a single message, such as how to sign in or that an address does not exist.

use serde::Serialize;

use super::{
    assets::Assets,
    docs::DOCS_URL,
    layout::{INSTANCES_URL, Layout, SIGN_IN_URL},
};

/// Fields of `sign_in.hbs`.
#[derive(Serialize)]
pub struct SignIn<'a> {
    #[serde(flatten)]
    layout: Layout,
    form_url: &'static str,
    to: Option<&'a str>,
    prints_link: bool,
    trouble: Option<String>,
    username: Option<&'a str>,
}

impl<'a> SignIn<'a> {
    /// The page, with the address to return to and the error of the last attempt. `prints_link`
    /// says whether the server printed a sign-in link at its start.
    pub fn new(
        assets: &Assets,
        to: Option<&'a str>,
        prints_link: bool,
        trouble: Option<String>,
    ) -> Self {
        let layout = Layout::new(assets, "Sign in", "", SIGN_IN_URL, None);
        Self {
            layout,
            form_url: SIGN_IN_URL,
            to,
            prints_link,
            trouble,
            username: None,
        }
    }

    /// With the name of the last attempt already in its field.
    pub fn named(self, username: &'a str) -> Self {
        let username = Some(username).filter(|name| !name.is_empty());
        Self { username, ..self }
    }
}

/// Fields of `message.hbs`.
#[derive(Serialize)]
pub struct Message {
    #[serde(flatten)]
    layout: Layout,
    heading: String,
    sentence: String,
    links: Vec<PageLink>,
}

#[derive(Serialize)]
struct PageLink {
    href: &'static str,
    label: &'static str,
}

impl Message {
    /// A page for a signed-in user that says what was expected and what was found.
    pub fn new(assets: &Assets, user: &str, heading: &str, sentence: &str) -> Self {
        Self {
            layout: Layout::new(assets, heading, "", INSTANCES_URL, Some(user)),
            heading: heading.to_owned(),
            sentence: sentence.to_owned(),
            links: vec![PageLink {
                href: INSTANCES_URL,
                label: "All instances",
            }],
        }
    }

    /// A page that says why the requested one is refused.
    pub fn refused(assets: &Assets, user: Option<&str>, status: u16, sentence: &str) -> Self {
        let heading = match status {
            400 | 405 => "This request is not possible here",
            401 | 403 => "This is not yours to do",
            429 | 503 => "Not now: try again in a moment",
            _ => "This did not work",
        };
        Self {
            layout: Layout::new(assets, heading, "", "/", user),
            heading: heading.to_owned(),
            sentence: sentence.to_owned(),
            links: onward(user),
        }
    }

    /// The page for an address that does not exist.
    pub fn nowhere(assets: &Assets, user: Option<&str>) -> Self {
        Self {
            layout: Layout::new(assets, "Nothing here", "", "/", user),
            heading: "There is nothing at this address".to_owned(),
            sentence: "Perhaps a letter is missing, or the page has another address by now. From \
                here you can go on:"
                .to_owned(),
            links: onward(user),
        }
    }
}

/// Links to pages that are always available.
fn onward(user: Option<&str>) -> Vec<PageLink> {
    let own = user.map(|_| PageLink {
        href: INSTANCES_URL,
        label: "All instances",
    });
    let [home, docs] = [("/", "First page"), (DOCS_URL, "Documentation")]
        .map(|(href, label)| PageLink { href, label });
    [Some(home), own, Some(docs)]
        .into_iter()
        .flatten()
        .collect()
}
