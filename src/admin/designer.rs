//! The page of the designer: a frame with the initial settings of its script. The model itself is
//! read and written through the HTTP interface.
//!
//! Not here: the canvas, the properties panel and the models of the templates
//! (`static/src/designer`).

use serde::Serialize;

use super::{
    assets::Assets,
    layout::{DESIGNER_URL, Layout, PROCESSES_URL},
    percent::segment,
};
use crate::{
    journal::{DefinitionFormat, DefinitionRow},
    model::{bpmn_xml::event_definitions, definition::ElementType},
};

/// A template for new processes.
#[derive(Serialize)]
pub struct ProcessTemplate {
    /// Its file is `static/src/designer/templates/ID.bpmn`.
    pub id: &'static str,
    name: &'static str,
    summary: &'static str,
}

/// The templates for new processes.
pub const TEMPLATES: [ProcessTemplate; 5] = [
    ProcessTemplate {
        id: "blank",
        name: "Blank",
        summary: "A start event and an empty canvas",
    },
    ProcessTemplate {
        id: "wizard",
        name: "Wizard with back step",
        summary: "Three forms in a row; the user may go back and change what was entered",
    },
    ProcessTemplate {
        id: "approval",
        name: "Approval",
        summary: "A request that a user approves or rejects, with a due date",
    },
    ProcessTemplate {
        id: "subprocess",
        name: "Subprocess to parent",
        summary: "A child process that hands its result to the instance that started it",
    },
    ProcessTemplate {
        id: "reminder",
        name: "Timer reminder",
        summary: "A user task that reminds its user while it waits",
    },
];

/// Fields of `admin_designer.hbs`.
#[derive(Serialize)]
pub struct DesignerPage<'a> {
    #[serde(flatten)]
    layout: Layout,
    processes_url: &'static str,
    process: &'a str,
    name: &'a str,
    version: u32,
    newest: u32,
    state: &'static str,
    format: &'static str,
    template: &'a str,
    kinds: String,
    events: String,
    may_edit: bool,
    built: bool,
}

/// The definition that the designer opens.
pub enum Opened<'a> {
    /// A new process, from the template with this id.
    New(&'a str),
    /// A version, and the number of the newest version of the process.
    Version(&'a DefinitionRow, u32),
}

/// The address of the designer for a process, at its newest version or another.
pub fn designer_url(process: &str, version: Option<u32>) -> String {
    let url = format!("{DESIGNER_URL}/{}", segment(process));
    match version {
        Some(version) => format!("{url}?version={version}"),
        None => url,
    }
}

impl<'a> DesignerPage<'a> {
    /// The page for a user.
    pub fn new(assets: &Assets, user: &str, may_edit: bool, opened: &Opened<'a>) -> Self {
        let layout = |title: &str| Layout::new(assets, title, "designer", DESIGNER_URL, Some(user));
        let kinds: Vec<&str> = ElementType::ALL
            .iter()
            .map(|kind| kind.bpmn_name())
            .collect();
        let (process, name, version, newest, state, format, template) = match opened {
            Opened::New(template) => ("", "New process", 0, 0, "new", "bpmn", *template),
            Opened::Version(row, newest) => {
                let format = if row.format == DefinitionFormat::Bpmn {
                    "bpmn"
                } else {
                    "json"
                };
                (
                    row.id.as_str(),
                    row.name.as_str(),
                    row.version,
                    *newest,
                    row.state.name(),
                    format,
                    "",
                )
            }
        };
        Self {
            layout: layout(&format!("{name} · Designer")),
            processes_url: PROCESSES_URL,
            process,
            name,
            version,
            newest,
            state,
            format,
            template,
            kinds: kinds.join(" "),
            events: events(),
            may_edit,
            built: assets.are_built(),
        }
    }
}

/// The events that the engine supports, by name: `endEvent:terminateEventDefinition`, and
/// `eventSubprocess:timerEventDefinition` for the start event of an event subprocess.
fn events() -> String {
    let of = |name: &'static str, kind, begins| {
        let definitions = event_definitions(kind, begins).into_iter();
        definitions.map(move |definition| format!("{name}:{definition}"))
    };
    let kinds = ElementType::ALL.iter();
    let all = kinds.flat_map(|kind| of(kind.bpmn_name(), *kind, false));
    let begins = of("eventSubprocess", ElementType::StartEvent, true);
    all.chain(begins).collect::<Vec<_>>().join(" ")
}
