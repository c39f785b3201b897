//! Those who read an instance wait here, beside its mailbox: reading is never refused because
//! commands wait, and any number of readers that wait at the same time is served by one observation
//! of the state.
//!
//! Bounded by what may ask: a connection reads an instance once at a time, a request once. Not
//! here: when the actor serves (`instance`), when answers leave (`commit_gate`).

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

/// Somebody who reads an instance.
pub struct Read {
    /// Who asks; `None` for the server itself, which may see everything.
    pub caller: Option<Caller>,
    /// What is asked.
    pub question: ReadRequest,
    /// Where the answer goes, once everything it was computed from is durable.
    pub reply: ReplyTo,
}

/// A read request to an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadRequest {
    /// Its state: [`InstanceResponse::Observed`].
    Observe {
        /// Whether data, view and open messages are wanted too.
        whole: bool,
    },
    /// A file by its id: [`InstanceResponse::File`].
    FindFile(Uuid),
}

/// The readers of one instance that wait.
#[derive(Default)]
pub struct ReadQueue {
    waiting: Mutex<Vec<Read>>,
    /// Looked at after every command, so without the lock.
    has_some: AtomicBool,
}

impl ReadQueue {
    /// Adds a reader; `true` when it is the first that waits, and the actor is to be woken.
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

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        !self.has_some.load(Ordering::SeqCst)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Read>> {
        // Only pushed to and taken from.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The last observation of an instance, for as long as somebody uses it: readers that come before
/// the next command share it.
#[derive(Default)]
pub struct LastObserved(Weak<Observed>);

impl LastObserved {
    fn of(&mut self, memory: &Memory, whole: bool, now: Time) -> Option<Arc<Observed>> {
        let (state, process) = memory.as_ref()?;
        // Between two rows only time passes, and messages are closed by it.
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

/// Answers all readers from one state. The answers may leave once what the state was made of is
/// durable; if that turns out not to be, the readers have to read again.
pub fn answer(
    memory: &Memory,
    reads: Vec<Read>,
    last: &mut LastObserved,
    now: Time,
) -> Vec<(Read, InstanceResponse)> {
    let whole = reads
        .iter()
        .any(|read| read.question == ReadRequest::Observe { whole: true });
    // Held, so that one observation serves all.
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
