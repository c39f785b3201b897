//! Delivers messages between instances: in order per pair, again after a restart, until the receiver has them durably.
//!
//! The truth is the outbox table, written with the sender's row; here is only what is on its way. One letter per pair is
//! under way at a time. Who takes a letter and what it means: `engine::subprocess`.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use dashmap::{DashMap, Entry};

use super::{
    Runtime,
    ask::{Answer, Ask, Envelope, Refusal, Reply, Start},
};
use crate::{
    engine::{Command, command::StartInstance, peer::PeerMessage, rejection::RejectionKind},
    journal::{Entity, OutboxMessage, StoreError, codec},
    model::ids::InstanceKey,
};

/// Before a letter that could not be taken is sent again.
const AGAIN: Duration = Duration::from_millis(50);

/// A message under way.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The sender.
    pub source: InstanceKey,
    /// The sender's record number.
    pub number: u64,
    /// The receiver.
    pub target: InstanceKey,
    /// What it says.
    pub message: Box<PeerMessage>,
}

/// Letters under way, by pair.
#[derive(Default)]
pub struct Outbox {
    pairs: DashMap<(InstanceKey, InstanceKey), VecDeque<Letter>>,
}

impl Outbox {
    /// Takes a letter whose row is durable.
    pub fn post(&self, runtime: &Arc<Runtime>, letter: Letter) {
        match self.pairs.entry((letter.source, letter.target)) {
            Entry::Occupied(mut pair) => pair.get_mut().push_back(letter),
            Entry::Vacant(pair) => {
                pair.insert(VecDeque::from([letter.clone()]));
                deliver(runtime, letter);
            }
        }
    }

    /// Posts what the table holds, after a restart.
    ///
    /// # Errors
    /// A stored message that cannot be read.
    pub fn resume(&self, runtime: &Arc<Runtime>, stored: Vec<OutboxMessage>) -> Result<(), StoreError> {
        for OutboxMessage { source, row } in stored {
            let message: Box<PeerMessage> = codec::decode(&row.body)?;
            self.post(runtime, Letter { source: source.instance(), number: row.seq, target: row.target.instance(), message });
        }
        Ok(())
    }

    /// The letter at the head of its pair is taken: forget it, send the next.
    fn taken(&self, runtime: &Arc<Runtime>, letter: &Letter) {
        runtime.journal.outbox_delivered(Entity::from(letter.source), letter.number);
        let Entry::Occupied(mut pair) = self.pairs.entry((letter.source, letter.target)) else { return };
        pair.get_mut().pop_front();
        match pair.get().front().cloned() {
            None => drop(pair.remove()),
            Some(next) => {
                drop(pair);
                deliver(runtime, next);
            }
        }
    }

    /// Letters under way.
    pub fn len(&self) -> usize {
        self.pairs.iter().map(|pair| pair.value().len()).sum()
    }
}

fn deliver(runtime: &Arc<Runtime>, letter: Letter) {
    let ask = match &*letter.message {
        PeerMessage::Start { .. } => match start(runtime, &letter) {
            Ok(ask) => ask,
            Err(sentence) => return refused(runtime, letter, sentence),
        },
        message => {
            let receive = Command::Receive { from: letter.source, number: letter.number, message: Box::new(message.clone()) };
            Ask::Apply { command: Box::new(receive), tag: None, if_seq: None }
        }
    };
    let target = letter.target;
    let answered = {
        let runtime = runtime.clone();
        Reply::to(move |answer| on_answer(&runtime, letter, answer))
    };
    runtime.dispatch(target, Envelope { caller: None, ask, reply: answered });
}

fn start(runtime: &Runtime, letter: &Letter) -> Result<Ask, String> {
    let PeerMessage::Start { head, start_condition } = &*letter.message else { return Err("the message is no start".to_owned()) };
    let process = runtime
        .definitions
        .published(&head.tenant, &head.process.id)
        .ok_or_else(|| format!("no version of process '{}' is published", head.process.id))?;
    let mut head = (**head).clone();
    head.process = process.reference();
    let command = StartInstance { head, start_condition: start_condition.clone(), schedule: None, link: None };
    Ok(Ask::Start(Box::new(Start { command, process, tag: None })))
}

fn on_answer(runtime: &Arc<Runtime>, letter: Letter, answer: Answer) {
    match answer {
        Answer::Refused(Refusal::Rejected(rejection)) if matches!(*letter.message, PeerMessage::Start { .. }) => {
            refused(runtime, letter, rejection.message);
        }
        Answer::Refused(Refusal::Rejected(rejection)) if rejection.kind != RejectionKind::NotFound => {
            log::warn!("a message from {} to {} was refused and is dropped: {}", letter.source, letter.target, rejection.message);
            runtime.outbox.taken(runtime, &letter);
        }
        Answer::Refused(Refusal::Busy | Refusal::Internal | Refusal::Stale(_)) => {
            let again = runtime.clone();
            runtime.later(AGAIN, move || deliver(&again, letter));
        }
        _ => runtime.outbox.taken(runtime, &letter),
    }
}

/// A child that cannot be started: its parent is told in its stead.
fn refused(runtime: &Arc<Runtime>, letter: Letter, sentence: String) {
    log::warn!("instance {}: its child {} could not be started: {sentence}", letter.source, letter.target);
    let message = Box::new(PeerMessage::StartRefused { message: sentence });
    let receive = Command::Receive { from: letter.target, number: 1, message };
    let ask = Ask::Apply { command: Box::new(receive), tag: None, if_seq: None };
    let (source, answered) = (letter.source, runtime.clone());
    let reply = Reply::to(move |answer| match answer {
        Answer::Refused(Refusal::Busy | Refusal::Internal) => {
            let again = answered.clone();
            answered.later(AGAIN, move || deliver(&again, letter));
        }
        _ => answered.outbox.taken(&answered, &letter),
    });
    runtime.dispatch(source, Envelope { caller: None, ask, reply });
}
