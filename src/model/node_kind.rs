//! What a node is, compiled: the sum type over BPMN's elements that the engine runs.
//!
//! What every node has is in [`ExecutableNode`](super::executable::ExecutableNode); what only one
//! kind has is inside its variant. Every `match` over these types names each variant, so that the
//! compiler finds what a new one needs.

use std::sync::Arc;

use super::{
    ad_hoc::ExecutableAdHoc,
    catch::Catch,
    definition::EventGatewayType,
    event_definition::{EventRef, TimerValue},
    executable::{ExecutableSchedule, Subprocess},
    keys::Keys,
    message_event::{MessageDefinition, SignalDefinition},
    schedule::{MisfirePolicy, Overlap, Schedule, When},
    task_settings::TaskSettings,
    template::Template,
    timer_cycle::Occurrences,
};

/// The variable of a complex gateway: how many tokens are at its incoming flows.
pub const ACTIVATION_COUNT: &str = "activationCount";
/// The variable of a complex gateway: the same, flow by flow, as members by their ids.
pub const ACTIVATION_COUNTS: &str = "activationCounts";
/// The variable of a complex gateway: whether it continues for the first time, else it resets.
pub const WAITING_FOR_START: &str = "waitingForStart";

/// What element a node is.
#[derive(Debug)]
pub enum NodeKind {
    /// A start event.
    Start(Box<StartEvent>),
    /// An end event: none, or with what it throws.
    End(EventDefinitions),
    /// An intermediate event that waits.
    Catch(EventDefinitions),
    /// An intermediate event that continues at once.
    Throw(EventDefinitions),
    /// An event attached to an activity, which waits as long as that is active.
    Boundary {
        /// The activity.
        attached_to: Arc<str>,
        /// What it waits for.
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

/// What an event waits for or throws: nothing as a none event, one definition as a rule, several as
/// what BPMN calls a multiple event.
#[derive(Debug, Default)]
pub struct EventDefinitions {
    all: Box<[ExecutableEventDefinition]>,
    parallel: bool,
}

impl EventDefinitions {
    /// These definitions, in document order; `parallel` says whether each of them has to come.
    pub fn new(all: Vec<ExecutableEventDefinition>, parallel: bool) -> Self {
        Self {
            // One alone has to come anyway.
            parallel: parallel && all.len() > 1,
            all: all.into(),
        }
    }

    /// Whether it is a none event.
    pub fn is_none(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether each of several has to come, in any order; else the first that comes will do.
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

    /// Whether it throws what ends its scope, or takes it over.
    pub fn ends_scope(&self) -> bool {
        self.all.iter().any(ExecutableEventDefinition::ends_scope)
    }

    /// All of them, in document order.
    pub fn iter(&self) -> impl Iterator<Item = &ExecutableEventDefinition> {
        self.all.iter()
    }

    /// The one at a place, from 0.
    pub fn get(&self, place: u8) -> Option<&ExecutableEventDefinition> {
        self.all.get(usize::from(place))
    }

    /// All of them with what each is known by, as those of a node.
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

/// One definition of what an event waits for or throws.
#[derive(Debug)]
pub enum ExecutableEventDefinition {
    /// An error; without a code every failure, where it is caught.
    Error(Option<Arc<str>>),
    /// An escalation; without a code every one, where it is caught.
    Escalation(Option<Arc<str>>),
    /// A jump within its scope, which is compiled into a flow.
    Link,
    /// The compensation of what is completed.
    Compensation(CompensationThrow),
    /// The cancellation of a transaction.
    Cancel,
    /// Data of which a condition is true; the evaluator knows it by `EventRef::condition_id`.
    Conditional,
    /// A time.
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
    /// The condition a start must name.
    pub condition: Option<String>,
    /// What starts the process here by itself.
    pub schedule: Option<ExecutableSchedule>,
    /// What start data is accepted; `None` accepts everything.
    pub keys: Option<Keys>,
    /// The message or signal that starts the process here, or what the event subprocess waits for
    /// that it begins.
    pub event: EventDefinitions,
    /// Whether everything else in the scope around its event subprocess ends when that begins.
    pub interrupting: bool,
    /// What thrown the event subprocess catches that it begins.
    pub catches: Vec<Catch>,
}

impl StartEvent {
    /// Whether clients start the process here: no schedule, message or signal does.
    pub fn is_for_clients(&self) -> bool {
        self.schedule.is_none() && self.event.is_none()
    }
}

impl ExecutableEventDefinition {
    /// Whether its scope ends when it is thrown, or is taken over by what catches it.
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

    /// Name of the message, when no data are needed to tell.
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

    /// Name of the signal, when no data are needed to tell.
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
    /// Undefined: runs its actions.
    Undefined,
    /// Done outside of any system.
    Manual,
    /// Waits for its user.
    User(Box<TaskSettings>),
    /// Runs its actions.
    Service,
    /// Runs its actions, then sends its message, if it has one.
    Send(EventDefinitions),
    /// Runs its actions and waits for its message.
    Receive {
        /// The message; none when its actions say what it waits for.
        event: EventDefinitions,
        /// Whether the message starts the process here.
        instantiates: bool,
    },
    /// Runs its script, which is an action of it.
    Script,
    /// Runs its rules, which are actions of it.
    BusinessRule,
}

/// The kinds of gateways.
#[derive(Debug)]
pub enum GatewayKind {
    /// Chooses one outgoing flow.
    Exclusive,
    /// Takes every outgoing flow whose condition is true; waits for all flows that can still come.
    Inclusive,
    /// Forks and joins.
    Parallel,
    /// Takes every outgoing flow whose condition is true; a join continues once its activation
    /// condition is, and then waits for the other flows before it resets.
    Complex {
        /// Whether it has such a condition, which the evaluator knows by the id of the node; without
        /// one it joins as an inclusive gateway does.
        conditional: bool,
    },
    /// Waits for the first of the events behind it.
    EventBased {
        /// How many of them are awaited, when the first one starts the process here.
        instantiates: Option<EventGatewayType>,
    },
}

/// An embedded subprocess.
#[derive(Debug)]
pub struct SubProcess {
    /// Where it begins: its start event, else all nodes that no flow enters; none when it is empty.
    pub starts: Vec<Arc<str>>,
    /// Whether it can be cancelled, with what completed in it undone.
    pub transaction: bool,
    /// How it runs as an ad-hoc subprocess: it does not begin at its starts, users start those.
    pub ad_hoc: Option<ExecutableAdHoc>,
    /// Whether it is an event subprocess: no token reaches it, its start event begins it.
    pub triggered_by_event: bool,
    /// The start events of the event subprocesses that lie in it and wait for something, in document
    /// order.
    pub event_subprocess_starts: Vec<Arc<str>>,
    /// The event subprocess in it that compensates it, once it has completed.
    pub compensation: Option<Arc<str>>,
}

/// What a compensation event asks for.
#[derive(Debug)]
pub struct CompensationThrow {
    /// The only activity that is compensated.
    pub activity: Option<Arc<str>>,
    /// Whether the event waits until everything is compensated.
    pub waits: bool,
}

/// The times of a timer event.
#[derive(Debug)]
pub struct TimerDefinition {
    /// The text, with its placeholders.
    text: Template,
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

    /// Whether its event is waited for once: it ends who waits for it, or lets that continue.
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
    /// Compiles the text; a fixed one must be a time.
    ///
    /// # Errors
    /// A sentence about what is no time or no template.
    pub fn compile(value: &TimerValue, zone: Option<&str>) -> Result<Self, String> {
        let kind = match value {
            TimerValue::Cycle(_) => When::Cycle,
            TimerValue::Date(_) => When::Date,
            TimerValue::Duration(_) => When::Duration,
        };
        let text = value.text();
        let compiled = Self {
            text: Template::compile_text(text).map_err(|error| error.sentence)?,
            kind,
            zone: zone.map(str::to_owned),
        };
        if !text.contains("${") {
            compiled.occurrences(text)?;
        }
        Ok(compiled)
    }

    /// The template of its text.
    pub fn text(&self) -> &Template {
        &self.text
    }

    /// The times that a text means whose placeholders are filled in.
    ///
    /// # Errors
    /// A sentence about what is no time.
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
