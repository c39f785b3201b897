//! The compiled form of a process definition: look-ups by id, templates, paths and key lists, made
//! once at deploy.
//!
//! Not here: the rules of a definition (`validate`, which runs first); conditions (compiled by
//! `expression`). The engine uses this form and nothing else of the model.

mod starts;

use std::{collections::BTreeMap, sync::Arc};

use croner::Cron;
use jiff::Span;
use serde_json::{Map, Value};

use super::{
    action::{MessageType, Required, Target, Trigger},
    ad_hoc::ExecutableAdHoc,
    called_process::CalledProcess,
    catch::{Catch, Thrown},
    computed_template::ComputedTemplate,
    copying::CopyList,
    definition::{EventGatewayType, Lane, ProcessDefinition},
    http_request::HttpCall,
    ids::Time,
    keys::Keys,
    loop_characteristics::Loop,
    mapping::ExecutableMapping,
    node_kind::{GatewayKind, NodeKind, StartEvent, SubProcess, TaskKind},
    path::DataPath,
    schedule::Schedule,
    search_attributes::SearchKeys,
    task_settings::TaskSettings,
    template::Template,
    timer_cycle::Occurrences,
    upload::UploadRules,
    upstream::Upstream,
};

/// A definition ready to run. Cheap to share: held in an `Arc`.
#[derive(Debug)]
pub struct ExecutableProcess {
    /// The source it was compiled from.
    pub definition: ProcessDefinition,
    /// Display name, or if it has none the id.
    pub name: String,
    /// When a live instance expires.
    pub expiry: Option<Expiry>,
    /// How long an Action message of an instance stays open.
    pub action_message_expiry: Span,
    /// The values by which its instances can be found.
    pub search_keys: SearchKeys,
    /// The values of its own data objects for a start whose data do not contain them.
    pub data_objects: Map<String, Value>,
    /// From where tokens can reach joins that wait.
    pub(super) upstream: Upstream,
    /// Where an instance begins if there is no start event to begin at: all nodes that no flow
    /// enters.
    pub implicit_starts: Vec<Arc<str>>,
    /// The nodes at which a message or signal starts the process, by index.
    pub(super) event_starts: Vec<usize>,
    /// Whether any of its events is a conditional one.
    pub has_conditional: bool,
    /// The start events of event subprocesses directly in the process, in document order.
    pub event_subprocess_starts: Vec<Arc<str>>,
    /// The source of each sequence flow.
    pub(super) flow_sources: BTreeMap<Arc<str>, Arc<str>>,
    pub(super) lanes: Vec<Lane>,
    pub(super) nodes: Vec<ExecutableNode>,
    /// Ordered: for short ids, a few comparisons are cheaper than hashing.
    pub(super) by_id: BTreeMap<Arc<str>, usize>,
}

impl ExecutableProcess {
    /// The node with this id.
    pub fn node(&self, id: &str) -> Option<&ExecutableNode> {
        self.by_id.get(id).map(|&index| &self.nodes[index])
    }

    /// The source of a sequence flow.
    pub fn source_of(&self, flow: &str) -> Option<&ExecutableNode> {
        self.node(self.flow_sources.get(flow)?)
    }

    /// All nodes in document order.
    pub fn nodes(&self) -> &[ExecutableNode] {
        &self.nodes
    }

    /// All lanes in document order.
    pub fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// The innermost lane of a node.
    pub fn lane_of(&self, node: &ExecutableNode) -> Option<&Lane> {
        node.lane.map(|index| &self.lanes[index])
    }

    /// The start events with a schedule.
    pub fn schedules(&self) -> impl Iterator<Item = (&ExecutableNode, &ExecutableSchedule)> {
        self.nodes
            .iter()
            .filter_map(|node| Some((node, node.schedule()?)))
    }

