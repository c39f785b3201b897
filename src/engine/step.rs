//! One step: a command in, one row of records and its effects out.
//!
//! A work queue with a limit and no recursion: an endless loop in a model becomes an incident.
//! `record` pushes and applies at once, so every decision reads the state as its own records left
//! it. How an instance begins: `start`; how it ends: `end`.

use std::{collections::VecDeque, sync::Arc};

use serde_json::{Map, Value};

use super::{
    access::Caller,
    actions, assignment,
    command::{Command, DueTimer, RunAction, TimerKey},
    due_date,
    effect::Effect,
    elements, http_call,
    instance_message::InstanceMessage,
    open_messages, patch,
    record::{Arrival, CommandTag, Created, Incident, Record, RecordBatch, Status, StoredFile},
    rejection::Rejection,
    state::{Child, InstanceState},
    subprocess, suspend,
};
use crate::{
    limits::InstanceLimits,
    model::{
        evaluator::Evaluator,
        executable::{ExecutableNode, ExecutableProcess},
        ids::{ElementKey, InstanceKey, Time},
        template::Builtins,
        upload::UploadRules,
    },
};

/// What a step is given besides the command: everything that is not pure.
pub struct StepInput<'a> {
    /// Process time.
    pub now: Time,
    /// Draws the key of a child from the number of the record that starts it.
    pub child_key: &'a dyn Fn(u64) -> InstanceKey,
    /// Who gives the command; `None` for the server itself (timers, peers), which may do
    /// everything.
    pub caller: Option<&'a Caller>,
    /// The command's identity, if it deduplicates.
    pub command: Option<CommandTag>,
    /// How much it may do, and the instance hold, before the rest becomes incidents.
    pub limits: InstanceLimits,
    /// How many instances more its tree may hold now.
    pub tree_room: usize,
}

/// What a step did. Without a row nothing happened: a repeat or a message for something ended.
#[derive(Debug, Default)]
pub struct StepOutcome {
    /// The records.
    pub row: Option<RecordBatch>,
    /// To be performed after the commit.
    pub effects: Vec<Effect>,
}

/// Incidents of elements that were entered and then stopped before they did anything: too many in
/// this step, too many active.
pub(super) const STOPPED: [&str; 2] = ["step_limit", "element_limit"];

/// Applies a command to an instance.
///
/// # Errors
/// A [`Rejection`]; the state is then unchanged.
pub fn step(
    process: &ExecutableProcess,
    evaluator: &dyn Evaluator,
    state: &mut InstanceState,
    command: Command,
    input: StepInput<'_>,
) -> Result<StepOutcome, Rejection> {
    let first_seq = state.seq() + 1;
    let mut step = Step::new(process, evaluator, state, first_seq, &input);
    match command {
        Command::Run(run) => actions::run(&mut step, run)?,
        Command::FireTimer(timer) => suspend::fire_timer(&mut step, &timer),
        Command::Receive {
            from,
            number,
            message,
        } => subprocess::receive(&mut step, from, number, *message),
        Command::TakeAnswer { number, answer } => http_call::take(&mut step, number, *answer),
        Command::CloseOffer { seq } => open_messages::close(&mut step, seq)?,
        Command::StartChild(start) => open_messages::start_child(&mut step, *start)?,
        Command::Terminate => suspend::terminate(&mut step)?,
        Command::EndWithAncestor => suspend::end_with_ancestor(&mut step),
        Command::Dismiss => suspend::dismiss(&mut step)?,
        Command::Hold => suspend::hold(&mut step)?,
        Command::Unhold => suspend::unhold(&mut step)?,
        Command::Patch { data } => patch::patch(&mut step, data)?,
        Command::Retry { element } => actions::retry(&mut step, element)?,
        Command::Skip { element } => actions::skip(&mut step, element)?,
        Command::Claim { element } => assignment::claim(&mut step, element)?,
        Command::Release { element } => assignment::release(&mut step, element)?,
        Command::Assign { element, user } => assignment::assign(&mut step, element, &user)?,
    }
    Ok(step.finish(input.command))
}

/// Which files may come with this run now. Nothing is recorded.
///
/// # Errors
/// The [`Rejection`] the run would meet with any file.
pub fn may_upload(
    process: &ExecutableProcess,
    evaluator: &dyn Evaluator,
    state: &mut InstanceState,
    run: &RunAction,
    input: &StepInput<'_>,
) -> Result<UploadRules, Rejection> {
    let first_seq = state.seq() + 1;
    actions::may_upload(&Step::new(process, evaluator, state, first_seq, input), run)
}

