//! A process instance under test: runs the real engine and checks the invariants after every step.
//!
//! The live state equals the replay of its rows; rows and snapshots survive encoding; numbers are
//! dense; a refusal changes nothing; armed timers, sent messages and the view follow from the
//! records. Further checks: [`invariants`].

mod migrating;
mod starts;

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};
use stepwire::{
    engine::{
        self, Command, Effect, InstanceState, Record, RecordBatch, Rejection, StepInput,
        StepOutcome,
        access::Caller,
        command::{RunAction, StartChild, StartInstance, TimerKey},
        correlation::{Correlation, CorrelationNote},
        http_call::OutgoingCall,
        instance_message::InstanceMessage,
        next_step::{NextStep, next_step},
        record::{CommandTag, Created, ParentLink, ProcessRef, Status, Subscriber},
    },
    expression,
    journal::codec,
    limits::{InstanceLimits, TreeLimits},
    model::{
        action::MessageType,
        compile,
        deep_merge::deep_merge,
        definition::ProcessDefinition,
        evaluator::Evaluator,
        event_definition::EventRef,
        executable::ExecutableProcess,
        ids::{ElementKey, InstanceKey, Time},
        upload::UploadRules,
    },
};
use uuid::Uuid;

use super::{invariants, tokens::Tokens};

/// Key of the instance under test.
pub const OWN: InstanceKey = InstanceKey(Uuid::from_u128(1));
/// The key of its parent, if it has one.
pub const PARENT: InstanceKey = InstanceKey(Uuid::from_u128(2));

/// The relation of the instance under test to [`PARENT`], whose record `seq` started it.
pub fn parent_link(seq: u64, awaited: bool, wants_result: bool) -> ParentLink {
    ParentLink {
        instance: PARENT,
        seq,
        wants_result,
        root: PARENT,
        level: 2,
        root_started_by: "ada".to_owned(),
        awaited,
    }
}

/// The starter of the instance under test.
pub fn starter() -> Caller {
    user("ada", &[])
}

/// A user with roles.
pub fn user(subject: &str, roles: &[&str]) -> Caller {
    let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
    let operator = roles
        .iter()
        .any(|role| role == "operator" || role == "admin");
    Caller {
        subject: subject.to_owned(),
        tenant: "default".to_owned(),
        roles: roles.into(),
        operator,
        trees: None,
        address: None,
        trace: None,
    }
}

/// The key of an unknown instance.
pub fn stranger(number: u64) -> InstanceKey {
    InstanceKey(Uuid::from_u64_pair(3, number))
}

/// The key of the child that the record with this number starts.
pub fn child_key(seq: u64) -> InstanceKey {
    InstanceKey(Uuid::from_u64_pair(4, seq))
}

/// One instance and its history.
pub struct Subject {
    pub process: Arc<ExecutableProcess>,
    evaluator: Arc<dyn Evaluator>,
    /// The versions it may be migrated to, from the second on.
    pub targets: Vec<(Arc<ExecutableProcess>, Arc<dyn Evaluator>)>,
    pub state: Option<InstanceState>,
    pub rows: Vec<RecordBatch>,
    pub now: Time,
    /// Timers that are set and neither fired nor cleared, with their due times.
    pub timers: BTreeMap<TimerKey, Time>,
    pub limits: InstanceLimits,
    /// The number of instances for which its tree has room.
    pub tree_room: usize,
    /// Calls placed that have neither a response nor were withdrawn; webhooks remain.
    pub calls: BTreeMap<u64, OutgoingCall>,
    /// The number of rows at each reload from the stored rows.
    pub restarts: Vec<usize>,
    /// The id of the next command.
    pub tag: Option<CommandTag>,
    /// The subscriptions to messages and signals, as their entities know them.
    pub waits: BTreeMap<(Subscriber, EventRef), Correlation>,
    /// The fold of the records, row by row.
    replayed: Option<InstanceState>,
    tokens: Tokens,
    view: Value,
    /// The encoded state.
    bytes: Vec<u8>,
}

