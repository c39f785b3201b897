//! Properties of every process and every command: random definitions × random commands, checked
//! after each step.
//!
//! The checks are in [`Subject`] and [`super::invariants`], which every text case runs through as
//! well. The seed is fixed, so that a run is the same everywhere; `PROPTEST_RNG_SEED` and
//! `PROPTEST_CASES` set other seeds and numbers.
//!
//! A new command is added as a variant of [`Move`], generated in `random_process::commands` and
//! applied in `Run::one`; a new field or element kind in `random_process::action` or `block`; its
//! invariants in `invariants`.

mod received;

use std::cell::RefCell;

use proptest::{
    strategy::Strategy,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Map, Value, json};
use stepwire::{
    engine::{
        Command,
        access::Caller,
        command::{RunAction, StartInstance, TakeMessage, TimerKey},
        correlation::{Correlation, EventDelivery},
        instance_message::InstanceMessage,
        record::{Status, StoredFile, Subscription},
    },
    model::{
        action::MessageType,
        ids::{ElementKey, InstanceKey, Time},
    },
};
use uuid::Uuid;

use super::{
    random_process::{Move, commands, sketch},
    script::call_answer,
    sketch,
    subject::{self, OWN, PARENT, Subject, compiled, starter, stranger, user},
};

const CASES: u32 = 900;
/// The number of commands after the end of an instance.
const AFTER_END: usize = 4;
/// The maximum encoded bytes of an instance, besides its active elements and those kept for
/// compensation: more than the data, definition and live children of such a run need, and less than
/// dropped elements, merges or messages would take.
const STATE_BYTES: usize = 8 * 1024;
/// The further bytes of an active element, or of one kept for compensation: nested loops have many.
const ELEMENT_BYTES: usize = 128;

#[derive(Default, Debug)]
struct Counts {
    processes: u32,
    steps: u32,
    refused: u32,
    without_effect: u32,
    back: u32,
    incidents: u32,
    finished: u32,
    largest: usize,
}

#[test]
fn random_processes_and_commands() {
    let asked = Config::default();
    let cases = std::env::var_os("PROPTEST_CASES").map_or(CASES, |_| asked.cases);
    let config = Config {
        cases,
        failure_persistence: None,
        ..asked
    };
    let mut runner = match std::env::var_os("PROPTEST_RNG_SEED") {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    let counts = RefCell::new(Counts::default());
    let strategy = (sketch(), commands()).prop_map(|(sketch, moves)| Case { sketch, moves });
    let result = runner.run(&strategy, |case| {
        let subject = Subject::new(compiled(sketch::definition(&case.sketch)));
        let mut run = Run {
            subject,
            caller: None,
            counts: &counts,
        };
        run.all(&case.moves);
        Ok(())
    });
    println!("{:?}", counts.borrow());
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(
        counts.borrow().steps >= 10_000 || std::env::var_os("PROPTEST_CASES").is_some(),
        "too few steps"
    );
}

struct Case {
    sketch: String,
    moves: Vec<Move>,
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}---\n{:#?}", self.sketch, self.moves)
    }
}

struct Run<'a> {
    subject: Subject,
    /// The sender of the commands; `None` is the server, which may do everything except have a
    /// task.
    caller: Option<Caller>,
    counts: &'a RefCell<Counts>,
}

