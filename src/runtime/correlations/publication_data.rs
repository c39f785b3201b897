//! The data of deliveries: stored once, with their publication, whatever the number of receivers.
//!
//! Not here: who receives a publication (`decide`), how it is delivered (`runtime::outbox`).

use std::{borrow::Cow, sync::Arc};

use serde_json::Value;

use super::record::{CorrelationRecord, CorrelationRow};
use crate::{
    engine::{correlation::EventDelivery, instance_message::InstanceMessage},
    journal::{Entity, StoreError, StoreReader, codec},
};

/// A delivery is stored without its data, which are in the row of its publication: one copy for
/// all.
pub(super) fn stored_form(message: &InstanceMessage) -> Cow<'_, InstanceMessage> {
    match message {
        InstanceMessage::Delivery(delivery) => {
            Cow::Owned(InstanceMessage::Delivery(EventDelivery {
                data: Arc::default(),
                ..delivery.clone()
            }))
        }
        message => Cow::Borrowed(message),
    }
}

/// Adds the data to a delivery: those of this publication of its source.
///
/// # Errors
/// A store that cannot be read, or without that publication.
pub fn read_data(
    reader: &dyn StoreReader,
    source: Entity,
    publication: u64,
) -> Result<Arc<Value>, StoreError> {
    let rows = reader.rows(source, publication.saturating_sub(1), 1)?;
    for stored in rows {
        let row: CorrelationRow = codec::decode(&stored.row.body)?;
        let mut records = (row.first_seq..).zip(row.records);
        if let Some((_, CorrelationRecord::Published { data, .. })) =
            records.find(|(number, _)| *number == publication)
        {
            return Ok(data);
        }
    }
    Err(StoreError::Unreadable(format!(
        "the data of publication {publication} of {} are missing",
        source.key
    )))
}
