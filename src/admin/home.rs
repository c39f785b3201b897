//! The home page, and the shell of the demo.

use serde::Serialize;

use super::{
    assets::Assets,
    docs::API_URL,
    layout::{INSTANCES_URL, Layout},
};
use crate::journal::DefinitionRow;

/// Fields of `home.hbs`.
#[derive(Serialize)]
pub struct HomePage<'a> {
    #[serde(flatten)]
    layout: Layout,
    demo_url: Option<&'static str>,
    demo_built: bool,
    instances_url: &'static str,
    api_url: &'static str,
    prints_link: bool,
    processes: Vec<HomeProcess<'a>>,
}

/// Properties of the server that the home page shows.
#[derive(Clone, Copy)]
pub struct Server {
    /// Whether the demo's process can be started.
    pub has_demo: bool,
    /// Whether the server printed a sign-in link at its start.
    pub prints_link: bool,
}

#[derive(Serialize)]
struct HomeProcess<'a> {
    id: &'a str,
    name: &'a str,
    version: u32,
}

impl<'a> HomePage<'a> {
    /// The page for a user, or for an anonymous visitor, with the processes that may be started.
    pub fn new(
        assets: &Assets,
        user: Option<&str>,
        server: Server,
        published: impl IntoIterator<Item = &'a DefinitionRow>,
    ) -> Self {
        let process = |row: &'a DefinitionRow| HomeProcess {
            id: &row.id,
            name: &row.name,
            version: row.version,
        };
        Self {
            layout: Layout::new(assets, "Home", "", "/", user),
            demo_url: (assets.are_built() && server.has_demo).then_some("/demo"),
            demo_built: assets.are_built(),
            prints_link: server.prints_link,
            api_url: API_URL,
            instances_url: INSTANCES_URL,
            processes: published.into_iter().map(process).collect(),
        }
    }
}

/// Fields of `demo.hbs`.
#[derive(Serialize)]
pub struct Demo {
    title: &'static str,
    css: String,
    js: String,
}

impl Demo {
    /// The shell of the demo; `None` when it was not built.
    pub fn new(assets: &Assets) -> Option<Self> {
        Some(Self {
            title: "Harbour, a Stepwire demo",
            css: assets.style("app")?,
            js: assets.script("demo")?,
        })
    }
}