impl Run<'_> {
    fn all(&mut self, moves: &[Move]) {
        self.subject.limits.elements_per_command = 40;
        // A process that triggers itself by signals would grow up to the limit.
        self.subject.limits.active_elements = 300;
        self.subject.limits.calls = 4;
        self.subject.limits.open_messages = 8;
        // Every other instance is a child, so that messages to the parent have a receiver.
        let parent = moves
            .len()
            .is_multiple_of(2)
            .then(|| subject::parent_link(1, true, true));
        let mut head = self.subject.head(json!({"n": 1, "x": {"y": 1}}), parent);
        let event = self.subject.process.event_starts().next();
        head.correlation = event.as_ref().and_then(|(_, _, event)| {
            let name = event.message()?.into();
            Some(Correlation::Message { name, key: None })
        });
        let start = StartInstance {
            trace: None,
            head,
            start_condition: None,
            start_event: event.map(|(_, event, _)| event),
        };
        self.subject
            .start(start, None)
            .expect("a process without start keys takes every object");
        self.counts.borrow_mut().processes += 1;
        let mut after_end = 0;
        for (index, step) in moves.iter().enumerate() {
            self.one(step);
            after_end += usize::from(!self.subject.state().status().is_live());
            if after_end > AFTER_END {
                break;
            }
            if index % 8 == 0 {
                self.subject
                    .check_replay(Some((index * 7) % self.subject.rows.len()));
            }
        }
        self.subject.check_replay(None);
        let finished = self.subject.state().status() == Status::Finished;
        self.counts.borrow_mut().finished += u32::from(finished);
    }

    fn one(&mut self, step: &Move) {
        match step {
            Move::Offer(index, payload) => {
                let offers = self.subject.next().offers;
                match pick(&offers, *index) {
                    Some(offer) => {
                        self.counts.borrow_mut().back += u32::from(offer.back);
                        self.run(&offer.action, Some(offer.element), payload);
                    }
                    None => self.wait(30),
                }
            }
            Move::Any(name, element, payload) => {
                let name = format!("a{}", name % 6);
                let element = (element % 3 > 0).then_some(ElementKey(*element));
                self.run(&name, element, payload);
            }
            Move::Wait(seconds) => self.wait(*seconds),
            Move::Stale(index, occurrence) => {
                let elements: Vec<ElementKey> =
                    self.subject.state().active().map(|(key, _)| key).collect();
                let element = pick(&elements, *index).copied().unwrap_or(ElementKey(0));
                let action = format!("a{}", index % 5);
                let timer = TimerKey::action(element, &action, *occurrence);
                // Only timers that are not set are stale.
                if !self.subject.timers.contains_key(&timer) {
                    let rows = self.subject.rows.len();
                    self.apply(Command::FireTimer(timer));
                    assert_eq!(
                        rows,
                        self.subject.rows.len(),
                        "a stale timer leaves nothing"
                    );
                }
            }
            Move::Receive(peer, what, again, payload) => {
                self.receive(*peer, *what, *again, payload)
            }
            Move::Answer(call, what, payload) => {
                let open: Vec<u64> = self.subject.calls.keys().copied().collect();
                // Some responses have no waiting call.
                let number = pick(&open, *call)
                    .copied()
                    .filter(|_| *what > 0)
                    .unwrap_or(*call as u64 % 60);
                let words: &[&str] = match what {
                    1 => &["failed"],
                    2 => &["unreadable"],
                    _ => &["200", payload],
                };
                self.apply(Command::TakeAnswer {
                    number,
                    answer: Box::new(call_answer(words)),
                    trace: None,
                });
                assert!(
                    self.subject
                        .calls
                        .get(&number)
                        .is_none_or(|call| call.action.is_none()),
                    "an answer ends its call"
                );
            }
            Move::Retry(index) => {
                let stuck = self.stuck();
                match pick(&stuck, *index) {
                    Some(&element) => self.apply(Command::Retry { element }),
                    None if index.is_multiple_of(8) => self.apply(Command::Retry {
                        element: ElementKey(*index as u64 % 40),
                    }),
                    None => {}
                }
            }
            Move::Skip(index) => {
                let stuck = self.stuck();
                if let Some(&element) = pick(&stuck, *index) {
                    self.apply(Command::Skip { element });
                }
            }
            Move::Token(token, node) => {
                let tokens = self.subject.next().tokens;
                let to = pick(self.subject.process.nodes(), *node).map(|node| node.id.to_string());
                if let Some((token, to)) = pick(&tokens, *token).zip(to) {
                    let element = token.element;
                    self.apply(Command::MoveToken { element, to });
                }
            }
            Move::Life(dice) => self.apply(match dice % 16 {
                0 => Command::Dismiss,
                2 if !self.subject.state().status().is_live() => Command::Terminate,
                1 => Command::EndWithAncestor,
                dice if dice % 3 == 0 => Command::Hold,
                _ => Command::Unhold,
            }),
            Move::Deliver(index, again, payload) => self.deliver(*index, *again, payload),
            Move::Message(key, payload) => self.apply(Command::TakeMessage(TakeMessage {
                name: "m".to_owned(),
                correlation_key: (key % 3 == 0).then(|| (key % 4).to_string()),
                data: object(payload),
            })),
            Move::Task(index, what) => {
                let elements: Vec<ElementKey> =
                    self.subject.state().active().map(|(key, _)| key).collect();
                let element = pick(&elements, *index)
                    .copied()
                    .unwrap_or(ElementKey(*index as u64 % 40));
                self.apply(match what % 4 {
                    0 | 1 => Command::Claim { element },
                    2 => Command::Release { element },
                    _ => Command::Assign {
                        element,
                        user: "bob".to_owned(),
                    },
                });
            }
            Move::As(dice) => {
                self.caller = match dice % 12 {
                    0..7 => None,
                    7 | 8 => Some(starter()),
                    9 => Some(user("bob", &["clerk"])),
                    10 => Some(user("carl", &["chief", "auditor"])),
                    _ => Some(user("olga", &["operator"])),
                }
            }
            Move::Done(seq) => {
                let open: Vec<u64> = self
                    .subject
                    .state()
                    .open(self.subject.now)
                    .map(|(seq, _)| seq)
                    .collect();
                let seq = pick(&open, *seq as usize).copied().unwrap_or(*seq);
                self.apply(Command::CloseOffer { seq });
            }
            Move::Patch(index, payload) => {
                let elements: Vec<ElementKey> =
                    self.subject.state().active().map(|(key, _)| key).collect();
                let scope = pick(&elements, index / 2).filter(|_| index % 2 == 0);
                self.apply(Command::Patch {
                    scope: scope.copied(),
                    data: serde_json::from_str(payload).expect("payloads are JSON"),
                });
            }
            Move::Terminate => self.apply(Command::Terminate),
        }
    }

    fn run(&mut self, action: &str, element: Option<ElementKey>, payload: &str) {
        let data: Value = serde_json::from_str(payload).expect("payloads are JSON");
        // Independently of whether the action accepts one.
        let file = payload.contains("odd").then(paper);
        self.apply(Command::Run(RunAction {
            action: action.to_owned(),
            element,
            data,
            file,
        }));
    }

    fn wait(&mut self, seconds: i64) {
        let until = Time(self.subject.now.0 + seconds * 1000);
        while let Some(timer) = self.subject.next_due(until) {
            self.apply(Command::FireTimer(timer));
        }
        // The messages of the instance to itself arrive: loops continue.
        let open: Vec<ElementKey> = self
            .subject
            .state()
            .active()
            .filter(|(_, element)| element.looping().is_some_and(|looping| looping.open() > 0))
            .map(|(key, _)| key)
            .collect();
        for element in open {
            self.apply(Command::Receive {
                trace: None,
                from: OWN,
                number: 0,
                message: Box::new(InstanceMessage::StartMore { element, turn: 1 }),
            });
        }
    }

    /// The elements with an incident.
    fn stuck(&self) -> Vec<ElementKey> {
        let tokens = self.subject.next().tokens.into_iter();
        let stuck = tokens.filter(|token| token.incident.is_some());
        stuck.map(|token| token.element).collect()
    }

    fn apply(&mut self, command: Command) {
        let by_server = matches!(
            command,
            Command::FireTimer(_)
                | Command::Receive { .. }
                | Command::TakeAnswer { .. }
                | Command::Deliver(_)
        );
        let caller = self.caller.clone().filter(|_| !by_server);
        let result = self.subject.apply(command, caller.as_ref());
        let mut counts = self.counts.borrow_mut();
        counts.steps += 1;
        match result {
            Err(_) => counts.refused += 1,
            Ok(outcome) if outcome.row.is_none() => counts.without_effect += 1,
            Ok(_) => {}
        }
        let size = self.subject.size();
        let state = self.subject.state();
        let scopes = state.active().map(|(key, _)| Some(key)).chain([None]);
        let remembered =
            scopes.filter_map(|scope| Some(state.scope(scope)?.remembered_nodes().len()));
        let elements = state.active().count() + remembered.sum::<usize>();
        let maximum = STATE_BYTES + ELEMENT_BYTES * elements + state.owned_bytes();
        assert!(
            size < maximum,
            "{size} bytes are too much: {:#?}",
            self.subject.state()
        );
        counts.largest = counts.largest.max(size);
        counts.incidents += u32::from(
            self.subject
                .next()
                .tokens
                .iter()
                .any(|token| token.incident.is_some()),
        );
    }
}

fn paper() -> StoredFile {
    let (name, media_type, sha256) = (
        "paper.txt".to_owned(),
        "text/plain".to_owned(),
        "00".repeat(32),
    );
    StoredFile {
        id: Uuid::from_u128(7),
        name,
        size: 3,
        media_type,
        sha256,
    }
}

/// The data of a message.
fn object(payload: &str) -> Value {
    let body: Value = serde_json::from_str(payload).expect("payloads are JSON");
    if body.is_object() {
        body
    } else {
        json!({"list": body})
    }
}

fn pick<T>(of: &[T], index: usize) -> Option<&T> {
    if of.is_empty() {
        None
    } else {
        of.get(index % of.len())
    }
}