/// A compiled definition for subjects.
pub fn compiled(definition: ProcessDefinition) -> (Arc<ExecutableProcess>, Arc<dyn Evaluator>) {
    let evaluator = expression::compile(&definition)
        .unwrap_or_else(|problems| panic!("conditions and schemas: {problems:#?}"));
    let (process, _) =
        compile::compile(definition).unwrap_or_else(|problems| panic!("definition: {problems:#?}"));
    (Arc::new(process), evaluator)
}

impl Subject {
    /// The next timer that is due by then; the clock is set to its time, or to `until` without one.
    pub fn next_due(&mut self, until: Time) -> Option<TimerKey> {
        let next = self
            .timers
            .iter()
            .map(|(timer, due)| (*due, timer.clone()))
            .min();
        let next = next.filter(|(due, _)| *due <= until);
        self.now = next.as_ref().map_or(until, |(due, _)| self.now.max(*due));
        next.map(|(_, timer)| timer)
    }

    pub fn new((process, evaluator): (Arc<ExecutableProcess>, Arc<dyn Evaluator>)) -> Self {
        Self {
            process,
            evaluator,
            targets: Vec::new(),
            state: None,
            rows: Vec::new(),
            now: Time(0),
            timers: BTreeMap::new(),
            limits: InstanceLimits::default(),
            tree_room: TreeLimits::default().instances,
            calls: BTreeMap::new(),
            waits: BTreeMap::new(),
            restarts: Vec::new(),
            tag: None,
            replayed: None,
            tokens: Tokens::default(),
            view: json!({}),
            bytes: Vec::new(),
        }
    }

    /// The state, which exists after the start.
    pub fn state(&self) -> &InstanceState {
        self.state.as_ref().expect("the instance was started")
    }

    pub fn next(&self) -> NextStep {
        self.next_of(self.state())
    }

    pub fn next_of(&self, state: &InstanceState) -> NextStep {
        next_step(&self.process, state)
    }

    /// Bytes of the encoded state.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Starts it as the server or as the caller.
    pub fn start(
        &mut self,
        command: StartInstance,
        caller: Option<&Caller>,
    ) -> Result<StepOutcome, Rejection> {
        let tag = self.tag.take();
        let input = self.input(caller, tag);
        let (state, outcome) =
            engine::start(&self.process, self.evaluator.as_ref(), command, input)?;
        self.state = Some(state);
        self.check(&outcome);
        Ok(outcome)
    }

    pub fn may_upload(
        &mut self,
        run: &RunAction,
        caller: Option<&Caller>,
    ) -> Result<UploadRules, Rejection> {
        let input = self.input(caller, None);
        let state = self.state.as_mut().expect("the instance was started");
        let result = engine::may_upload(&self.process, self.evaluator.as_ref(), state, run, &input);
        let bytes = codec::encode(self.state()).expect("states can be encoded");
        assert!(bytes == self.bytes, "a question changed the state");
        result
    }

    /// Applies a command of the server or the caller.
    pub fn apply(
        &mut self,
        command: Command,
        caller: Option<&Caller>,
    ) -> Result<StepOutcome, Rejection> {
        let tag = self.tag.take();
        let input = self.input(caller, tag);
        let state = self.state.as_mut().expect("the instance was started");
        let result = engine::step(
            &self.process,
            self.evaluator.as_ref(),
            state,
            command,
            input,
        );
        match &result {
            Ok(outcome) if outcome.row.is_some() => self.check(outcome),
            _ => {
                let bytes = codec::encode(self.state()).expect("states can be encoded");
                assert!(
                    bytes == self.bytes,
                    "a refused or empty step changed the state"
                );
                assert!(
                    result.as_ref().is_err()
                        || result
                            .as_ref()
                            .is_ok_and(|outcome| outcome.effects.is_empty())
                );
            }
        }
        result
    }

