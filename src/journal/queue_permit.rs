//! The answer when no permit of the bounded writer queue is free. A permit is taken before a row
//! exists, and kept until its release has run: it bounds the whole path (queue, batch in flight,
//! commit gate), not just the queue. The permits themselves: [`Pot`](crate::limits::Pot).

use std::{error::Error, fmt};

/// No permit is free: try again soon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Busy;

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "expected a free place in the writer's queue, but all are taken: try again soon",
        )
    }
}

impl Error for Busy {}
