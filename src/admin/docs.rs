//! The documentation as pages: the files of `docs/` and the client's README, rendered on the first
//! request.
//!
//! Not here: rendering Markdown to HTML (`markdown`), addresses and languages of responses
//! (`web::pages::docs`).

mod markdown;

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Serialize;

use super::{
    assets::{self, Assets},
    layout::Layout,
};
use markdown::RenderedPage;

/// Address of the list of pages; the pages are below it.
pub const DOCS_URL: &str = "/docs";
/// Address of the interactive reference of the HTTP interface.
pub const API_URL: &str = "/docs/api";

/// The pages in the order of the list, by group: name, and purpose. The name of a page is its path
/// below `docs/`.
const GROUPS: [(&str, &[(&str, &str)]); 3] = [
    (
        "For frontends",
        &[
            (
                "guide",
                "From nothing to a wizard: a process, an app, a test",
            ),
            (
                "sdk",
                "The TypeScript client: connect, start, run, and what it does by itself",
            ),
            (
                "dev-server",
                "A development server in front of your app: Vite, origins, tickets",
            ),
            ("protocol", "The websocket, frame by frame"),
            ("rest", "The same over HTTP, with server-sent events"),
            (
                "errors/README",
                "What refusals mean, and what to do about them",
            ),
            (
                "jobs",
                "Starting jobs over HTTP and being notified of their end",
            ),
        ],
    ),
    (
        "For designers of processes",
        &[
            (
                "designer",
                "Drawing, checking and publishing processes in the browser",
            ),
            (
                "pages",
                "What each page shows, what it weighs, and other tools beside it",
            ),
            ("process-model", "How a process behaves: numbered sentences"),
            ("process-model-cases", "Which tests hold which sentence"),
            (
                "scenarios",
                "Playing a process as its users would, as a test",
            ),
            (
                "exploring",
                "Is a model sound: every interleaving, walked without a server",
            ),
            (
                "other-engines",
                "What a process drawn for another engine does here",
            ),
            (
                "bpmn-coverage",
                "Which element does what in which case of the engine",
            ),
            (
                "http-calls",
                "Calling other systems, and being called at an end",
            ),
        ],
    ),
    (
        "For operators",
        &[
            (
                "configuration",
                "Every option: flag, variable, key of a file",
            ),
            (
                "users",
                "Users, tokens, origins, and what proxies are believed",
            ),
            (
                "operations",
                "Running a server: what to watch, retention, audit log, upgrades",
            ),
            ("reverse-proxy", "Recipes for nginx and Caddy"),
            ("command-line", "The command line client"),
            ("backup", "Copies of everything a server keeps"),
            ("logging", "What the log says, as text or as JSON"),
            ("metrics", "What to watch"),
            ("limits", "Every limit, and what is beyond it"),
            (
                "benchmarks",
                "What an action costs, and what that depends on",
            ),
        ],
    ),
];

/// The folder of the files of `docs/` among the built ones.
pub const FOLDER: &str = "docs/";

/// The page of the client is stored with its source.
const SDK: &str = include_str!("../../sdk/README.md");

/// Overview of the documentation for programs: `/llms.txt`, in the format of llmstxt.org.
pub const LLMS: &str = include_str!("../../docs/llms.txt");

/// The Markdown of a page.
pub fn source(name: &str) -> Option<String> {
    match name {
        "sdk" => Some(SDK.to_owned()),
        "errors" => source("errors/README"),
        _ => assets::text(&format!("{FOLDER}{name}.md")),
    }
}

fn pages() -> &'static BTreeMap<String, RenderedPage> {
    static PAGES: LazyLock<BTreeMap<String, RenderedPage>> = LazyLock::new(|| {
        let name = |file: String| {
            let name = file.strip_prefix(FOLDER)?.strip_suffix(".md")?;
            Some(name.to_owned())
        };
        let names = assets::texts().filter_map(name);
        let rendered = |name: String| {
            let page = markdown::render(&source(&name)?, &|link| address(&name, link));
            Some((name, page))
        };
        names
            .chain(["sdk".to_owned()])
            .filter_map(rendered)
            .collect()
    });
    &PAGES
}

/// The address of a page.
fn url(name: &str) -> String {
    format!(
        "{DOCS_URL}/{}",
        name.strip_suffix("/README").unwrap_or(name)
    )
}

/// The address to which a link of a page leads.
fn address(page: &str, link: &str) -> String {
    if link.contains("://") || link.starts_with('#') || link.starts_with('/') {
        return link.to_owned();
    }
    let (file, anchor) = link
        .split_once('#')
        .map_or((link, None), |(file, anchor)| (file, Some(anchor)));
    let Some(name) = target(page, file) else {
        return link.to_owned();
    };
    let anchor = anchor
        .map(|anchor| format!("#{anchor}"))
        .unwrap_or_default();
    format!("{}{anchor}", url(&name))
}

/// The page with this file path, as seen from another page.
fn target(page: &str, file: &str) -> Option<String> {
    // The page of the client is stored beside `docs`.
    let mut path: Vec<&str> = if page == "sdk" {
        vec!["sdk"]
    } else {
        vec!["docs"]
    };
    let folder = page.rsplit_once('/').map(|(folder, _)| folder);
    path.extend(folder.into_iter().flat_map(|folder| folder.split('/')));
    for part in file.strip_suffix(".md")?.split('/') {
        match part {
            "." => {}
            ".." => drop(path.pop()?),
            part => path.push(part),
        }
    }
    match path.as_slice() {
        ["sdk", "README"] => Some("sdk".to_owned()),
        ["docs", name @ ..] => Some(name.join("/")),
        _ => None,
    }
}