    fn check(&mut self, outcome: &StepOutcome) {
        let row = outcome.row.clone().expect("a step with records has a row");
        let expected = self.rows.last().map_or(1, |row| row.last_seq() + 1);
        assert_eq!(row.first_seq, expected, "record numbers are dense");
        self.follow(&row, &outcome.effects);
        let bytes = codec::encode(&row).expect("rows can be encoded");
        assert!(
            codec::decode::<RecordBatch>(&bytes).expect("rows can be decoded") == row,
            "a row does not survive the codec: {row:#?}"
        );
        self.replayed = InstanceState::replay(self.replayed.take(), [&row]);
        let (mut tokens, process) = (std::mem::take(&mut self.tokens), self.process.clone());
        tokens.follow(&process, &row, self.state());
        self.tokens = tokens;
        self.rows.push(row);
        let state = self.state();
        assert_eq!(state.seq(), self.rows[self.rows.len() - 1].last_seq());
        self.compare(self.replayed.as_ref());
        let bytes = codec::encode(state).expect("states can be encoded");
        let decoded: InstanceState = codec::decode(&bytes).expect("states can be decoded");
        assert!(&decoded == state, "a snapshot does not survive the codec");
        self.bytes = bytes;
        let state = self.state();
        assert!(state.data().is_object() && state.view().is_object());
        assert_eq!(
            state.view(),
            &self.view,
            "the view is the fold of what was pushed"
        );
        let pending = state.active().flat_map(|(element, instance)| {
            instance.delayed().map(move |(action, occurrence, due)| {
                (TimerKey::action(element, action, occurrence), due)
            })
        });
        let reminders = state.active().filter_map(|(element, instance)| {
            instance
                .reminder()
                .map(|(number, due)| (TimerKey::reminder(element, number), due))
        });
        let events = state.all_subscriptions().flat_map(|(by, open)| {
            let element = match by {
                Subscriber::Element(element) => Some(element),
                Subscriber::Scope(scope) => scope,
            };
            open.timers(element).map(|timer| (timer.key, timer.due))
        });
        let expiry = state
            .head()
            .expires_at
            .filter(|_| state.status().is_live())
            .map(|due| (TimerKey::expiry(), due));
        let pending: BTreeMap<_, _> = pending
            .chain(reminders)
            .chain(events)
            .chain(expiry)
            .filter(|_| state.status() != Status::OnHold)
            .collect();
        assert_eq!(
            pending, self.timers,
            "armed timers are the delayed actions and reminders of active elements, and the \
            expiry; none on hold"
        );
        let waits = state.all_subscriptions().flat_map(|(by, open)| {
            open.iter().filter_map(move |(event, open)| {
                let correlation = open.subscription().correlation()?;
                Some(((by, event.clone()), correlation))
            })
        });
        assert_eq!(
            waits.collect::<BTreeMap<_, _>>(),
            self.waits,
            "what is told to be waited for is what active elements wait for"
        );
        let open = state
            .active()
            .flat_map(|(_, element)| element.http_calls())
            .filter_map(|open| open.under_way);
        let mut open: Vec<u64> = open.collect();
        open.sort_unstable();
        let placed = self
            .calls
            .values()
            .filter(|call| call.action.is_some())
            .map(|call| call.number);
        assert!(
            placed.eq(open),
            "calls under way are those that active elements wait for"
        );
        invariants::check(self);
    }

    /// Updates the subscriptions as the entities of messages and signals know them.
    fn note(&mut self, correlation: &Correlation, note: &CorrelationNote) {
        match note {
            CorrelationNote::Opened { by, event, .. } => {
                let key = (*by, event.clone());
                let before = self.waits.insert(key, correlation.clone());
                assert_eq!(before, None, "a subscription is opened once");
            }
            CorrelationNote::Settled {
                stays_open: true, ..
            } => {}
            CorrelationNote::Settled { by, event, .. } => {
                let before = self.waits.remove(&(*by, event.clone()));
                assert_eq!(before.as_ref(), Some(correlation), "it is closed once");
            }
            CorrelationNote::Published { data, .. } => assert!(data.is_object()),
            CorrelationNote::Ended | CorrelationNote::NotStarted { .. } => {}
        }
    }

