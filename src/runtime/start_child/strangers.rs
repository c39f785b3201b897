//! Starts by strangers (clients without a user's token): how many live instances an origin may
//! have, and when they expire.
//!
//! The number of live instances is read from the store at each start, so it is correct after a
//! restart, and however instances end. Starts in progress are not included, so the limit may be
//! exceeded by as many as the rate of starts admits at once. Not here: that rate
//! (`session::shared_rates`).

use std::{sync::Arc, time::Duration};

use uuid::Uuid;

use crate::{
    engine::record::Status,
    journal::{Entity, InstanceFilter, StoreError, StoreReader},
    limits::Limit,
    model::ids::{InstanceKey, Time},
    runtime::{
        Runtime,
        instance_request::{Envelope, Refusal},
    },
};

/// The conditions of a start by a stranger. By default there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stranger {
    /// The origin, as a keyed hash of its address; `None` if it is not known.
    pub origin: Option<Uuid>,
    /// How many instances of that origin may be live; 0 = no limit.
    pub maximum: usize,
    /// When the instance ends, unless its process has an expiry.
    pub expiry: Option<Duration>,
}

impl Stranger {
    pub(super) fn expires_at(&self, now: Time) -> Option<Time> {
        let millis = i64::try_from(self.expiry?.as_millis()).unwrap_or(i64::MAX);
        Some(Time(now.0.saturating_add(millis)))
    }
}

impl Runtime {
    /// Sends a start, if another instance of its origin may be live.
    pub(super) fn dispatch_start(
        self: &Arc<Self>,
        key: InstanceKey,
        envelope: Envelope,
        stranger: Stranger,
    ) {
        let Some(origin) = stranger.origin.filter(|_| stranger.maximum > 0) else {
            return self.dispatch(key, envelope);
        };
        let runtime = self.clone();
        self.journal.read_then(
            move |reader| has_room(reader, key, origin, stranger.maximum),
            move |read| match read {
                Ok(true) => runtime.dispatch(key, envelope),
                Ok(false) => {
                    Limit::AnonymousInstances.refused();
                    envelope
                        .reply
                        .refuse(Refusal::TooManyLive(stranger.maximum));
                }
                Err(error) => {
                    log::error!("the live instances of an origin cannot be counted: {error}");
                    envelope.reply.refuse(Refusal::Internal);
                }
            },
        );
    }
}

/// Whether another instance may be live, or the started one exists already, so that this is a
/// repeat.
fn has_room(
    reader: &dyn StoreReader,
    key: InstanceKey,
    origin: Uuid,
    maximum: usize,
) -> Result<bool, StoreError> {
    let live = InstanceFilter {
        origin: Some(origin),
        statuses: Status::ALL
            .iter()
            .filter(|status| status.is_live())
            .map(|status| status.name().to_owned())
            .collect(),
        ..InstanceFilter::default()
    };
    Ok(reader.count(&live, maximum)? < maximum as u64 || reader.exists(Entity::from(key))?)
}