    /// The HTTP calls of its actions.
    pub fn calls(&self) -> impl Iterator<Item = (&ExecutableNode, &ExecutableAction, &HttpCall)> {
        let actions = self
            .nodes
            .iter()
            .flat_map(|node| node.all_actions().map(move |action| (node, action)));
        actions.filter_map(|(node, action)| match &action.work {
            ActionWork::HttpRequest(call) => Some((node, action, &**call)),
            _ => None,
        })
    }

    /// The start events of the event subprocesses directly in a scope: in an embedded subprocess,
    /// or for `None` in the process itself.
    pub fn event_subprocess_starts(
        &self,
        scope: Option<&str>,
    ) -> impl Iterator<Item = &ExecutableNode> {
        let starts = match scope.map(|scope| self.node(scope).and_then(ExecutableNode::sub_process))
        {
            None => &self.event_subprocess_starts[..],
            Some(Some(subprocess)) => &subprocess.event_subprocess_starts,
            Some(None) => &[],
        };
        starts.iter().filter_map(|start| self.node(start))
    }

    /// The start events of the process itself, in document order.
    pub fn start_events(&self) -> impl Iterator<Item = (&ExecutableNode, &StartEvent)> {
        self.nodes
            .iter()
            .filter(|node| node.scope.is_none())
            .filter_map(|node| Some((node, node.start()?)))
    }
}

/// When a live instance expires.
#[derive(Debug)]
pub enum Expiry {
    /// This time after its start.
    After(Span),
    /// At the first matching time after its start, in UTC.
    At(Box<Cron>),
}

impl Expiry {
    /// When an instance started at `start` expires; `None` if there is no such time.
    pub fn due(&self, start: Time) -> Option<Time> {
        match self {
            Self::After(span) => start.plus(span),
            Self::At(cron) => start.next(cron),
        }
    }
}

/// A flow node with its flows and actions resolved.
#[derive(Debug)]
pub struct ExecutableNode {
    /// The modeller's id, shared so that records and state hold it without copying.
    pub id: Arc<str>,
    /// Display name, or if it has none the id.
    pub name: String,
    /// The kind of element, with the members that only this kind has.
    pub kind: NodeKind,
    /// Id of the embedded subprocess that contains it; `None` in the process itself.
    pub scope: Option<Arc<str>>,
    /// Index of its lane.
    pub(super) lane: Option<usize>,
    /// Whether back steps to nodes before it stay possible after it has completed.
    pub can_go_back: bool,
    /// Outgoing flows in document order.
    pub outgoing: Vec<ExecutableFlow>,
    /// Index into the outgoing flows of the default flow.
    pub default_flow: Option<usize>,
    /// Ids of the incoming flows in document order; a join counts arrivals on each.
    pub incoming: Vec<Arc<str>>,
    /// Top-level actions by order, manual and automatic together.
    pub actions: Vec<ExecutableAction>,
    /// For an activity, how many tokens begin it, and how many leave it by each flow.
    pub start_quantity: usize,
    /// See [`Self::start_quantity`].
    pub completion_quantity: usize,
    /// How it runs more than once, if it does.
    pub looping: Option<Loop>,
    /// The variables that it owns from its beginning, besides its data objects.
    pub inputs: Vec<ExecutableMapping>,
    /// The output mappings, which write into the surrounding scopes when it completes.
    pub outputs: Vec<ExecutableMapping>,
    /// The variables of its data objects, with their initial values.
    pub data_objects: Map<String, Value>,
    /// Ids of the boundary events attached to it, in document order.
    pub boundary_events: Vec<Arc<str>>,
    /// Whether it is a compensation handler, which no token reaches.
    pub for_compensation: bool,
    /// The activity that compensates it.
    pub compensation_handler: Option<Arc<str>>,
    /// The boundary events that catch errors and escalations.
    pub catches: Vec<Catch>,
}

impl ExecutableNode {
    /// A top-level action or a child by name.
    pub fn action(&self, name: &str) -> Option<&ExecutableAction> {
        self.all_actions().find(|action| &*action.name == name)
    }

