//! The frame of every page but the demo: navigation, who is signed in, style sheets.

use serde::Serialize;

use super::assets::Assets;

/// Fields of `layout.hbs`.
#[derive(Serialize)]
pub struct Layout {
    title: String,
    css: Option<String>,
    page_css: Option<String>,
    js: Option<String>,
    nav: Vec<NavEntry>,
    user: Option<User>,
    sign_out_url: &'static str,
    sign_in_url: &'static str,
    server_version: &'static str,
}

#[derive(Serialize)]
struct NavEntry {
    href: &'static str,
    label: &'static str,
    current: bool,
}

#[derive(Serialize)]
struct User {
    name: String,
}

/// Address of the list of instances.
pub const INSTANCES_URL: &str = "/admin/instances";
/// Address of a user's tasks.
pub const TASKS_URL: &str = "/admin/tasks";
/// Address of the sign-in page.
pub const SIGN_IN_URL: &str = "/sign-in";

impl Layout {
    /// The frame of a page. `entry` names its script among the built assets; `here` is its address, for the navigation.
    pub fn new(assets: &Assets, title: impl Into<String>, entry: &str, here: &str, user: Option<&str>) -> Self {
        let entry_to = |href: &'static str, label| NavEntry { href, label, current: here.starts_with(href) };
        let nav = [entry_to(INSTANCES_URL, "Instances"), entry_to(TASKS_URL, "My tasks")];
        Self {
            title: title.into(),
            css: assets.style("app"),
            page_css: assets.style(entry),
            js: assets.script(entry),
            nav: user.map(|_| Vec::from(nav)).unwrap_or_default(),
            user: user.map(|name| User { name: name.to_owned() }),
            sign_out_url: "/sign-out",
            sign_in_url: SIGN_IN_URL,
            server_version: env!("CARGO_PKG_VERSION"),
        }
    }
}
