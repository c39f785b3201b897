//! The context of one step: its input, the records made so far, and the elements still to be
//! visited.
//!
//! `record` appends a record and applies it at once, so that every decision reads the state as the
//! step's own records left it. `step` dispatches commands, `transition` has the moves of element
//! instances, `end` the end of an instance.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use super::{
    access::Caller,
    command::{DueTimer, TimerKey},
    correlation::{Correlation, CorrelationNote},
    effect::Effect,
    instance_message::InstanceMessage,
    record::created::{CommandTag, Created},
    record::{Incident, Record, StoredFile, Subscriber, batch::RecordBatch},
    state::InstanceState,
    trace::{NewSpan, TraceContext},
};
use crate::{
    limits::InstanceLimits,
    model::{
        evaluator::Evaluator,
        executable::{ExecutableNode, ExecutableProcess},
        ids::{ElementKey, InstanceKey, Time},
        template::Builtins,
    },
};

/// The input of a step besides the command: everything that is not pure.
pub struct StepInput<'a> {
    /// Process time.
    pub now: Time,
    /// Generates the key of a child from the number of the record that starts it.
    pub child_key: &'a dyn Fn(u64) -> InstanceKey,
    /// The caller of the command; `None` for the server itself (timers, messages of other
    /// instances), which may do everything.
    pub caller: Option<&'a Caller>,
    /// The command's identity, if it deduplicates.
    pub command: Option<CommandTag>,
    /// The limits of the step and the instance, beyond which it raises incidents.
    pub limits: InstanceLimits,
    /// How many more instances its tree may have now.
    pub tree_room: usize,
    /// The span to create for it; `None` if spans are not sent.
    pub span: Option<NewSpan>,
}

/// The result of a step. Without a row nothing happened: a repetition, or a message for something
/// that has ended.
#[derive(Debug, Default)]
pub struct StepOutcome {
    /// The records.
    pub row: Option<RecordBatch>,
    /// To be performed after the commit.
    pub effects: Vec<Effect>,
    /// The trace context of the command, if a span was created: the parent of that span.
    pub cause: Option<TraceContext>,
}

/// Incidents of elements that were entered and stopped before they did anything: too many in this
/// step, or too many active.
pub(super) const STOPPED: [&str; 2] = ["step_limit", "element_limit"];

/// The context of one step.
pub(super) struct Step<'a> {
    pub process: &'a ExecutableProcess,
    pub evaluator: &'a dyn Evaluator,
    pub state: &'a mut InstanceState,
    pub caller: Option<&'a Caller>,
    /// The trace the command belongs to.
    pub trace: Option<TraceContext>,
    pub now: Time,
    pub ignored: Vec<String>,
    /// The file of the command, until its action takes it.
    pub file: Option<StoredFile>,
    pub limits: InstanceLimits,
    pub tree_room: usize,
    /// Children started in this step.
    pub children_begun: usize,
    /// Whether data changed since conditions were last evaluated.
    pub is_data_changed: bool,
    /// The subscribers whose conditions are to be evaluated.
    pub conditions: Vec<Subscriber>,
    /// How many consecutive messages to the instance itself have led to this step.
    pub turn: u32,
    work: VecDeque<ElementKey>,
    /// How many of the first in the queue were returned by [`Step::entered`].
    given: usize,
    /// Wholes that begin another iteration once nothing else can move; the latest first.
    last: Vec<ElementKey>,
    /// Iterations started in this step, and the bytes of their items.
    pub begun: (usize, usize),
    /// Wholes whose next turn this step has requested.
    pub requested_turns: BTreeSet<ElementKey>,
    /// Calls that have ended on hold, and whose result only output mappings write.
    pub ended_calls: BTreeSet<ElementKey>,
    child_key: &'a dyn Fn(u64) -> InstanceKey,
    first_seq: u64,
    span: Option<NewSpan>,
    records: Vec<Record>,
    effects: Vec<Effect>,
    /// Number of elements it may still activate.
    pub budget: usize,
}

impl<'a> Step<'a> {
    /// A step whose first record gets this number.
    pub fn new(
        process: &'a ExecutableProcess,
        evaluator: &'a dyn Evaluator,
        state: &'a mut InstanceState,
        first_seq: u64,
        input: &StepInput<'a>,
    ) -> Self {
        Self {
            process,
            evaluator,
            state,
            caller: input.caller,
            trace: input
                .caller
                .and_then(|caller| caller.trace.as_deref().cloned()),
            now: input.now,
            ignored: Vec::new(),
            file: None,
            limits: input.limits,
            tree_room: input.tree_room,
            children_begun: 0,
            is_data_changed: false,
            conditions: Vec::new(),
            turn: 0,
            work: VecDeque::new(),
            given: 0,
            last: Vec::new(),
            begun: (0, 0),
            requested_turns: BTreeSet::new(),
            ended_calls: BTreeSet::new(),
            child_key: input.child_key,
            first_seq,
            span: input.span,
            records: Vec::new(),
            effects: Vec::new(),
            budget: input.limits.elements_per_command,
        }
    }

