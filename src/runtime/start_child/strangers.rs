//! Starts by somebody who is no user: how many such instances one origin may have live, and when
//! they end.
//!
//! How many are live is asked of the store with each start, so it is right after a restart, and
//! whatever instances end by. Starts that are in progress at that moment are not seen: as many as
//! the rate of starts lets through at once may be more than the limit. Not here: that rate
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

/// What holds for a start by somebody who is no user. By default nothing does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stranger {
    /// Where it comes from, as a keyed hash of its address; `None` where that is not known.
    pub origin: Option<Uuid>,
    /// How many instances of that origin may be live; 0 = no limit.
    pub most: usize,
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
    /// Sends a start, if there is room for another instance of its origin.
    pub(super) fn dispatch_start(
        self: &Arc<Self>,
        key: InstanceKey,
        envelope: Envelope,
        stranger: Stranger,
    ) {
        let Some(origin) = stranger.origin.filter(|_| stranger.most > 0) else {
            return self.dispatch(key, envelope);
        };
        let runtime = self.clone();
        self.journal.read_then(
            move |reader| has_room(reader, key, origin, stranger.most),
            move |read| match read {
                Ok(true) => runtime.dispatch(key, envelope),
                Ok(false) => {
                    Limit::AnonymousInstances.refused();
                    envelope.reply.refuse(Refusal::TooManyLive(stranger.most));
                }
                Err(error) => {
                    log::error!("the live instances of an origin cannot be counted: {error}");
                    envelope.reply.refuse(Refusal::Internal);
                }
            },
        );
    }
}

/// Whether another instance may be live, or the one that is started is there already: then this is
/// a repeat.
fn has_room(
    reader: &dyn StoreReader,
    key: InstanceKey,
    origin: Uuid,
    most: usize,
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
    Ok(reader.count(&live, most)? < most as u64 || reader.exists(Entity::from(key))?)
}
