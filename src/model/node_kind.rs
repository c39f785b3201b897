//! The compiled kind of a node: the sum type over the BPMN elements that the engine runs.
//!
//! What every node has is in [`ExecutableNode`](super::executable::ExecutableNode); what only one
//! kind has is inside its variant. Every `match` over these types names each variant, so that the
//! compiler finds the places that a new one needs.

use std::sync::Arc;

use super::{
    ad_hoc::ExecutableAdHoc,
    catch::Catch,
    computed_template::ComputedTemplate,
    definition::EventGatewayType,
    event_definition::{EventRef, TimerValue},
    executable::{ExecutableSchedule, Subprocess},
    keys::Keys,
    message_event::{MessageDefinition, SignalDefinition},
    schedule::{MisfirePolicy, Overlap, Schedule, When},
    task_settings::TaskSettings,
    timer_cycle::Occurrences,
};

/// The variable of a complex gateway with the number of tokens at its incoming flows.
pub const ACTIVATION_COUNT: &str = "activationCount";
/// The variable of a complex gateway with the same number per flow, as members by flow id.
pub const ACTIVATION_COUNTS: &str = "activationCounts";
/// The variable of a complex gateway that says whether it continues for the first time; otherwise
/// it resets.
pub const WAITING_FOR_START: &str = "waitingForStart";

/// The kind of element of a node.
#[derive(Debug)]
pub enum NodeKind {
    /// A start event.
    Start(Box<StartEvent>),
    /// An end event: none, or with the events it throws.
    End(EventDefinitions),
    /// An intermediate event that waits.
    Catch(EventDefinitions),
    /// An intermediate event that throws.
    Throw(EventDefinitions),
    /// An event attached to an activity, which waits as long as the activity is active.
    Boundary {
        /// The activity.
        attached_to: Arc<str>,
        /// The event that it waits for.
        event: EventDefinitions,
        /// Whether the activity ends when it is triggered.
        interrupting: bool,
    },
    /// A task.
    Task(TaskKind),
    /// A call activity.
    Call(Box<Subprocess>),
    /// An embedded subprocess.
    SubProcess(SubProcess),
    /// A gateway.
    Gateway(GatewayKind),
}

/// What an event waits for or throws: nothing for a none event, usually one definition, or several
/// for what BPMN calls a multiple event.
#[derive(Debug, Default)]
pub struct EventDefinitions {
    all: Box<[ExecutableEventDefinition]>,
    parallel: bool,
}

impl EventDefinitions {
    /// These definitions, in document order; `parallel` says whether all of them have to occur.
    pub fn new(all: Vec<ExecutableEventDefinition>, parallel: bool) -> Self {
        Self {
            // A single one has to occur anyway.
            parallel: parallel && all.len() > 1,
            all: all.into(),
        }
    }

    /// Whether it is a none event.
    pub fn is_none(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether all of several have to occur, in any order; otherwise the first that occurs
    /// suffices.
    pub fn is_parallel(&self) -> bool {
        self.parallel
    }

    /// Whether there is more than one.
    pub fn is_several(&self) -> bool {
        self.all.len() > 1
    }

    /// Whether it is a link event, which has no other definition.
    pub fn is_link(&self) -> bool {
        matches!(&*self.all, [ExecutableEventDefinition::Link])
    }

    /// Whether it throws an event that ends its scope, or that ends it when it is caught.
    pub fn ends_scope(&self) -> bool {
        self.all.iter().any(ExecutableEventDefinition::ends_scope)
    }

    /// Whether it throws something that climbs to outer scopes.
    pub fn climbs(&self) -> bool {
        self.all.iter().any(ExecutableEventDefinition::climbs)
    }

    /// All of them, in document order.
    pub fn iter(&self) -> impl Iterator<Item = &ExecutableEventDefinition> {
        self.all.iter()
    }

    /// The one at an index, from 0.
    pub fn get(&self, place: u8) -> Option<&ExecutableEventDefinition> {
        self.all.get(usize::from(place))
    }

    /// All of them with their identities, for a node.
    pub fn of<'a>(
        &'a self,
        node: &'a Arc<str>,
    ) -> impl Iterator<Item = (EventRef, &'a ExecutableEventDefinition)> {
        self.all.iter().zip(0..).map(|(event, definition)| {
            let node = node.clone();
            (EventRef { definition, node }, event)
        })
    }
}

