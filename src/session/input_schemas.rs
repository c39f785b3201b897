//! The schemas of the data of actions, sent to a client that has requested them in its `hello`:
//! each once, before the first frame that names it.
//!
//! Not here: what the schemas are made of (`model::input_schema`).
//!
//! # Why so
//!
//! **Schemas of actions are sent by name, to those who ask.** Frames are rendered once for all
//! who may do the same, so they can only name a schema; its name is a hash of its content, and
//! each connection remembers which it has sent.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use bytestring::ByteString;

use super::{
    connection::Out,
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

/// Which schemas a connection has been sent.
#[derive(Default)]
pub(super) struct ToldSchemas {
    told: HashSet<String>,
}

impl ToldSchemas {
    /// For a client that wants them; `None` for one that does not.
    pub(super) fn wanted(wanted: bool) -> Option<Self> {
        wanted.then(Self::default)
    }

    /// The frame with those of the schemas that have not been sent. Asked when its turn to be
    /// sent has come, as what precedes it in the outgoing order may tell some of them.
    pub(super) fn frame(&mut self, inputs: &[Arc<InputSchema>]) -> Option<ByteString> {
        let mut schemas = BTreeMap::new();
        for input in inputs {
            // A connection that was sent so many is sent them again.
            if self.told.len() >= limits::SCHEMAS_TOLD {
                self.told.clear();
            }
            if self.told.insert(input.name.clone()) {
                schemas.insert(input.name.as_str(), &input.schema);
            }
        }
        (!schemas.is_empty()).then(|| Schemas { schemas: &schemas }.text())
    }
}

/// What a client has to know before it is sent this row.
pub(super) fn before_row(
    told: Option<&ToldSchemas>,
    row: &Committed,
    caller: &Caller,
) -> Option<Out> {
    told?;
    offered(&row.process.executable, &row.next, &row.standpoint(caller))
}

/// What a client has to know before it learns what was found by a look.
pub(super) fn before_look(
    told: Option<&ToldSchemas>,
    observed: &Observed,
    caller: &Caller,
) -> Option<Out> {
    told?;
    let standpoint = observed.standpoint(caller);
    offered(&observed.process.executable, &observed.next, &standpoint)
}

fn offered(process: &ExecutableProcess, next: &NextStep, standpoint: &Permissions) -> Option<Out> {
    let input = |(index, offer): (usize, &Offer)| {
        let action = process.node(&offer.node)?.action(&offer.action)?;
        let input = action.keys.input_schema()?;
        standpoint.offer(next, index).then(|| input.clone())
    };
    let inputs: Vec<_> = next.offers.iter().enumerate().filter_map(input).collect();
    (!inputs.is_empty()).then_some(Out::Schemas(inputs))
}