    /// Records the creation of an instance, from which its state was made.
    pub fn begin(&mut self, created: Created, ignored: Vec<String>) {
        self.ignored = ignored;
        self.records.push(Record::Created(Box::new(created)));
    }

    /// The number the next record gets.
    pub fn next_seq(&self) -> u64 {
        self.first_seq + self.records.len() as u64
    }

    /// Appends a record and applies it at once; returns its number.
    pub fn record(&mut self, record: Record) -> u64 {
        let seq = self.next_seq();
        self.is_data_changed |= self.process.has_conditional && record.changes_data();
        self.state.apply(seq, self.now, &record);
        self.records.push(record);
        seq
    }

    /// The key of the child that the next record starts.
    pub fn next_child_key(&self) -> InstanceKey {
        (self.child_key)(self.next_seq())
    }

    /// Notifies the entity of a message or signal.
    pub fn notify(&mut self, correlation: Correlation, note: CorrelationNote) {
        let number = self.record(Record::CorrelationNotified {
            correlation: correlation.clone(),
            note: note.clone(),
        });
        self.effects.push(Effect::Notify {
            number,
            correlation,
            note,
        });
    }

    /// Requests an effect outside of the instance.
    pub fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Requests a timer.
    pub fn set_timer(&mut self, due: Time, key: TimerKey) {
        self.effects.push(Effect::SetTimer(DueTimer { key, due }));
    }

    /// Clears a timer.
    pub fn clear_timer(&mut self, key: TimerKey) {
        self.effects.push(Effect::ClearTimer(key));
    }

    /// Sends a message to a child or the parent.
    pub fn send(&mut self, target: InstanceKey, message: InstanceMessage) {
        let number = self.record(Record::MessageSent {
            target,
            message: Box::new(message.clone()),
        });
        self.effects.push(Effect::Send {
            number,
            target,
            message: Box::new(message),
        });
    }

    /// Sends a message to the parent, if there is one that can receive it.
    pub fn send_to_parent(&mut self, message: InstanceMessage) {
        if self.state.can_send_to_parent()
            && let Some(parent) = self.state.head().parent.as_ref().map(|link| link.instance)
        {
            self.send(parent, message);
        }
    }

    /// Raises an incident on an element.
    pub fn incident(
        &mut self,
        element: ElementKey,
        code: &str,
        message: String,
        action: Option<(Arc<str>, u32)>,
    ) {
        self.record(Record::IncidentRaised {
            element,
            incident: Incident {
                code: code.to_owned(),
                message,
                action,
            },
        });
    }

    /// The executable node of an element.
    pub fn node_of(&self, element: ElementKey) -> Option<&'a ExecutableNode> {
        self.process.node(self.state.element(element)?.node())
    }

    /// The values behind a template's built-in names.
    pub fn builtins(&self) -> Builtins<'_> {
        builtins(self.process, self.state, self.now)
    }

    /// Queues an element, so that it continues later in this step.
    pub fn queue(&mut self, element: ElementKey) {
        self.work.push_back(element);
    }

    /// Visits an element once nothing else in this step can move.
    pub fn queue_last(&mut self, element: ElementKey) {
        self.last.retain(|queued| *queued != element);
        self.last.push(element);
    }

    /// The next element to visit.
    pub fn next_queued(&mut self) -> Option<ElementKey> {
        self.given = self.given.saturating_sub(1);
        self.work.pop_front().or_else(|| self.last.pop())
    }

    /// The elements queued since the last call and not visited yet.
    pub fn entered(&mut self) -> Vec<ElementKey> {
        let entered = self.work.iter().skip(self.given).copied().collect();
        self.given = self.work.len();
        entered
    }

    /// Whether nothing has been recorded yet.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The row and effects of all that was recorded.
    pub fn close(self, command: Option<CommandTag>) -> StepOutcome {
        if self.records.is_empty() {
            return StepOutcome::default();
        }
        let by = self.caller.map(|caller| &caller.subject);
        let by = by.or(command.as_ref().map(|tag| &tag.subject)).cloned();
        let (trace, cause) = match self.span {
            Some(span) => (Some(span.below(self.trace.as_ref())), self.trace),
            None => (self.trace, None),
        };
        let row = RecordBatch {
            first_seq: self.first_seq,
            time: self.now,
            command,
            by,
            ignored: self.ignored,
            records: self.records,
            trace,
        };
        self.state.end_row(&row);
        StepOutcome {
            row: Some(row),
            effects: self.effects,
            cause,
        }
    }
}

/// The values behind a template's built-in names.
fn builtins<'a>(
    process: &'a ExecutableProcess,
    state: &'a InstanceState,
    now: Time,
) -> Builtins<'a> {
    let head = state.head();
    Builtins {
        process_instance_id: head.key,
        parent: head.parent.as_ref().map(|link| link.instance),
        root: head.root(),
        process_name: &process.name,
        business_key: head.business_key.as_deref(),
        started_by: &head.started_by,
        scheduled_for: head.scheduled_for,
        now,
    }
}
