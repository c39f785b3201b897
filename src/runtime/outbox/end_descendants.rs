//! The effects of an instance's end, other than by finishing, on the instances below it (also when
//! it is terminated after it has finished): nothing starts there any more, live instances end on
//! every level, and finished ones close the Action messages they left open.
//!
//! The message that causes this stays in the outbox until everything below has ended, so it
//! continues after a restart. Instances end level by level, the upper ones first: otherwise one
//! above would take the end of its subprocess for a failure, and act on it.
//!
//! # Rationale
//!
//! **An end reaches everything below by one message of the ended instance to itself.** Its delivery
//! finds the live descendants in the read models, and finished ones that left Action messages open,
//! and ends them, the upper ones first. If each level ended the next one through the outbox, a tree
//! could grow faster than it ends. A start checks whether an instance above has ended, but only in
//! trees in which one has.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{AGAIN, OutboxDelivery, delivery_queue::Pair, pump};
use crate::{
    engine::{Command, instance_message::InstanceMessage},
    limits::TREE_ENDS,
    model::ids::InstanceKey,
    runtime::{
        Runtime,
        idle_tracker::InProgress,
        instance_request::{Envelope, InstanceRequest, InstanceResponse, ReplyTo},
        trees::{Tree, descendants_to_end, ended_at_or_above},
    },
};

/// How often an instance whose steps fail is asked to end, before the instances below it are ended.
const TRIES: u32 = 10;
/// The pause before the next search, when no instance could be ended.
const PAUSE: Duration = Duration::from_secs(5);

/// Drops a start if an instance above it has ended other than by finishing; otherwise lets it
/// continue.
pub(super) fn check(runtime: &Arc<Runtime>, tree: &Arc<Tree>, pair: Pair) {
    let (ends, active) = (tree.ends(), runtime.active());
    let (runtime, tree) = (runtime.clone(), tree.clone());
    let journal = runtime.journal.clone();
    journal.read_then(
        move |reader| ended_at_or_above(reader, pair.0),
        move |ended| {
            match ended {
                Ok(None) => tree.deliveries().checked(pair, ends),
                Ok(Some(_)) => match runtime.outbox.first(pair) {
                    Some(delivery) if !delivery.is_start() => {
                        runtime.outbox.taken(&runtime, &delivery)
                    }
                    Some(delivery) => {
                        super::instead(&runtime, delivery, InstanceMessage::StartDropped)
                    }
                    None => tree.deliveries().done(),
                },
                Err(error) => {
                    log::error!("instances above {} cannot be read: {error}", pair.0);
                    tree.deliveries().done();
                    let (again, tree) = (runtime.clone(), tree.clone());
                    runtime.later(AGAIN, move || {
                        tree.deliveries().push(pair, true);
                        pump(&again, &tree);
                    });
                }
            }
            pump(&runtime, &tree);
            drop(active);
        },
    );
}

/// Ends everything below the sender of this message, then completes the message.
pub(super) fn end_descendants(runtime: &Arc<Runtime>, delivery: OutboxDelivery) {
    let active = runtime.active();
    let (root, top, reading) = (
        delivery.tree.root(),
        delivery.source.instance(),
        runtime.clone(),
    );
    runtime.journal.read_then(
        move |reader| descendants_to_end(reader, root, top),
        move |levels| match levels {
            Ok(levels) if levels.is_empty() => reading.outbox.taken(&reading, &delivery),
            Ok(levels) => {
                let levels = levels.into_iter().map(VecDeque::from).collect();
                let ending = Ending {
                    levels,
                    under_way: 0,
                    ended: false,
                    then: Some((delivery, active)),
                };
                run_next(&reading, &Arc::new(Mutex::new(ending)));
            }
            Err(error) => {
                log::error!("instances below {top} cannot be read: {error}");
                let again = reading.clone();
                reading.later(AGAIN, move || end_descendants(&again, delivery));
            }
        },
    );
}

/// The instances that still have to end.
struct Ending {
    levels: VecDeque<VecDeque<InstanceKey>>,
    under_way: usize,
    /// Whether any could be ended.
    ended: bool,
    then: Option<(OutboxDelivery, Option<InProgress>)>,
}

enum EndStep {
    End(InstanceKey),
    Read(OutboxDelivery),
    ReadLater(OutboxDelivery),
    Wait,
}

impl Ending {
    fn next(&mut self) -> EndStep {
        while let Some(level) = self.levels.front_mut() {
            if self.under_way >= TREE_ENDS {
                return EndStep::Wait;
            }
            if let Some(key) = level.pop_front() {
                self.under_way += 1;
                return EndStep::End(key);
            }
            if self.under_way > 0 {
                return EndStep::Wait;
            }
            self.levels.pop_front();
        }
        let done = if self.ended {
            EndStep::Read
        } else {
            EndStep::ReadLater
        };
        self.then
            .take()
            .map_or(EndStep::Wait, |(delivery, _)| done(delivery))
    }
}

fn run_next(runtime: &Arc<Runtime>, ending: &Arc<Mutex<Ending>>) {
    loop {
        let step = ending.lock().unwrap_or_else(PoisonError::into_inner).next();
        match step {
            EndStep::End(key) => end(runtime, ending.clone(), key, TRIES),
            EndStep::Wait => return,
            EndStep::ReadLater(delivery) => {
                log::error!(
                    "what is live below instance {} cannot be ended yet: it cannot be read",
                    delivery.source.key
                );
                let again = runtime.clone();
                return runtime.later(PAUSE, move || end_descendants(&again, delivery));
            }
            EndStep::Read(delivery) => {
                // Instances that were started right before the end are in the store by then.
                let (again, active) = (runtime.clone(), runtime.active());
                return runtime.pass_the_queue(move || {
                    end_descendants(&again, delivery);
                    drop(active);
                });
            }
        }
    }
}

fn end(runtime: &Arc<Runtime>, ending: Arc<Mutex<Ending>>, key: InstanceKey, tries: u32) {
    let request = InstanceRequest::Apply {
        command: Box::new(Command::EndWithAncestor),
        tag: None,
        if_seq: None,
    };
    let answered = runtime.clone();
    let reply = ReplyTo::to(move |answer| {
        if let InstanceResponse::Refused(refusal) = &answer
            && tries > 0
            && let Some(pause) = refusal.again_after(AGAIN)
        {
            let left = tries - u32::from(refusal.is_breakage());
            let again = answered.clone();
            return answered.later(pause, move || end(&again, ending, key, left));
        }
        {
            let mut ending = ending.lock().unwrap_or_else(PoisonError::into_inner);
            ending.under_way -= 1;
            ending.ended |= !matches!(answer, InstanceResponse::Refused(_));
        }
        run_next(&answered, &ending);
    });
    runtime.dispatch(
        key,
        Envelope {
            caller: None,
            request,
            reply,
        },
    );
}
