//! Answers a command that was applied before. The answer is not stored twice: it is the fold of the
//! log up to its row, which a live instance keeps and an ended one keeps for a day.

use std::sync::Arc;

use super::{
    Runtime, decide,
    instance_request::{Committed, InstanceResponse, Refusal, ReplyTo},
};
use crate::{
    engine::{InstanceState, RecordBatch, record::CommandTag},
    journal::{Entity, StoreError, StoreReader, codec},
    model::ids::InstanceKey,
};

/// Answers again what the row beginning with `first_seq` answered.
pub(super) fn answer_again(
    runtime: &Arc<Runtime>,
    key: InstanceKey,
    first_seq: u64,
    reply: ReplyTo,
) {
    let definitions = runtime.clone();
    runtime.journal.read_then(
        move |reader| {
            let rows = rows_until(reader, key, |row| row.first_seq == first_seq)?;
            then(&definitions, reader, rows)
        },
        move |answer| match answer {
            Ok(Some(committed)) => reply.send(InstanceResponse::Duplicate(Arc::new(committed))),
            Ok(None) => reply.refuse(Refusal::Internal),
            Err(error) => {
                log::error!(
                    "instance {key}: the answer of an earlier command cannot be read: {error}"
                );
                reply.refuse(Refusal::Internal);
            }
        },
    );
}

/// Searches the log for a command whose id may have been used long ago.
pub(super) fn look_up(runtime: &Arc<Runtime>, key: InstanceKey, tag: CommandTag, reply: ReplyTo) {
    let definitions = runtime.clone();
    let wanted = tag.clone();
    let same = move |row: &RecordBatch| {
        row.command
            .as_ref()
            .is_some_and(|known| known.id == wanted.id && known.subject == wanted.subject)
    };
    runtime.journal.read_then(
        move |reader| {
            let rows = rows_until(reader, key, same)?;
            then(&definitions, reader, rows)
        },
        move |answer| match answer {
            Ok(Some(committed))
                if committed
                    .row
                    .command
                    .as_ref()
                    .is_some_and(|known| known.hash == tag.hash) =>
            {
                reply.send(InstanceResponse::Duplicate(Arc::new(committed)));
            }
            Ok(Some(_)) => reply.refuse(decide::id_reused().into()),
            // A fingerprint that only looked alike; a new id, drawn by the client, decides.
            Ok(None) | Err(_) => reply.refuse(Refusal::Internal),
        },
    );
}

/// All rows up to and including the first that fits; none when no row fits.
fn rows_until(
    reader: &dyn StoreReader,
    key: InstanceKey,
    fits: impl Fn(&RecordBatch) -> bool,
) -> Result<Vec<RecordBatch>, StoreError> {
    let mut rows = Vec::new();
    for stored in reader.rows(Entity::from(key), 0, usize::MAX)? {
        let row: RecordBatch = codec::decode(&stored.row.body)?;
        let found = fits(&row);
        rows.push(row);
        if found {
            return Ok(rows);
        }
    }
    Ok(Vec::new())
}

/// Where the instance stood after the last of these rows.
fn then(
    runtime: &Runtime,
    reader: &dyn StoreReader,
    rows: Vec<RecordBatch>,
) -> Result<Option<Committed>, StoreError> {
    let Some(state) = InstanceState::replay(None, &rows) else {
        return Ok(None);
    };
    let head = state.head();
    let definitions = &runtime.definitions;
    let process = definitions.load_of_instance(reader, &head.tenant, &head.process)?;
    let (Some(process), Some(row)) = (process, rows.into_iter().next_back()) else {
        return Ok(None);
    };
    Ok(Some(Committed {
        row,
        ..decide::standing(&state, &process)
    }))
}