/// The context of one step.
pub(super) struct Step<'a> {
    pub process: &'a ExecutableProcess,
    pub evaluator: &'a dyn Evaluator,
    pub state: &'a mut InstanceState,
    pub caller: Option<&'a Caller>,
    pub now: Time,
    pub ignored: Vec<String>,
    /// The file of the command, until its action takes it.
    pub file: Option<StoredFile>,
    pub limits: InstanceLimits,
    pub tree_room: usize,
    /// Children this step has begun.
    pub children_begun: usize,
    work: VecDeque<ElementKey>,
    child_key: &'a dyn Fn(u64) -> InstanceKey,
    first_seq: u64,
    records: Vec<Record>,
    effects: Vec<Effect>,
    budget: usize,
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
            now: input.now,
            ignored: Vec::new(),
            file: None,
            limits: input.limits,
            tree_room: input.tree_room,
            children_begun: 0,
            work: VecDeque::new(),
            child_key: input.child_key,
            first_seq,
            records: Vec::new(),
            effects: Vec::new(),
            budget: input.limits.elements_per_command,
        }
    }

    /// Notes the first record of an instance, which its state was made of.
    pub fn begin(&mut self, created: Created, ignored: Vec<String>) {
        self.ignored = ignored;
        self.records.push(Record::Created(Box::new(created)));
    }

    /// The number the next record gets.
    pub fn next_seq(&self) -> u64 {
        self.first_seq + self.records.len() as u64
    }

    /// Remembers something, at once; returns its number.
    pub fn record(&mut self, record: Record) -> u64 {
        let seq = self.next_seq();
        self.state.apply(seq, self.now, &record);
        self.records.push(record);
        seq
    }

    /// The key of a child whose starting record comes next.
    pub fn next_child_key(&self) -> InstanceKey {
        (self.child_key)(self.next_seq())
    }

    /// Asks for something to be done outside the instance.
    pub fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Asks for a timer.
    pub fn set_timer(&mut self, due: Time, key: TimerKey) {
        self.effects.push(Effect::SetTimer(DueTimer { key, due }));
    }

    /// Forgets a timer.
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

    /// Sends a message to the parent, if there is one that can hear.
    pub fn send_to_parent(&mut self, message: InstanceMessage) {
        if self.state.parent_hears()
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

    /// Looks, later in this step, what an element can do next.
    pub fn queue(&mut self, element: ElementKey) {
        self.work.push_back(element);
    }

    /// Activates a node in a scope; what it does comes later in this step.
    pub fn activate(&mut self, node: &Arc<str>, scope: Option<ElementKey>, arrivals: Vec<Arrival>) {
        self.activate_with(node, scope, arrivals, Map::new());
    }

    /// Activates a node that owns variables from its beginning, as each iteration of a loop does.
    pub fn activate_with(
        &mut self,
        node: &Arc<str>,
        scope: Option<ElementKey>,
        arrivals: Vec<Arrival>,
        variables: Map<String, Value>,
    ) {
        let element = ElementKey(self.record(Record::ElementActivated {
            scope,
            node: node.clone(),
            arrivals,
        }));
        self.declare(element, variables);
        due_date::begin(self, element);
        if self.budget == 0 {
            let sentence = "expected the process to come to rest, but one command activated too \
                many elements: is there a loop without a user task or a timer? Retry to let it \
                go on";
            return self.incident(element, STOPPED[0], sentence.to_owned(), None);
        }
        if self.state.active().count() > self.limits.active_elements {
            let sentence = format!(
                "expected at most {} active elements, but this is one more. Retry when others \
                have gone on",
                self.limits.active_elements
            );
            return self.incident(element, STOPPED[1], sentence, None);
        }
        self.budget -= 1;
        self.queue(element);
    }

    /// Ends an element from outside, with its timers and its calls; before it what is in it, the
    /// latest first.
    pub fn terminate(&mut self, key: ElementKey) {
        if self.state.scope(Some(key)).is_some() {
            for inner in self.state.inside(key).into_iter().rev() {
                self.terminate_one(inner);
            }
        }
        self.terminate_one(key);
    }

    fn terminate_one(&mut self, key: ElementKey) {
        let Some(element) = self
            .state
            .element(key)
            .filter(|element| element.is_active())
        else {
            return;
        };
        let node = element.node().clone();
        let calls: Vec<u64> = element
            .http_calls()
            .filter_map(|open| open.under_way)
            .collect();
        for timer in element.timers(key) {
            self.clear_timer(timer.key);
        }
        self.effects
            .extend(calls.into_iter().map(Effect::ForgetCall));
        self.record(Record::ElementTerminated { element: key, node });
    }

    /// Ends the live children that these elements started.
    pub fn end_children_of(&mut self, elements: &[ElementKey]) {
        let of_these = |child: &&Child| {
            child
                .start
                .element
                .is_some_and(|element| elements.contains(&element))
        };
        let children = self.state.children().values().filter(of_these);
        let children = children.map(|child| child.start.child).collect();
        self.end_children(children);
    }

    /// The row and effects of all that was recorded, once every element has done what it can.
    pub fn finish(mut self, command: Option<CommandTag>) -> StepOutcome {
        // On hold no token moves: `unhold` lets every active element look again at what it can do.
        if self.state.status() != Status::OnHold {
            loop {
                while let Some(element) = self.work.pop_front() {
                    elements::advance(&mut self, element);
                }
                if !elements::inclusive_gateway::release_any(&mut self) {
                    break;
                }
            }
            if !self.records.is_empty() {
                self.end_if_done();
            }
        }
        if self.records.is_empty() {
            return StepOutcome::default();
        }
        let (first_seq, time) = (self.first_seq, self.now);
        let by = self.caller.map(|caller| &caller.subject);
        let by = by.or(command.as_ref().map(|tag| &tag.subject)).cloned();
        let row = RecordBatch {
            first_seq,
            time,
            command,
            by,
            ignored: self.ignored,
            records: self.records,
        };
        self.state.end_row(&row);
        StepOutcome {
            row: Some(row),
            effects: self.effects,
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
        root: head.root,
        process_name: &process.name,
        started_by: &head.started_by,
        scheduled_for: head.scheduled_for,
        now,
    }
}