/// One event definition.
#[derive(Debug)]
pub enum ExecutableEventDefinition {
    /// An error; when caught without a code, every failure.
    Error(Option<Arc<str>>),
    /// An escalation; when caught without a code, every escalation.
    Escalation(Option<Arc<str>>),
    /// A jump within its scope, which is compiled into a flow.
    Link,
    /// The compensation of completed activities.
    Compensation(CompensationThrow),
    /// The cancellation of a transaction.
    Cancel,
    /// A condition on the data, known to the evaluator by `EventRef::condition_id`.
    Conditional,
    /// A timer.
    Timer(Box<TimerDefinition>),
    /// A message.
    Message(Box<MessageDefinition>),
    /// A signal.
    Signal(Box<SignalDefinition>),
    /// The end of the scope.
    Terminate,
}

/// Where a process, or an embedded subprocess, begins.
#[derive(Debug, Default)]
pub struct StartEvent {
    /// The condition that a start has to name.
    pub condition: Option<String>,
    /// Its schedule.
    pub schedule: Option<ExecutableSchedule>,
    /// The keys of accepted start data; `None` accepts everything.
    pub keys: Option<Keys>,
    /// The message or signal that starts the process here, or the event that begins its event
    /// subprocess.
    pub event: EventDefinitions,
    /// For an event subprocess: whether everything else in the surrounding scope ends when it
    /// begins.
    pub interrupting: bool,
    /// For an event subprocess: the errors and escalations that it catches.
    pub catches: Vec<Catch>,
}

impl StartEvent {
    /// Whether clients start the process here, because no schedule, message or signal does.
    pub fn is_for_clients(&self) -> bool {
        self.schedule.is_none() && self.event.is_none()
    }
}

impl ExecutableEventDefinition {
    /// Whether its scope ends when it is thrown, or when something catches it.
    pub fn ends_scope(&self) -> bool {
        match self {
            Self::Error(_) | Self::Cancel | Self::Terminate => true,
            Self::Escalation(_)
            | Self::Link
            | Self::Compensation(_)
            | Self::Conditional
            | Self::Timer(_)
            | Self::Message(_)
            | Self::Signal(_) => false,
        }
    }

    /// Whether it climbs to outer scopes when it is thrown.
    pub fn climbs(&self) -> bool {
        match self {
            Self::Error(_) | Self::Escalation(_) => true,
            Self::Cancel
            | Self::Terminate
            | Self::Link
            | Self::Compensation(_)
            | Self::Conditional
            | Self::Timer(_)
            | Self::Message(_)
            | Self::Signal(_) => false,
        }
    }

    /// Name of the message, if that does not depend on data.
    pub fn message(&self) -> Option<&str> {
        match self {
            Self::Message(message) => message.fixed_name(),
            Self::Error(_)
            | Self::Timer(_)
            | Self::Signal(_)
            | Self::Escalation(_)
            | Self::Link
            | Self::Compensation(_)
            | Self::Cancel
            | Self::Conditional
            | Self::Terminate => None,
        }
    }

    /// Name of the signal, if that does not depend on data.
    pub fn signal(&self) -> Option<&str> {
        match self {
            Self::Signal(signal) => signal.fixed_name(),
            Self::Error(_)
            | Self::Timer(_)
            | Self::Message(_)
            | Self::Escalation(_)
            | Self::Link
            | Self::Compensation(_)
            | Self::Cancel
            | Self::Conditional
            | Self::Terminate => None,
        }
    }
}