#[derive(Serialize)]
struct PageGroup {
    title: &'static str,
    pages: Vec<DocEntry>,
}

#[derive(Serialize)]
struct DocEntry {
    href: String,
    title: String,
    summary: &'static str,
    current: bool,
}

/// The list of pages; `here` is the current page.
fn groups(here: &str) -> Vec<PageGroup> {
    let entry = |&(name, summary): &(&'static str, &'static str)| {
        let title = pages()
            .get(name)
            .map(|page| page.title.clone())
            .unwrap_or_default();
        DocEntry {
            href: url(name),
            title,
            summary,
            current: name == here,
        }
    };
    let mut groups: Vec<PageGroup> = GROUPS
        .iter()
        .map(|&(title, pages)| PageGroup {
            title,
            pages: pages.iter().map(entry).collect(),
        })
        .collect();
    let api = DocEntry {
        href: API_URL.to_owned(),
        title: "The HTTP interface, to try".to_owned(),
        summary: "Every request with its schemas, made from the code",
        current: false,
    };
    if let Some(first) = groups.first_mut() {
        first.pages.push(api);
    }
    groups
}

/// Fields of `docs.hbs`.
#[derive(Serialize)]
pub struct DocsList {
    #[serde(flatten)]
    layout: Layout,
    groups: Vec<PageGroup>,
}

impl DocsList {
    /// The list of all pages.
    pub fn new(assets: &Assets, user: Option<&str>) -> Self {
        Self {
            layout: Layout::new(assets, "Documentation", "docs", DOCS_URL, user),
            groups: groups(""),
        }
    }
}

/// Fields of `docs_page.hbs`.
#[derive(Serialize)]
pub struct DocsPage {
    #[serde(flatten)]
    layout: Layout,
    groups: Vec<PageGroup>,
    headings: Vec<DocLink>,
    source_url: String,
    html: &'static str,
}

#[derive(Serialize)]
struct DocLink {
    href: String,
    text: &'static str,
}

impl DocsPage {
    /// A page by its name; `None` if it does not exist.
    pub fn new(assets: &Assets, user: Option<&str>, name: &str) -> Option<Self> {
        let name = if name == "errors" {
            "errors/README"
        } else {
            name
        };
        let page = pages().get(name)?;
        let address = url(name);
        let link = |heading: &'static markdown::Heading| DocLink {
            href: format!("#{}", heading.id),
            text: &heading.text,
        };
        // Error pages are not in the list; the list of errors is shown as their place.
        let here = if name.starts_with("errors/") {
            "errors/README"
        } else {
            name
        };
        Some(Self {
            layout: Layout::new(assets, page.title.clone(), "docs", &address, user),
            groups: groups(here),
            headings: page.headings.iter().map(link).collect(),
            source_url: format!("{DOCS_URL}/{name}.md"),
            html: &page.html,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_names_every_page() {
        let listed: Vec<&str> = GROUPS
            .iter()
            .flat_map(|(_, pages)| pages.iter().map(|(name, _)| *name))
            .collect();
        for name in pages().keys() {
            let of_errors = name.starts_with("errors/") && name != "errors/README";
            assert!(
                of_errors || listed.contains(&name.as_str()),
                "expected docs/{name}.md in the list of src/admin/docs.rs"
            );
        }
        for name in listed {
            assert!(
                pages().contains_key(name),
                "expected a page for '{name}' of the list"
            );
        }
    }

    #[test]
    fn every_link_has_a_target() {
        let urls: BTreeMap<String, &RenderedPage> = pages()
            .iter()
            .map(|(name, page)| (url(name), page))
            .collect();
        let mut links = 0;
        for (name, page) in pages() {
            for link in page
                .html
                .split("href=\"")
                .skip(1)
                .filter_map(|rest| rest.split('"').next())
            {
                links += 1;
                let (file, anchor) = link
                    .split_once('#')
                    .map_or((link, None), |(file, anchor)| (file, Some(anchor)));
                if file.contains("://")
                    || matches!(file, "/openapi.json" | "/asyncapi.json" | API_URL | "/demo")
                {
                    continue;
                }
                let target = if file.is_empty() {
                    page
                } else {
                    *urls.get(file).unwrap_or_else(|| panic!("{name}: {link}"))
                };
                assert!(
                    anchor.is_none_or(|anchor| target.html.contains(&format!(" id=\"{anchor}\""))),
                    "{name}: no {link}"
                );
            }
        }
        assert!(links > 300, "{links}");
    }

    #[test]
    fn links_follow_folders() {
        assert_eq!(address("errors/busy", "../limits.md#x"), "/docs/limits#x");
        assert_eq!(address("errors/busy", "README.md"), "/docs/errors");
        assert_eq!(address("rest", "errors/README.md"), "/docs/errors");
        assert_eq!(address("rest", "../sdk/README.md"), "/docs/sdk");
        assert_eq!(address("sdk", "../docs/rest.md"), "/docs/rest");
        for same in [
            "https://a.example/x.md",
            "#a",
            "/openapi.json",
            "../../README.md",
        ] {
            assert_eq!(address("rest", same), same);
        }
    }
}
