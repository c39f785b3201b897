//! Delivers messages between instances: in order per pair, again after a restart, until the
//! receiver has them durably.
//!
//! The truth is the outbox table, written with the sender's row; here is only what is on its way.
//! One letter per pair is under way at a time, and so many per tree (`delivery_queue`). Who takes a
//! letter and what it means: `engine::subprocess`; what an end means for what is below: `ends`.

pub mod delivery_queue;
mod ends;

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use dashmap::{DashMap, Entry};
use uuid::Uuid;

use super::{
    Runtime,
    ask::{Answer, Ask, Envelope, Refusal, Reply, Start},
    trees::{Tree, TreePlace},
};
use crate::{
    engine::{Command, command::StartInstance, peer::PeerMessage, rejection::RejectionKind},
    journal::{Entity, OutboxMessage, StoreError, StoreReader, codec},
    model::ids::InstanceKey,
};
use delivery_queue::{Next, Pair};

/// Before a letter that could not be taken is sent again.
const AGAIN: Duration = Duration::from_millis(50);

/// A message under way.
#[derive(Clone)]
pub struct Letter {
    /// The sender.
    pub source: InstanceKey,
    /// The sender's record number.
    pub number: u64,
    /// The receiver.
    pub target: InstanceKey,
    /// What it says.
    pub message: Box<PeerMessage>,
    /// The tree of both.
    pub tree: Arc<Tree>,
}

impl Letter {
    /// What keeps it in order: sender and receiver. What an instance has still to start is no reason
    /// to hold up its end, so that has an order of its own.
    fn pair(&self) -> Pair {
        if self.starts_more() {
            return (self.source, InstanceKey(Uuid::nil()));
        }
        (self.source, self.target)
    }

    fn starts_more(&self) -> bool {
        matches!(*self.message, PeerMessage::StartMore { .. })
    }

    /// Whether it leads to instances, of which a tree starts so many in a while.
    fn waits_as_start(&self) -> bool {
        self.is_start() || self.starts_more()
    }

    fn is_start(&self) -> bool {
        matches!(*self.message, PeerMessage::Start { .. })
    }
}

/// A message the table holds, with the root of its tree.
pub struct StoredLetter {
    root: InstanceKey,
    message: OutboxMessage,
}

/// What the table holds.
///
/// # Errors
/// A store that cannot be read.
pub fn stored(reader: &dyn StoreReader) -> Result<Vec<StoredLetter>, StoreError> {
    let with_root = |message: OutboxMessage| {
        let source = message.source.instance();
        Ok(StoredLetter {
            root: reader.instance(source)?.map_or(source, |row| row.root),
            message,
        })
    };
    reader.outbox()?.into_iter().map(with_root).collect()
}

/// Letters under way, by pair.
#[derive(Default)]
pub struct Outbox {
    pairs: DashMap<Pair, VecDeque<Letter>>,
}

impl Outbox {
    /// Takes a letter whose row is durable. The tree counts what it starts.
    pub fn post(&self, runtime: &Arc<Runtime>, letter: Letter) {
        let tree = letter.tree.clone();
        match self.pairs.entry(letter.pair()) {
            Entry::Occupied(mut pair) => return pair.get_mut().push_back(letter),
            Entry::Vacant(pair) => {
                tree.deliveries()
                    .push(letter.pair(), letter.waits_as_start());
                pair.insert(VecDeque::from([letter]));
            }
        }
        pump(runtime, &tree);
    }

    /// Posts what the table holds, after a restart.
    ///
    /// # Errors
    /// A stored message that cannot be read.
    pub fn resume(
        &self,
        runtime: &Arc<Runtime>,
        letters: Vec<(Arc<Tree>, StoredLetter)>,
    ) -> Result<(), StoreError> {
        for (
            tree,
            StoredLetter {
                message: OutboxMessage { source, row },
                ..
            },
        ) in letters
        {
            let message: Box<PeerMessage> = codec::decode(&row.body)?;
            let letter = Letter {
                source: source.instance(),
                number: row.seq,
                target: row.target.instance(),
                message,
                tree: tree.clone(),
            };
            if letter.is_start() {
                tree.grow(1);
            }
            self.post(runtime, letter);
        }
        Ok(())
    }

    /// The letter at the head of its pair is taken: forget it, and let the next ones go.
    fn taken(&self, runtime: &Arc<Runtime>, letter: &Letter) {
        runtime
            .journal
            .outbox_delivered(Entity::from(letter.source), letter.number);
        let next = match self.pairs.entry(letter.pair()) {
            Entry::Vacant(_) => None,
            Entry::Occupied(mut pair) => {
                pair.get_mut().pop_front();
                let next = pair.get().front().map(Letter::waits_as_start);
                if next.is_none() {
                    pair.remove();
                }
                next
            }
        };
        {
            let mut deliveries = letter.tree.deliveries();
            deliveries.done();
            if let Some(is_start) = next {
                deliveries.push(letter.pair(), is_start);
            }
        }
        pump(runtime, &letter.tree);
    }

    fn first(&self, pair: Pair) -> Option<Letter> {
        self.pairs
            .get(&pair)
            .and_then(|letters| letters.front().cloned())
    }

    /// Letters under way.
    pub fn len(&self) -> usize {
        self.pairs.iter().map(|pair| pair.value().len()).sum()
    }
}

impl StoredLetter {
    /// The root of its tree.
    pub fn root(&self) -> InstanceKey {
        self.root
    }
}