/// The kinds of tasks.
#[derive(Debug)]
pub enum TaskKind {
    /// An undefined task: runs its actions.
    Undefined,
    /// A manual task.
    Manual,
    /// A user task: waits for its user.
    User(Box<TaskSettings>),
    /// A service task: runs its actions.
    Service,
    /// A send task: runs its actions, then sends its message, if it has one.
    Send(EventDefinitions),
    /// A receive task: runs its actions and waits for its message.
    Receive {
        /// The message; none if its actions decide when it completes.
        event: EventDefinitions,
        /// Whether the message starts the process here.
        instantiates: bool,
    },
    /// A script task: runs its script, which is one of its actions.
    Script,
    /// A business rule task: runs its rules, which are actions of it.
    BusinessRule,
}

/// The kinds of gateways.
#[derive(Debug)]
pub enum GatewayKind {
    /// Chooses one outgoing flow.
    Exclusive,
    /// Takes every outgoing flow whose condition is true; a join waits for all flows that can still
    /// arrive.
    Inclusive,
    /// Forks and joins.
    Parallel,
    /// Takes every outgoing flow whose condition is true. A join continues once its activation
    /// condition is true, and then waits for the other flows before it resets.
    Complex {
        /// Whether it has an activation condition, known by the id of the node; without one it
        /// joins like an inclusive gateway.
        conditional: bool,
        /// Whether that condition reads [`ACTIVATION_COUNTS`], which is computed only then.
        counts_flows: bool,
    },
    /// Waits for the first of the events behind it.
    EventBased {
        /// How many of them have to occur, if the first one starts the process here.
        instantiates: Option<EventGatewayType>,
    },
}

/// An embedded subprocess.
#[derive(Debug)]
pub struct SubProcess {
    /// Where it begins: at its start event, otherwise at all nodes that no flow enters; empty if it
    /// has no nodes.
    pub starts: Vec<Arc<str>>,
    /// Whether it can be cancelled, which compensates what has completed in it.
    pub transaction: bool,
    /// Its settings as an ad-hoc subprocess, which does not begin at `starts`: users start them.
    pub ad_hoc: Option<ExecutableAdHoc>,
    /// Whether it is an event subprocess: no token reaches it, and its start event begins it.
    pub triggered_by_event: bool,
    /// The start events of the event subprocesses in it that wait for an event, in document order.
    pub event_subprocess_starts: Vec<Arc<str>>,
    /// The event subprocess in it that compensates it after it has completed.
    pub compensation: Option<Arc<str>>,
}

/// The activities that a compensation event compensates.
#[derive(Debug)]
pub struct CompensationThrow {
    /// The only activity to compensate.
    pub activity: Option<Arc<str>>,
    /// Whether the event waits until the compensation has ended.
    pub waits: bool,
}

/// The time of a timer event.
#[derive(Debug)]
pub struct TimerDefinition {
    /// The text of the time, with placeholders.
    text: ComputedTemplate,
    kind: fn(String) -> When,
    zone: Option<String>,
}

impl NodeKind {
    /// Whether it is an activity: a task, a subprocess, a call activity.
    pub fn is_activity(&self) -> bool {
        match self {
            Self::Task(_) | Self::Call(_) | Self::SubProcess(_) => true,
            Self::Start(_)
            | Self::End(_)
            | Self::Catch(_)
            | Self::Throw(_)
            | Self::Boundary { .. }
            | Self::Gateway(_) => false,
        }
    }

