//! The queue of an instance's readers, beside its mailbox: a read is never refused because commands
//! wait, and one observation of the state answers all readers that wait at the same time.
//!
//! The queue is bounded by those who may read: a connection reads an instance once at a time, a
//! request once. Not here: when the actor answers readers (`instance`), when the answers leave
//! (`commit_gate`).

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, Weak,
    atomic::{AtomicBool, Ordering},
};

use uuid::Uuid;

use super::{
    decide::{self, Memory},
    instance_request::{InstanceContents, InstanceResponse, Observed, Refusal, ReplyTo},
};
use crate::{
    engine::{Rejection, access::Caller, rejection::RejectionKind},
    meters::meters,
    model::ids::Time,
};

/// A request to read an instance.
pub struct Read {
    /// The reader; `None` for the server itself, which may see everything.
    pub caller: Option<Caller>,
    /// The part to read.
    pub question: ReadRequest,
    /// Receives the response, once everything it was computed from is durable.
    pub reply: ReplyTo,
}

/// A part of an instance to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadRequest {
    /// Its state: [`InstanceResponse::Observed`].
    Observe {
        /// Whether to include data, view and open messages.
        whole: bool,
    },
    /// A file by its id: [`InstanceResponse::File`].
    FindFile(Uuid),
}

/// The waiting readers of one instance.
#[derive(Default)]
pub struct ReadQueue {
    waiting: Mutex<Vec<Read>>,
    /// Checked after every command, so without the lock.
    has_some: AtomicBool,
}

impl ReadQueue {
    /// Adds a reader; `true` when it is the first one waiting, so that the actor has to be woken.
    pub fn push(&self, read: Read) -> bool {
        let mut waiting = self.lock();
        waiting.push(read);
        !self.has_some.swap(true, Ordering::SeqCst)
    }

    /// Takes all readers.
    pub fn take(&self) -> Vec<Read> {
        let mut waiting = self.lock();
        self.has_some.store(false, Ordering::SeqCst);
        std::mem::take(&mut waiting)
    }

    /// Whether no reader waits.
    pub fn is_empty(&self) -> bool {
        !self.has_some.load(Ordering::SeqCst)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Read>> {
        // The list is only pushed to and taken from, so a poisoned lock is safe.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The last observation of an instance, as long as somebody uses it: readers that come before the
/// next command share it.
#[derive(Default)]
pub struct LastObserved(Weak<Observed>);

impl LastObserved {
    fn of(&mut self, memory: &Memory, whole: bool, now: Time) -> Option<Arc<Observed>> {
        let (state, process) = memory.as_ref()?;
        // Between two rows the only change is that messages close as time passes.
        let is_open_the_same =
            |known: &InstanceContents| known.open.len() == state.open(now).count();
        let fits = |observed: &Arc<Observed>| {
            observed.seq == state.seq()
                && (!whole || observed.whole.as_ref().is_some_and(is_open_the_same))
        };
        if let Some(observed) = self.0.upgrade().filter(fits) {
            return Some(observed);
        }
        let observed = Arc::new(decide::observe(state, process, whole, now));
        self.0 = Arc::downgrade(&observed);
        Some(observed)
    }
}

/// Answers all readers from one state. The answers may leave once the rows behind the state are
/// durable; if they were not written, the readers have to read again.
pub fn answer(
    memory: &Memory,
    reads: Vec<Read>,
    last: &mut LastObserved,
    now: Time,
) -> Vec<(Read, InstanceResponse)> {
    let whole = reads
        .iter()
        .any(|read| read.question == ReadRequest::Observe { whole: true });
    // Kept, so that one observation serves all.
    let observed = last.of(memory, whole, now);
    let answer_one = |read: Read| {
        let answer = match decide::visible(memory, read.caller.as_ref()) {
            Err(refusal) => InstanceResponse::Refused(refusal),
            Ok((state, _)) => match (read.question, &observed) {
                (ReadRequest::Observe { .. }, Some(observed)) => {
                    InstanceResponse::Observed(observed.clone())
                }
                (ReadRequest::Observe { .. }, None) => InstanceResponse::Refused(Refusal::Internal),
                (ReadRequest::FindFile(id), _) => match state.files().get(&id) {
                    Some(file) => InstanceResponse::File(Box::new(file.clone())),
                    None => InstanceResponse::Refused(no_such_file().into()),
                },
            },
        };
        meters().command(
            "look",
            if matches!(answer, InstanceResponse::Refused(_)) {
                "refused"
            } else {
                "answered"
            },
        );
        (read, answer)
    };
    reads.into_iter().map(answer_one).collect()
}

fn no_such_file() -> Rejection {
    let sentence = "expected the id of a file of this instance, but there is none with this id";
    Rejection::new(RejectionKind::NotFound, sentence)
}
