//! The list of processes: their deployed versions, running instances, and available actions.
//!
//! Not here: deploying, publishing and deleting, which the page does through the HTTP interface.

use serde::Serialize;

use super::{
    ago::ago,
    assets::Assets,
    designer::{ProcessTemplate, TEMPLATES, designer_url},
    layout::{DESIGNER_URL, INSTANCES_URL, Layout, PROCESSES_URL},
    percent::segment,
};
use crate::{
    journal::{DefinitionFormat, DefinitionRow, DefinitionState, VersionInUse},
    limits,
    model::ids::Time,
};

/// Fields of `admin_processes.hbs`.
#[derive(Serialize)]
pub struct ProcessesPage<'a> {
    #[serde(flatten)]
    layout: Layout,
    may_edit: bool,
    max_bytes: usize,
    new_url: String,
    templates: &'static [ProcessTemplate],
    processes: Vec<ListedProcess<'a>>,
}

#[derive(Serialize)]
struct ListedProcess<'a> {
    id: &'a str,
    name: &'a str,
    state: &'static str,
    version: u32,
    draft: Option<u32>,
    designer_url: String,
    instances_url: String,
    running: u64,
    stuck: u64,
    deployed_at: String,
    deployed_ago: String,
    deployed_by: &'a str,
    can_switch: bool,
    disabled: bool,
    version_count: usize,
    versions: Vec<Version<'a>>,
}

#[derive(Serialize)]
struct Version<'a> {
    id: &'a str,
    version: u32,
    state: &'static str,
    format: &'static str,
    designer_url: String,
    source_url: String,
    created_at: String,
    created_ago: String,
    created_by: &'a str,
    running: u64,
    stuck: u64,
    can_publish: bool,
    can_deprecate: bool,
    can_delete: bool,
}

/// The content of the page.
pub struct ShownProcesses<'a> {
    /// Every version that was not deleted, by id and version.
    pub versions: &'a [&'a DefinitionRow],
    /// The versions that live instances of this tenant use.
    pub in_use: &'a [VersionInUse],
    /// Whether the user may change processes.
    pub may_edit: bool,
    /// Process time.
    pub now: Time,
}

impl<'a> ProcessesPage<'a> {
    /// The page for a user.
    pub fn new(assets: &Assets, user: &str, shown: &ShownProcesses<'a>) -> Self {
        let processes = shown
            .versions
            .chunk_by(|one, other| one.id == other.id)
            .filter_map(|versions| process(versions, shown))
            .collect();
        Self {
            layout: Layout::new(assets, "Processes", "processes", PROCESSES_URL, Some(user)),
            may_edit: shown.may_edit,
            max_bytes: limits::DEFINITION_BYTES,
            new_url: format!("{DESIGNER_URL}/new"),
            templates: &TEMPLATES,
            processes,
        }
    }
}

/// A process by its versions, oldest first.
fn process<'a>(
    versions: &[&'a DefinitionRow],
    shown: &ShownProcesses<'a>,
) -> Option<ListedProcess<'a>> {
    let newest = *versions.last()?;
    let in_state = |state| {
        let mut found = versions.iter().rev().copied();
        found.find(|row| row.state == state)
    };
    // The version used by new instances is more informative than the last saved one.
    let main = [
        DefinitionState::Published,
        DefinitionState::Disabled,
        DefinitionState::Draft,
    ]
    .into_iter()
    .find_map(in_state)
    .unwrap_or(newest);
    let (running, stuck) = count(shown, |used| used.process == newest.id);
    let draft = in_state(DefinitionState::Draft).filter(|row| row.version != main.version);
    Some(ListedProcess {
        id: &newest.id,
        name: &newest.name,
        state: main.state.name(),
        version: main.version,
        draft: draft.map(|row| row.version),
        designer_url: designer_url(&newest.id, None),
        instances_url: format!("{INSTANCES_URL}?process={}", segment(&newest.id)),
        running,
        stuck,
        deployed_at: newest.created_at.to_string(),
        deployed_ago: ago(newest.created_at, shown.now),
        deployed_by: &newest.created_by,
        can_switch: shown.may_edit
            && matches!(
                main.state,
                DefinitionState::Published | DefinitionState::Disabled
            ),
        disabled: main.state == DefinitionState::Disabled,
        version_count: versions.len(),
        versions: versions
            .iter()
            .rev()
            .map(|row| version(row, shown))
            .collect(),
    })
}

fn version<'a>(row: &'a DefinitionRow, shown: &ShownProcesses<'a>) -> Version<'a> {
    let (running, stuck) = count(shown, |used| {
        used.process == row.id && used.version == row.version
    });
    let is_current = matches!(
        row.state,
        DefinitionState::Published | DefinitionState::Disabled
    );
    Version {
        id: &row.id,
        version: row.version,
        state: row.state.name(),
        format: if row.format == DefinitionFormat::Bpmn {
            "BPMN"
        } else {
            "JSON"
        },
        designer_url: designer_url(&row.id, Some(row.version)),
        source_url: format!("/v1/definitions/{}/{}", segment(&row.id), row.version),
        created_at: row.created_at.to_string(),
        created_ago: ago(row.created_at, shown.now),
        created_by: &row.created_by,
        running,
        stuck,
        can_publish: shown.may_edit && row.state != DefinitionState::Published,
        can_deprecate: shown.may_edit && is_current,
        can_delete: shown.may_edit && !is_current && running == 0,
    }
}

/// The number of these live instances, and how many of them have an incident.
fn count(shown: &ShownProcesses<'_>, wanted: impl Fn(&VersionInUse) -> bool) -> (u64, u64) {
    shown
        .in_use
        .iter()
        .filter(|used| wanted(used))
        .fold((0, 0), |(running, stuck), used| {
            (running + used.instances, stuck + used.stuck)
        })
}