    /// Its top-level actions, each followed by its children.
    pub fn all_actions(&self) -> impl Iterator<Item = &ExecutableAction> {
        self.actions
            .iter()
            .flat_map(|action| std::iter::once(action).chain(&action.children))
    }

    /// Its start event, if it is one.
    pub fn start(&self) -> Option<&StartEvent> {
        if let NodeKind::Start(start) = &self.kind {
            Some(start)
        } else {
            None
        }
    }

    /// Its schedule, if it has one.
    pub fn schedule(&self) -> Option<&ExecutableSchedule> {
        self.start()?.schedule.as_ref()
    }

    /// Its embedded subprocess, if it is one.
    pub fn sub_process(&self) -> Option<&SubProcess> {
        if let NodeKind::SubProcess(subprocess) = &self.kind {
            Some(subprocess)
        } else {
            None
        }
    }

    /// Its ad-hoc subprocess, if it is one.
    pub fn ad_hoc(&self) -> Option<&ExecutableAdHoc> {
        self.sub_process()?.ad_hoc.as_ref()
    }

    /// Its called process, if it is a call activity.
    pub fn call(&self) -> Option<&Subprocess> {
        if let NodeKind::Call(called) = &self.kind {
            Some(called)
        } else {
            None
        }
    }

    /// Whether its outgoing flows depend on conditions.
    pub fn chooses_flows(&self) -> bool {
        self.default_flow.is_some() || self.outgoing.iter().any(|flow| flow.conditional)
    }

    /// Whether tokens wait here, before an activity, until there are enough to begin it.
    pub fn gathers_tokens(&self) -> bool {
        self.start_quantity > 1 && !self.incoming.is_empty()
    }

    /// Whether flows wait here for others.
    pub fn is_join(&self) -> bool {
        let is_gateway = matches!(
            self.kind,
            NodeKind::Gateway(GatewayKind::Parallel | GatewayKind::Inclusive)
        );
        is_gateway && self.incoming.len() > 1 || self.is_complex_join() || self.gathers_tokens()
    }

    /// Whether it is a complex gateway with an activation condition.
    pub fn has_activation_condition(&self) -> bool {
        matches!(
            self.kind,
            NodeKind::Gateway(GatewayKind::Complex {
                conditional: true,
                ..
            })
        )
    }

    /// Whether that condition reads how many tokens each flow has.
    pub fn counts_flows(&self) -> bool {
        matches!(
            self.kind,
            NodeKind::Gateway(GatewayKind::Complex {
                counts_flows: true,
                ..
            })
        )
    }

    /// Whether flows wait here for the activation condition of a complex gateway.
    pub fn is_complex_join(&self) -> bool {
        matches!(self.kind, NodeKind::Gateway(GatewayKind::Complex { .. }))
            && (self.incoming.len() > 1
                || (self.has_activation_condition() && !self.incoming.is_empty()))
    }

    /// Whether flows wait here for those that can still arrive.
    pub fn is_inclusive_join(&self) -> bool {
        matches!(self.kind, NodeKind::Gateway(GatewayKind::Inclusive)) && self.is_join()
    }

    /// Whether it waits for the first of the events behind it.
    pub fn is_event_gateway(&self) -> bool {
        matches!(self.kind, NodeKind::Gateway(GatewayKind::EventBased { .. }))
    }

    /// How many of the events behind it have to occur, if it is an event-based gateway that starts
    /// the process.
    pub fn instantiates(&self) -> Option<EventGatewayType> {
        if let NodeKind::Gateway(GatewayKind::EventBased { instantiates }) = &self.kind {
            *instantiates
        } else {
            None
        }
    }

    /// Its settings as a user task.
    pub fn user_task(&self) -> Option<&TaskSettings> {
        if let NodeKind::Task(TaskKind::User(settings)) = &self.kind {
            Some(settings)
        } else {
            None
        }
    }

