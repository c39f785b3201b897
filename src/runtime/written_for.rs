//! For whom a row is written: its bytes count in the rates of that caller.
//!
//! Not here: the rates (`session::shared_rates`).

use crate::engine::{access::Caller, record::created::Created};

/// For whom a row is written.
#[derive(Clone, Copy)]
pub enum WrittenFor<'a> {
    /// For the caller of a command.
    Caller(&'a Caller),
    /// For no caller, because the instance continues by itself: a loop begins more iterations, a
    /// timer fires, a message arrives, another instance starts it. For the one who started its tree.
    Starter {
        /// The tenant of the instance.
        tenant: &'a str,
        /// The subject that started the root of its tree. Not that of a user if a schedule, a message
        /// or a stranger started it.
        subject: &'a str,
    },
}

impl<'a> WrittenFor<'a> {
    /// For whom the row of a command is written to an instance.
    pub fn of(caller: Option<&'a Caller>, head: &'a Created) -> Self {
        match caller {
            Some(caller) => Self::Caller(caller),
            None => Self::Starter {
                tenant: &head.tenant,
                subject: head.root_started_by(),
            },
        }
    }
}

/// Receives the number of bytes that are written for somebody.
pub type OnWritten = Box<dyn Fn(WrittenFor<'_>, usize) + Send + Sync>;
