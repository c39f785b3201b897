//! The schemas of the data of actions, sent to a client that has requested them in its `hello`:
//! each one once, before the first frame that names it.
//!
//! Not here: how the schemas are made (`model::input_schema`).
//!
//! # Rationale
//!
//! **Schemas of actions are sent by name, to clients that ask for them.** Frames are rendered once
//! for all receivers with the same permissions, so they can only name a schema. Its name is a hash
//! of its content, and each connection remembers which schemas it has sent.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use bytestring::ByteString;

use super::{
    outgoing::Out,
    protocol::server::{Schemas, ServerFrame},
};
use crate::{
    engine::{
        access::Caller,
        next_step::{NextStep, Offer},
        permissions::Permissions,
    },
    limits,
    model::{executable::ExecutableProcess, input_schema::InputSchema},
    runtime::instance_request::{Committed, Observed},
};

/// The schemas that a connection has sent.
#[derive(Default)]
pub(super) struct SentSchemas {
    sent: HashSet<String>,
}

impl SentSchemas {
    /// For a client that wants schemas; `None` for another.
    pub(super) fn wanted(wanted: bool) -> Option<Self> {
        wanted.then(Self::default)
    }

    /// The frame with those of the schemas that have not been sent. To be called when it is their
    /// turn in the outgoing order, because earlier entries may send some of them.
    pub(super) fn frame(&mut self, inputs: &[Arc<InputSchema>]) -> Option<ByteString> {
        let mut schemas = BTreeMap::new();
        for input in inputs {
            // After this many schemas, all are sent again.
            if self.sent.len() >= limits::SCHEMAS_REMEMBERED {
                self.sent.clear();
            }
            if self.sent.insert(input.name.clone()) {
                schemas.insert(input.name.as_str(), &input.schema);
            }
        }
        (!schemas.is_empty()).then(|| Schemas { schemas: &schemas }.text())
    }
}

/// The schemas to send before this row.
pub(super) fn before_row(
    sent: Option<&SentSchemas>,
    row: &Committed,
    caller: &Caller,
) -> Option<Out> {
    sent?;
    offered(&row.process.executable, &row.next, &row.permissions(caller))
}

/// The schemas to send before this observation.
pub(super) fn before_read(
    sent: Option<&SentSchemas>,
    observed: &Observed,
    caller: &Caller,
) -> Option<Out> {
    sent?;
    let permissions = observed.permissions(caller);
    offered(&observed.process.executable, &observed.next, &permissions)
}

fn offered(process: &ExecutableProcess, next: &NextStep, permissions: &Permissions) -> Option<Out> {
    let input = |(index, offer): (usize, &Offer)| {
        let action = process.node(&offer.node)?.action(&offer.action)?;
        let input = action.keys.input_schema()?;
        permissions.offer(next, index).then(|| input.clone())
    };
    let inputs: Vec<_> = next.offers.iter().enumerate().filter_map(input).collect();
    (!inputs.is_empty()).then_some(Out::Schemas(inputs))
}
