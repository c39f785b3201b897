//! Answers a command that was applied before. The answer is not stored: it is computed from the log
//! up to the command's row, which a live instance keeps and an ended one keeps for a day.
//!
//! The log may be long, so a repeated command may be expensive. Therefore the log is read a page at
//! a time, with other reads in between, and folded on threads of low priority, a few at once. Not
//! here: whether a command is a repeat (`engine`, `decide`).

use std::{future::Future, sync::Arc};

use super::{
    Runtime, decide,
    instance_request::{Committed, InstanceResponse, Refusal, ReplyTo},
};
use crate::{
    engine::{InstanceState, RecordBatch, record::CommandTag},
    journal::{Entity, LogPart, StoreError, StoredRow, codec, snapshot},
    limits::Taker,
    model::ids::InstanceKey,
    thread_priority::beside,
};

/// Rows that are read at once.
const PAGE: usize = 256;

/// A search of an instance's log, for a caller; `None` is the server.
pub(super) struct LogSearch {
    pub runtime: Arc<Runtime>,
    pub key: InstanceKey,
    pub by: Option<Taker>,
}

/// Repeats the answer to the command whose row begins with `first_seq`.
pub(super) fn answer_again(search: LogSearch, first_seq: u64, reply: ReplyTo) {
    let (runtime, key) = (search.runtime.clone(), search.key);
    let found = search.until(first_seq, move |row| row.first_seq == first_seq);
    runtime.services.spawn(async move {
        match found.await {
            Ok(Some(committed)) => reply.send(InstanceResponse::Duplicate(Arc::new(committed))),
            Ok(None) => reply.refuse(Refusal::Internal),
            Err(error) => {
                log::error!(
                    "instance {key}: the answer of an earlier command cannot be read: {error}"
                );
                reply.refuse(Refusal::Internal);
            }
        }
    });
}

/// Searches the log for an earlier use of a command id.
pub(super) fn look_up(search: LogSearch, tag: CommandTag, reply: ReplyTo) {
    let runtime = search.runtime.clone();
    let CommandTag {
        id, subject, hash, ..
    } = tag;
    let found = search.until(0, move |row| {
        row.command
            .as_ref()
            .is_some_and(|known| known.id == id && known.subject == subject)
    });
    runtime.services.spawn(async move {
        match found.await {
            Ok(Some(committed))
                if committed
                    .row
                    .command
                    .as_ref()
                    .is_some_and(|known| known.hash == hash) =>
            {
                reply.send(InstanceResponse::Duplicate(Arc::new(committed)));
            }
            Ok(Some(_)) => reply.refuse(decide::id_reused().into()),
            // Only the fingerprint was equal, or the log cannot be read; the client has to draw a
            // new id.
            Ok(None) | Err(_) => reply.refuse(Refusal::Internal),
        }
    });
}

/// An instance while it is folded row by row.
#[derive(Default)]
struct Folded {
    state: Option<InstanceState>,
    /// The first row that matches, after which nothing is folded.
    row: Option<RecordBatch>,
}

impl Folded {
    fn and(
        mut self,
        page: Vec<StoredRow>,
        fits: impl Fn(&RecordBatch) -> bool,
    ) -> Result<Self, StoreError> {
        for stored in page {
            let row: RecordBatch = codec::decode(&stored.row.body)?;
            self.state = InstanceState::replay(self.state, [&row]);
            if fits(&row) {
                self.row = Some(row);
                break;
            }
        }
        Ok(self)
    }
}

impl LogSearch {
    /// The instance after the first row that matches; `None` when no row does. Rows before the
    /// record `first` are not considered.
    async fn until(
        self,
        first: u64,
        fits: impl Fn(&RecordBatch) -> bool + Clone + Send + 'static,
    ) -> Result<Option<Committed>, StoreError> {
        let Self { runtime, key, by } = self;
        let _turn = runtime.folds.turn(by).await;
        let (entity, journal) = (Entity::from(key), &runtime.journal);
        let state = journal.read(move |reader| snapshot::before(reader, entity, first));
        let state = answered(state).await?;
        let mut after = state.as_ref().map_or(0, InstanceState::seq);
        let mut folded = Folded { state, row: None };
        while folded.row.is_none() {
            let read = journal.read(move |reader| LogPart::read(reader, entity, after, PAGE));
            let page = answered(read).await?.rows;
            let Some(last) = page.last() else {
                return Ok(None);
            };
            after = last.row.last_seq;
            let fits = fits.clone();
            // Under a virtual clock the order of answers must not depend on another thread.
            folded = match runtime.clock.is_virtual() {
                true => folded.and(page, fits)?,
                false => beside(move || folded.and(page, fits))
                    .await
                    .ok_or(StoreError::Panicked)??,
            };
        }
        let (Some(state), Some(row)) = (folded.state, folded.row) else {
            return Ok(None);
        };
        let (head, of) = (state.head().clone(), runtime.clone());
        let process = journal.read(move |reader| {
            of.definitions
                .load_of_instance(reader, &head.tenant, &head.process)
        });
        Ok(answered(process).await?.map(|process| Committed {
            row,
            ..decide::committed_state(&state, &process)
        }))
    }
}

async fn answered<T, E>(
    read: impl Future<Output = Result<Result<T, StoreError>, E>>,
) -> Result<T, StoreError> {
    // The server is stopping.
    read.await.map_err(|_| StoreError::Stopped)?
}