/// Lets everything of a tree go whose turn it is.
fn pump(runtime: &Arc<Runtime>, tree: &Arc<Tree>) {
    loop {
        let next = tree
            .deliveries()
            .next(tree.limits(), tree.ends(), Instant::now());
        match next {
            Next::Nothing => return,
            Next::Check(pair) => ends::check(runtime, tree, pair),
            Next::Wait(span) => {
                let (again, tree) = (runtime.clone(), tree.clone());
                return runtime.later(span, move || {
                    tree.deliveries().woken();
                    pump(&again, &tree);
                });
            }
            Next::Deliver(pair, ends) => match runtime.outbox.first(pair) {
                Some(letter) => deliver(runtime, letter, ends),
                None => tree.deliveries().done(),
            },
        }
    }
}

fn deliver(runtime: &Arc<Runtime>, letter: Letter, ends: u64) {
    let ask = match &*letter.message {
        PeerMessage::EndDescendants => return ends::end_descendants(runtime, letter),
        PeerMessage::Start { .. } => match start(runtime, &letter, ends) {
            Ok(ask) => ask,
            Err(sentence) => return not_startable(runtime, letter, sentence),
        },
        message => {
            let receive = Command::Receive {
                from: letter.source,
                number: letter.number,
                message: Box::new(message.clone()),
            };
            Ask::Apply {
                command: Box::new(receive),
                tag: None,
                if_seq: None,
            }
        }
    };
    let target = letter.target;
    let answered = {
        let runtime = runtime.clone();
        Reply::to(move |answer| on_answer(&runtime, letter, answer))
    };
    runtime.dispatch(
        target,
        Envelope {
            caller: None,
            ask,
            reply: answered,
        },
    );
}

fn start(runtime: &Runtime, letter: &Letter, ends: u64) -> Result<Ask, String> {
    let PeerMessage::Start {
        head,
        start_condition,
        command: tag,
    } = &*letter.message
    else {
        return Err("the message is no start".to_owned());
    };
    // A client's start was checked with the version it names.
    let (definitions, id) = (&runtime.definitions, &head.process.id);
    let process = match tag {
        Some(_) => definitions
            .of_instance(&head.tenant, &head.process)
            .ok_or_else(|| format!("version {} of process '{id}' is gone", head.process.version)),
        None => definitions
            .published(&head.tenant, id)
            .ok_or_else(|| format!("no version of process '{id}' is published")),
    }?;
    let mut head = (**head).clone();
    head.process = process.reference();
    let command = StartInstance {
        head,
        start_condition: start_condition.clone(),
        schedule: None,
    };
    let place = Some(TreePlace {
        tree: letter.tree.clone(),
        ends,
        counted: true,
    });
    Ok(Ask::Start(Box::new(Start {
        command,
        process,
        tag: tag.clone(),
        place,
    })))
}

fn on_answer(runtime: &Arc<Runtime>, letter: Letter, answer: Answer) {
    if let Answer::Refused(refusal) = &answer
        && let Some(pause) = refusal.again_after(AGAIN)
    {
        return again(runtime, letter, pause);
    }
    match answer {
        Answer::Refused(Refusal::Rejected(rejection)) if letter.is_start() => {
            not_startable(runtime, letter, rejection.message);
        }
        Answer::Refused(Refusal::Rejected(rejection))
            if rejection.kind != RejectionKind::NotFound =>
        {
            log::warn!(
                "a message from {} to {} was refused and is dropped: {}",
                letter.source,
                letter.target,
                rejection.message
            );
            runtime.outbox.taken(runtime, &letter);
        }
        Answer::Applied(_) => runtime.outbox.taken(runtime, &letter),
        _ => {
            if letter.is_start() {
                // It was started before, and is counted as an instance.
                letter.tree.shrink();
            }
            runtime.outbox.taken(runtime, &letter);
        }
    }
}

/// Sends a letter again after a while: a start is looked at anew, as something above may have ended
/// meanwhile.
fn again(runtime: &Arc<Runtime>, letter: Letter, pause: Duration) {
    let later = runtime.clone();
    runtime.later(pause, move || {
        if letter.waits_as_start() && letter.tree.ends() > 0 {
            ends::check(&later, &letter.tree, letter.pair());
        } else {
            deliver(&later, letter, 0);
        }
    });
}

fn not_startable(runtime: &Arc<Runtime>, letter: Letter, sentence: String) {
    log::warn!(
        "instance {}: its child {} could not be started: {sentence}",
        letter.source,
        letter.target
    );
    instead(
        runtime,
        letter,
        PeerMessage::StartRefused { message: sentence },
    );
}

/// A child is not started: its parent is told this in its stead.
fn instead(runtime: &Arc<Runtime>, letter: Letter, message: PeerMessage) {
    let receive = Command::Receive {
        from: letter.target,
        number: 1,
        message: Box::new(message.clone()),
    };
    let ask = Ask::Apply {
        command: Box::new(receive),
        tag: None,
        if_seq: None,
    };
    let (source, answered) = (letter.source, runtime.clone());
    let reply = Reply::to(move |answer| {
        let pause = match &answer {
            Answer::Refused(refusal) => refusal.again_after(AGAIN),
            _ => None,
        };
        if let Some(pause) = pause {
            let again = answered.clone();
            return answered.later(pause, move || instead(&again, letter, message));
        }
        letter.tree.shrink();
        answered.outbox.taken(&answered, &letter);
    });
    runtime.dispatch(
        source,
        Envelope {
            caller: None,
            ask,
            reply,
        },
    );
}