    /// The open boundary event that catches what is thrown: the one with its code, otherwise the
    /// one without code.
    pub fn catch(&self, thrown: Thrown<'_>, is_open: impl Fn(&Catch) -> bool) -> Option<&Catch> {
        let open = self.catches.iter().filter(|catch| is_open(catch));
        thrown.caught_by(&open.collect::<Vec<_>>())
    }
}

/// A schedule, with its times compiled.
#[derive(Debug)]
pub struct ExecutableSchedule {
    /// As written.
    pub written: Schedule,
    /// Its times.
    pub occurrences: Occurrences,
}

/// A sequence flow, stored at its source.
#[derive(Debug)]
pub struct ExecutableFlow {
    /// The modeller's id.
    pub id: Arc<str>,
    /// Id of the node it enters.
    pub target: Arc<str>,
    /// Whether it has a condition that is evaluated, known by the flow's id.
    pub conditional: bool,
}

/// An action with its templates and keys compiled. Field meanings as in [`super::action::Action`].
#[derive(Debug)]
pub struct ExecutableAction {
    /// Unique in the node.
    pub name: Arc<str>,
    /// Order among its siblings.
    pub order: i64,
    /// Its type's name, as in frames.
    pub type_name: &'static str,
    /// Its work.
    pub work: ActionWork,
    /// Delay between triggering and work.
    pub timer: Option<Span>,
    /// Whether the engine or a user triggers it.
    pub trigger: Trigger,
    /// Whether the node waits for it.
    pub required: Required,
    /// Whether it may run more than once in a visit.
    pub repeatable: bool,
    /// Whether its mandatory automatic children run after it.
    pub autorun_children: bool,
    /// Name of the parent action, for children.
    pub parent: Option<Arc<str>>,
    /// Whether it may be run after the token has left.
    pub allow_back: bool,
    /// Whether going back restores earlier data.
    pub restart_from_snapshot: bool,
    /// Paths that are kept by such a restore; longest first, so that a path above another one is
    /// applied last.
    pub restart_keys: Vec<DataPath>,
    /// Whether a delayed automatic action holds the token.
    pub holds_token: bool,
    /// The accepted data; if empty, none.
    pub keys: Keys,
    /// Children by order.
    pub children: Vec<ExecutableAction>,
}

/// The work of an action.
#[derive(Debug)]
pub enum ActionWork {
    /// Push a message.
    WebsocketSend {
        /// Rendered over the instance data.
        message: Template,
        /// Data or Action.
        message_type: MessageType,
        /// The instance whose clients receive it.
        target: Target,
    },
    /// Merge the data at the keys.
    SaveData,
    /// Merge into the parent's data.
    AppendToParent {
        /// Rendered over the instance data.
        message: Template,
        /// The path in the parent's data.
        destination: DataPath,
    },
    /// Merge the output of a script, known to the evaluator by node id and action name.
    BusinessRule,
    /// Merge the reference to a file that was uploaded with the run.
    UploadFile {
        /// The path for the reference.
        destination: DataPath,
        /// The accepted files.
        rules: UploadRules,
    },
    /// Call another system.
    HttpRequest(Box<HttpCall>),
    /// Start a child.
    StartSubprocess {
        /// The process, and the data passed.
        subprocess: Subprocess,
        /// Whether the action ends without waiting for the child.
        asynchronous: bool,
    },
    /// Start an activity of the ad-hoc subprocess.
    StartActivity {
        /// Its id.
        activity: Arc<str>,
    },
}

/// A called process, and the data passed.
#[derive(Debug)]
pub struct Subprocess {
    /// The process it calls.
    pub process: CalledProcess,
    /// The data for the child.
    pub copy: CopyList,
    /// The child's business key.
    pub business_key: Option<ComputedTemplate>,
    /// The path for the result; if absent, the result is dropped.
    pub output_key: Option<DataPath>,
    /// Makes the result from the child's data; if absent, the result is all of it.
    pub output: Option<Template>,
    /// Whether all of the child's data are merged where the call is.
    pub takes_all: bool,
}