    /// The BPMN tag name, as in frames and problems: `userTask`.
    pub fn bpmn_name(&self) -> &'static str {
        match self {
            Self::Start(_) => "startEvent",
            Self::End(_) => "endEvent",
            Self::Catch(_) => "intermediateCatchEvent",
            Self::Throw(_) => "intermediateThrowEvent",
            Self::Boundary { .. } => "boundaryEvent",
            Self::Task(TaskKind::Undefined) => "task",
            Self::Task(TaskKind::Manual) => "manualTask",
            Self::Task(TaskKind::User(_)) => "userTask",
            Self::Task(TaskKind::Service) => "serviceTask",
            Self::Task(TaskKind::Send(_)) => "sendTask",
            Self::Task(TaskKind::Receive { .. }) => "receiveTask",
            Self::Call(_) => "callActivity",
            Self::SubProcess(SubProcess {
                transaction: true, ..
            }) => "transaction",
            Self::SubProcess(SubProcess {
                ad_hoc: Some(_), ..
            }) => "adHocSubProcess",
            Self::SubProcess(_) => "subProcess",
            Self::Gateway(GatewayKind::Exclusive) => "exclusiveGateway",
            Self::Task(TaskKind::Script) => "scriptTask",
            Self::Task(TaskKind::BusinessRule) => "businessRuleTask",
            Self::Gateway(GatewayKind::Inclusive) => "inclusiveGateway",
            Self::Gateway(GatewayKind::Parallel) => "parallelGateway",
            Self::Gateway(GatewayKind::Complex { .. }) => "complexGateway",
            Self::Gateway(GatewayKind::EventBased { .. }) => "eventBasedGateway",
        }
    }

    /// The event that it waits for, or that is waited for at it.
    pub fn awaited(&self) -> Option<&EventDefinitions> {
        let event = match self {
            Self::Catch(event)
            | Self::Boundary { event, .. }
            | Self::Task(TaskKind::Receive { event, .. }) => Some(event),
            Self::Start(start) => Some(&start.event),
            Self::End(_)
            | Self::Throw(_)
            | Self::Task(
                TaskKind::Undefined
                | TaskKind::Manual
                | TaskKind::User(_)
                | TaskKind::Service
                | TaskKind::Send(_)
                | TaskKind::Script
                | TaskKind::BusinessRule,
            )
            | Self::Call(_)
            | Self::SubProcess(_)
            | Self::Gateway(_) => None,
        };
        event.filter(|event| !event.is_none())
    }

    /// Whether its event occurs only once: it ends what waits for it, or lets that continue.
    pub fn interrupts(&self) -> bool {
        match self {
            Self::Boundary { interrupting, .. } => *interrupting,
            Self::Start(start) => start.interrupting,
            Self::End(_)
            | Self::Catch(_)
            | Self::Throw(_)
            | Self::Task(_)
            | Self::Call(_)
            | Self::SubProcess(_)
            | Self::Gateway(_) => true,
        }
    }
}

impl TimerDefinition {
    /// Compiles the text; without placeholders, it has to be a time.
    ///
    /// # Errors
    /// The invalid time or template, as a sentence.
    pub fn compile(value: &TimerValue, zone: Option<&str>) -> Result<Self, String> {
        let kind = match value {
            TimerValue::Cycle(_) => When::Cycle,
            TimerValue::Date(_) => When::Date,
            TimerValue::Duration(_) => When::Duration,
        };
        let text = value.text();
        let compiled = Self {
            text: ComputedTemplate::compile_text(text)?,
            kind,
            zone: zone.map(str::to_owned),
        };
        if !text.contains("${") {
            compiled.occurrences(text)?;
        }
        Ok(compiled)
    }

    /// The template of its text.
    pub fn text(&self) -> &ComputedTemplate {
        &self.text
    }

    /// The times of a text whose placeholders have been replaced.
    ///
    /// # Errors
    /// The invalid time, as a sentence.
    pub fn occurrences(&self, text: &str) -> Result<Occurrences, String> {
        Occurrences::compile(&Schedule {
            when: vec![(self.kind)(text.to_owned())],
            time_zone: self.zone.clone(),
            missed: MisfirePolicy::default(),
            overlap: Overlap::default(),
            start_data: serde_json::Map::new(),
        })
    }
}
