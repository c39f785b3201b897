//! One step: a command in, one row of records and its effects out.
//!
//! A work queue with a limit and no recursion: an endless loop in a model becomes an incident.
//! `record` pushes and applies at once, so every decision reads the state as its own records left
//! it.

use std::{collections::VecDeque, sync::Arc};

use serde_json::Value;

use super::{
    access::{self, Caller},
    actions, assignment,
    command::{Command, DueTimer, RunAction, StartInstance, TimerKey},
    effect::Effect,
    elements, life, outside, patch,
    peer::PeerMessage,
    record::{Arrival, CommandTag, Created, Incident, Record, Row, Status, StoredFile},
    rejection::{Rejection, RejectionKind},
    state::{Child, InstanceState},
    subprocess, terms,
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
pub struct Outcome {
    /// The records.
    pub row: Option<Row>,
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
) -> Result<Outcome, Rejection> {
    let first_seq = state.seq() + 1;
    let mut step = Step::new(process, evaluator, state, first_seq, &input);
    match command {
        Command::Run(run) => actions::run(&mut step, run)?,
        Command::FireTimer(timer) => life::fire_timer(&mut step, &timer),
        Command::Receive {
            from,
            number,
            message,
        } => subprocess::receive(&mut step, from, number, *message),
        Command::TakeAnswer { number, answer } => outside::take(&mut step, number, *answer),
        Command::CloseOffer { seq } => close_offer(&mut step, seq)?,
        Command::Terminate => life::terminate(&mut step)?,
        Command::EndWithAncestor => life::end_with_ancestor(&mut step),
        Command::Dismiss => life::dismiss(&mut step)?,
        Command::Hold => life::hold(&mut step)?,
        Command::Unhold => life::unhold(&mut step)?,
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

/// Starts an instance.
///
/// # Errors
/// A [`Rejection`]: no or several start events for the condition, a lane that keeps the start to
/// other roles, or start data that break the start event's keys.
pub fn start(
    process: &ExecutableProcess,
    evaluator: &dyn Evaluator,
    command: StartInstance,
    input: StepInput<'_>,
) -> Result<(InstanceState, Outcome), Rejection> {
    let start_event = match &command.schedule {
        Some(node) => elements::start_event::scheduled(process, node)?,
        None => elements::start_event::choose(process, command.start_condition.as_deref())?,
    };
    if input
        .caller
        .is_some_and(|caller| !access::may_start(process, caller, start_event))
    {
        let sentence = format!(
            "expected a role that may start '{}', but this user has none: see its lane",
            process.definition.id
        );
        return Err(life::forbidden(&sentence));
    }
    let (data, ignored) =
        elements::start_event::accept(start_event, &command.head.data, evaluator)?;
    let expires_at = process
        .expiry
        .as_ref()
        .and_then(|expiry| expiry.due(input.now));
    let created = Created {
        data,
        expires_at,
        ..command.head
    };
    let mut state = InstanceState::created(1, input.now, &created);
    let mut step = Step::new(process, evaluator, &mut state, 1, &input);
    step.ignored = ignored;
    step.records.push(Record::Created(Box::new(created)));
    if let Some(link) = command.link {
        let message = PeerMessage::Linked {
            offer: link.offer,
            process: process.definition.id.clone(),
        };
        step.tell_parent(message);
    }
    if let Some(due) = expires_at {
        step.set_timer(due, TimerKey::expiry());
    }
    step.activate(&start_event.id, Vec::new());
    let outcome = step.finish(input.command);
    Ok((state, outcome))
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
    fn new(
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
    pub fn tell(&mut self, target: InstanceKey, message: PeerMessage) {
        let number = self.record(Record::PeerTold {
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
    pub fn tell_parent(&mut self, message: PeerMessage) {
        if self.state.parent_hears()
            && let Some(parent) = self.state.head().parent.as_ref().map(|link| link.instance)
        {
            self.tell(parent, message);
        }
    }

    /// Merges into the instance data; an empty patch leaves no record.
    pub fn merge(&mut self, by: Option<ElementKey>, patch: Value) {
        if patch.as_object().is_none_or(|object| !object.is_empty()) {
            self.record(Record::DataMerged {
                scope: None,
                by,
                child: None,
                call: None,
                patch,
            });
        }
    }

    /// Merges what a child brings; a back step that leaves the child alone leaves this alone.
    pub fn merge_of_child(&mut self, child: &Child, patch: Value) {
        if patch.as_object().is_none_or(|object| !object.is_empty()) {
            let child_key = Some(child.start.child);
            self.record(Record::DataMerged {
                scope: None,
                by: child.start.element,
                child: child_key,
                call: None,
                patch,
            });
        }
    }

    /// Merges what the answer to a call brings; a back step that leaves the call alone leaves this
    /// alone.
    pub fn merge_of_call(&mut self, by: ElementKey, placed: u64, patch: Value) {
        if patch.as_object().is_none_or(|object| !object.is_empty()) {
            self.record(Record::DataMerged {
                scope: None,
                by: Some(by),
                child: None,
                call: Some(placed),
                patch,
            });
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

    /// Activates a node; what it does comes later in this step.
    pub fn activate(&mut self, node: &Arc<str>, arrivals: Vec<Arrival>) {
        let element = ElementKey(self.record(Record::ElementActivated {
            node: node.clone(),
            arrivals,
        }));
        terms::begin(self, element);
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

    /// Ends an element from outside, with its timers and its calls.
    pub fn abort(&mut self, key: ElementKey) {
        let Some(element) = self.state.element(key) else {
            return;
        };
        let node = element.node().clone();
        let calls: Vec<u64> = element
            .outside_calls()
            .filter_map(|open| open.under_way)
            .collect();
        for timer in element.timers(key) {
            self.clear_timer(timer.key);
        }
        self.effects
            .extend(calls.into_iter().map(Effect::ForgetCall));
        self.record(Record::ElementTerminated { element: key, node });
    }

    /// Ends those of these children that are live and not told so yet.
    pub fn end_children(&mut self, children: Vec<InstanceKey>) {
        for child in children {
            if self
                .state
                .children()
                .get(&child)
                .is_some_and(|child| child.status.is_live() && !child.ending)
            {
                self.tell(
                    child,
                    PeerMessage::End {
                        status: Status::Terminated,
                    },
                );
            }
        }
    }

    /// Ends the instance: everything active, what is below it, and, unless it finished, its offers;
    /// the parent hears of it last.
    pub fn end(&mut self, status: Status) {
        self.end_with(status, None, true);
    }

    /// Ends the instance as failed, by an error that a boundary event of the parent may catch.
    pub fn fail(&mut self, error: &str) {
        self.end_with(Status::Failed, Some(error.to_owned()), true);
    }

    /// Ends the instance because one above it has ended, whose end reaches all that is below this
    /// one, too.
    pub fn end_below_an_end(&mut self) {
        self.end_with(Status::Terminated, None, false);
    }

    fn end_with(&mut self, status: Status, error: Option<String>, reaches_down: bool) {
        let active: Vec<ElementKey> = self.state.active().map(|(key, _)| key).collect();
        for element in active {
            self.abort(element);
        }
        if status == Status::Finished {
            let live = self
                .state
                .children()
                .iter()
                .filter(|(_, child)| child.status.is_live());
            for child in live.map(|(key, _)| *key).collect::<Vec<_>>() {
                self.tell(child, PeerMessage::ParentFinished);
            }
        } else if reaches_down && self.state.may_have_live_descendants() {
            self.tell(self.state.key(), PeerMessage::EndDescendants);
        }
        if self.state.head().expires_at.is_some() {
            self.clear_timer(TimerKey::expiry());
        }
        self.record(Record::Ended { status });
        outside::tell_of_end(self, status, error.as_deref());
        let wants_result = self
            .state
            .head()
            .parent
            .as_ref()
            .is_some_and(|link| link.wants_result);
        let result =
            (wants_result && status == Status::Finished).then(|| self.state.data().clone());
        self.tell_parent(PeerMessage::Ended {
            status,
            result,
            error,
        });
    }

    /// Ends the instance when no token is left; a flow waiting at a join that nothing can complete
    /// becomes an incident.
    fn end_if_done(&mut self) {
        if !self.state.status().is_live() || self.state.active().next().is_some() {
            return;
        }
        let Some((node, arrivals)) = self
            .state
            .waiting()
            .next()
            .map(|(node, arrivals)| (node.clone(), arrivals.to_vec()))
        else {
            return self.end(Status::Finished);
        };
        let element = ElementKey(self.record(Record::ElementActivated {
            node: node.clone(),
            arrivals,
        }));
        let sentence = format!(
            "expected a token on every incoming flow of the join '{node}', but no other token is \
            left. Retry to go on without them"
        );
        self.incident(element, "join_incomplete", sentence, None);
    }

    fn finish(mut self, command: Option<CommandTag>) -> Outcome {
        // On hold no token moves: `unhold` lets every active element look again at what it can do.
        if self.state.status() != Status::OnHold {
            while let Some(element) = self.work.pop_front() {
                elements::advance(&mut self, element);
            }
            if !self.records.is_empty() {
                self.end_if_done();
            }
        }
        if self.records.is_empty() {
            return Outcome::default();
        }
        let (first_seq, time) = (self.first_seq, self.now);
        let by = self.caller.map(|caller| caller.subject.clone());
        let row = Row {
            first_seq,
            time,
            command,
            by,
            ignored: self.ignored,
            records: self.records,
        };
        self.state.end_row(&row);
        Outcome {
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

fn close_offer(step: &mut Step<'_>, seq: u64) -> Result<(), Rejection> {
    life::require_actor(step)?;
    if step.state.open_message(seq, step.now).is_none() {
        let sentence = format!(
            "expected the seq of an open Action message, but {seq} is none: it was answered \
            already, its time is over, or it never was one"
        );
        return Err(Rejection::new(RejectionKind::Conflict, sentence));
    }
    step.record(Record::OfferClosed { seq });
    Ok(())
}
