//! The frame of every page except the demo: navigation, the signed-in user, style sheets.

use serde::Serialize;

use super::{assets::Assets, docs::DOCS_URL};

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
    sign_in_url: String,
    docs_url: &'static str,
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
/// Address of the list of processes.
pub const PROCESSES_URL: &str = "/admin/processes";
/// Address of the designer; a process id, or `new`, follows it.
pub const DESIGNER_URL: &str = "/admin/designer";
/// Address below which the pages of operators are.
pub const OPERATIONS_URL: &str = "/admin/operations";
/// Address of a user's tasks.
pub const TASKS_URL: &str = "/admin/tasks";
/// Address of the playground.
pub const PLAYGROUND_URL: &str = "/admin/playground";
/// Address of the sign-in page.
pub const SIGN_IN_URL: &str = "/sign-in";

/// Address of the sign-in page that returns to this address of the server.
pub fn sign_in_url(to: &str) -> String {
    if to == "/" {
        return SIGN_IN_URL.to_owned();
    }
    let mut url = format!("{SIGN_IN_URL}?to=");
    for byte in to.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    url
}

impl Layout {
    /// The frame of a page. `entry` names its script among the built assets; `here` is its address,
    /// for the navigation.
    pub fn new(
        assets: &Assets,
        title: impl Into<String>,
        entry: &str,
        here: &str,
        user: Option<&str>,
    ) -> Self {
        let entry_to = |href: &'static str, label| NavEntry {
            href,
            label,
            current: here.starts_with(href),
        };
        let of_users = [
            entry_to(INSTANCES_URL, "Instances"),
            entry_to(PROCESSES_URL, "Processes"),
            entry_to(TASKS_URL, "Tasks"),
            entry_to(OPERATIONS_URL, "Operations"),
            entry_to(PLAYGROUND_URL, "Playground"),
        ];
        let of_users = user.is_some().then_some(of_users).into_iter().flatten();
        Self {
            title: title.into(),
            css: assets.style("app"),
            page_css: assets.style(entry),
            js: assets.script(entry),
            nav: of_users
                .chain([entry_to(DOCS_URL, "Documentation")])
                .collect(),
            user: user.map(|name| User {
                name: name.to_owned(),
            }),
            sign_out_url: "/sign-out",
            sign_in_url: if here == SIGN_IN_URL {
                here.to_owned()
            } else {
                sign_in_url(here)
            },
            docs_url: DOCS_URL,
            server_version: env!("CARGO_PKG_VERSION"),
        }
    }
}