    /// Runs an action with empty data on a copy of the state.
    pub fn run_on(
        &self,
        copy: &mut InstanceState,
        element: ElementKey,
        action: &str,
    ) -> Result<(), Rejection> {
        let run = RunAction {
            action: action.to_owned(),
            element: Some(element),
            data: json!({}),
            file: None,
        };
        engine::step(
            &self.process,
            self.evaluator.as_ref(),
            copy,
            Command::Run(run),
            self.input(None, None),
        )
        .map(drop)
    }

    fn input<'a>(&self, caller: Option<&'a Caller>, command: Option<CommandTag>) -> StepInput<'a> {
        StepInput {
            span: None,
            now: self.now,
            child_key: &child_key,
            caller,
            command,
            limits: self.limits,
            tree_room: self.tree_room,
        }
    }

    /// Replays all rows, or those after that many on top of a snapshot, decoded from its bytes.
    pub fn check_replay(&self, snapshot_after: Option<usize>) {
        let cut = snapshot_after.unwrap_or(0);
        self.compare(InstanceState::replay(self.stored_snapshot(cut), &self.rows[cut..]).as_ref());
    }

    /// The fold of that many rows, decoded from its bytes.
    fn stored_snapshot(&self, rows: usize) -> Option<InstanceState> {
        let state = InstanceState::replay(None, &self.rows[..rows])?;
        let bytes = codec::encode(&state).expect("states can be encoded");
        Some(codec::decode(&bytes).expect("states can be decoded"))
    }

    /// Continues from the stored rows, as after a restart of the server: from a snapshot half-way
    /// and the rows after it.
    pub fn restart(&mut self) {
        self.restarts.push(self.rows.len());
        let cut = self.rows.len() / 2;
        let snapshot = self.stored_snapshot(cut);
        self.state = InstanceState::replay(snapshot, &self.rows[cut..]);
    }

    fn compare(&self, replayed: Option<&InstanceState>) {
        if replayed != self.state.as_ref() {
            panic!(
                "the replay differs from the live state\nlive: {:#?}\nreplayed: {replayed:#?}",
                self.state()
            );
        }
    }

    /// Derives from the records and effects what timers, messages and view must be.
    fn follow(&mut self, row: &RecordBatch, effects: &[Effect]) {
        let mut reported: Vec<(u64, InstanceKey, &InstanceMessage)> = Vec::new();
        for (seq, record) in row.numbered() {
            match record {
                Record::Pushed(push) if push.kind == MessageType::Default => {
                    deep_merge(&mut self.view, &push.body)
                }
                Record::ViewReplaced { body } => self.view = body.clone(),
                Record::MessageSent { target, message } => reported.push((seq, *target, message)),
                _ => {}
            }
        }
        let sent = effects.iter().filter_map(|effect| match effect {
            Effect::Send {
                number,
                target,
                message,
            } => Some((*number, *target, &**message)),
            _ => None,
        });
        assert!(
            sent.eq(reported),
            "every message told is sent, once and in order"
        );
        for effect in effects {
            match effect {
                Effect::SetTimer(timer) => drop(self.timers.insert(timer.key.clone(), timer.due)),
                Effect::ClearTimer(key) => drop(self.timers.remove(key)),
                Effect::Call(call) => drop(self.calls.insert(call.number, (**call).clone())),
                Effect::ForgetCall(number) => drop(self.calls.remove(number)),
                Effect::Send { .. } => {}
                Effect::Notify {
                    correlation, note, ..
                } => self.note(correlation, note),
            }
        }
    }
}
