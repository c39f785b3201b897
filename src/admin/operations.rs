//! The pages of operators: a frame each; their content is loaded through the HTTP interface.

use serde::Serialize;

use super::{
    assets::Assets,
    layout::{Layout, OPERATIONS_URL},
};
use crate::session::auth::principal::Principal;

/// One of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// Running work and problems.
    Dashboard,
    /// Open incidents by cause.
    Incidents,
    /// Starts by schedule.
    Schedules,
    /// Pending timers.
    Timers,
    /// Users with a password.
    Users,
    /// Open websockets and streams.
    Connections,
    /// Actions of administrators, operators and designers.
    Audit,
    /// Options of the server.
    Settings,
    /// The program and its build.
    About,
}

impl Page {
    const ALL: [Self; 9] = [
        Self::Dashboard,
        Self::Incidents,
        Self::Schedules,
        Self::Timers,
        Self::Users,
        Self::Connections,
        Self::Audit,
        Self::Settings,
        Self::About,
    ];

    /// The page with this name in its address.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|page| page.name() == name)
    }

    /// Whether this user may see the content of the page.
    pub fn is_for(self, principal: &Principal) -> bool {
        match self {
            Self::Dashboard | Self::Incidents | Self::Schedules | Self::Timers => {
                principal.caller.operator
            }
            Self::Users => principal.is_admin(),
            Self::Connections | Self::Audit => {
                principal.caller.operator || principal.is_server_operator()
            }
            Self::Settings => principal.is_server_operator(),
            Self::About => true,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Dashboard => "dashboard",
            Self::Incidents => "incidents",
            Self::Schedules => "schedules",
            Self::Timers => "timers",
            Self::Users => "users",
            Self::Connections => "connections",
            Self::Audit => "audit",
            Self::Settings => "settings",
            Self::About => "about",
        }
    }

    fn heading(self) -> &'static str {
        match self {
            Self::Dashboard => "Dashboard",
            Self::Incidents => "Incidents",
            Self::Schedules => "Schedules",
            Self::Timers => "Timers",
            Self::Users => "Users",
            Self::Connections => "Connections",
            Self::Audit => "Audit log",
            Self::Settings => "Settings",
            Self::About => "About",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::Dashboard => "Running instances, and those that need a person.",
            Self::Incidents => {
                "Instances that are blocked until a person resolves the incident, by cause."
            }
            Self::Schedules => "What starts by itself, and when next.",
            Self::Timers => "What waits for a time, the next one first.",
            Self::Users => "Who signs in with a password, and with which roles.",
            Self::Connections => "Who is connected, and who does not keep up.",
            Self::Audit => "Who did what, when and from where.",
            Self::Settings => "What the server was started with, and where each value comes from.",
            Self::About => "This program, and what is built into it.",
        }
    }
}

/// Fields of `admin_operations.hbs`.
#[derive(Serialize)]
pub struct OperationsPage {
    #[serde(flatten)]
    layout: Layout,
    page: &'static str,
    heading: &'static str,
    sentence: &'static str,
    pages: Vec<OperationsLink>,
    about: bool,
    version: &'static str,
    notices_url: &'static str,
}

#[derive(Serialize)]
struct OperationsLink {
    href: String,
    label: &'static str,
    current: bool,
}

impl OperationsPage {
    /// A page for a user, with links to the pages available to that user.
    pub fn new(assets: &Assets, page: Page, principal: &Principal) -> Self {
        let link = |other: Page| OperationsLink {
            href: format!("{OPERATIONS_URL}/{}", other.name()),
            label: other.heading(),
            current: other == page,
        };
        let pages = Page::ALL.into_iter();
        Self {
            layout: Layout::new(
                assets,
                page.heading(),
                "operations",
                OPERATIONS_URL,
                Some(&principal.caller.subject),
            ),
            page: page.name(),
            heading: page.heading(),
            sentence: page.sentence(),
            pages: pages
                .filter(|other| other.is_for(principal))
                .map(link)
                .collect(),
            about: page == Page::About,
            version: env!("CARGO_PKG_VERSION"),
            notices_url: "/assets/third-party-notices.txt",
        }
    }
}
