//! The page of one instance: what the server knows when it is loaded; the rest is rendered live.

use serde::Serialize;

use super::{
    assets::Assets,
    layout::{INSTANCES_URL, Layout},
};
use crate::{
    journal::DefinitionFormat, model::ids::InstanceKey, runtime::instance_request::Observed,
};

/// Fields of `admin_instance.hbs`.
#[derive(Serialize)]
pub struct InstancePage<'a> {
    #[serde(flatten)]
    layout: Layout,
    key: InstanceKey,
    process: &'a str,
    process_name: &'a str,
    version: u32,
    status: &'a str,
    business_key: Option<&'a str>,
    started_by: &'a str,
    started_at: String,
    instances_url: &'static str,
    parent: Option<Relative<'a>>,
    root: Option<Relative<'a>>,
    child: bool,
    diagram: bool,
}

/// An instance above this one.
#[derive(Serialize)]
pub struct Relative<'a> {
    key: InstanceKey,
    href: String,
    process_name: &'a str,
}

impl<'a> Relative<'a> {
    /// A link to an instance.
    pub fn new(observed: &'a Observed) -> Self {
        let key = observed.head().key;
        Self {
            key,
            href: href(key),
            process_name: &observed.process.executable.name,
        }
    }
}

impl<'a> InstancePage<'a> {
    /// The page of an instance; `parent` and `root` are its ancestors.
    pub fn new(
        assets: &Assets,
        user: &str,
        observed: &'a Observed,
        parent: Option<Relative<'a>>,
        root: Option<Relative<'a>>,
    ) -> Self {
        let head = observed.head();
        let name = &observed.process.executable.name;
        Self {
            layout: Layout::new(assets, name, "instance", INSTANCES_URL, Some(user)),
            key: head.key,
            process: &head.process.id,
            process_name: name,
            version: head.process.version,
            status: observed.next.status.name(),
            business_key: head.business_key.as_deref(),
            started_by: starter(&head.started_by),
            started_at: observed.created_at.to_string(),
            instances_url: INSTANCES_URL,
            parent,
            root,
            child: head.parent.is_some(),
            diagram: observed.process.row.format == DefinitionFormat::Bpmn,
        }
    }
}

/// Address of an instance's page.
pub fn href(key: InstanceKey) -> String {
    format!("{INSTANCES_URL}/{key}")
}

/// The name of a starter for people: the subject of an anonymous visitor has no meaning for them.
fn starter(subject: &str) -> &str {
    if subject.starts_with("anonymous-") {
        "anonymous"
    } else {
        subject
    }
}
