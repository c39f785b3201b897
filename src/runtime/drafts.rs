//! Drafts: what a user has typed into an action of a user task and not sent. They are durable, not
//! validated, available on every device of the user, and not part of the process: no record and no
//! data. A draft is deleted when its action runs or its task ends.
//!
//! All drafts are in memory, within limits by user and tenant. Not here: who may work at a task
//! (`engine::task_access`), frames (`session::task_notes`), who has a task open (`presence`).
//!
//! # Rationale
//!
//! **Drafts have a table of their own, held in memory**, and are sent as a difference when their
//! instance is pulled: they need no queue, no number and no record. A row of the log that ends a
//! task costs nothing while there are no drafts. A crash between that row and the deletion leaves a
//! draft in the table, which the next start ignores.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{
    Runtime,
    durable::{DurableTable, NoAnswer, Table, TableDecision},
    instance_request::{Committed, Envelope, InstanceRequest, InstanceResponse, Refusal, ReplyTo},
};
use crate::{
    engine::{
        Rejection,
        access::Caller,
        record::Record,
        rejection::{RejectionKind, Unavailable},
    },
    journal::{DraftChange, DraftKey, DraftRow, Journal, StoreError, StoreReader, WriteOp},
    limits::{self, CallerKind, Limit},
    model::ids::{ElementKey, InstanceKey},
};

/// The pause before the deletion of a draft is tried again when the writer's queue is full.
const AGAIN: Duration = Duration::from_millis(100);

/// Element, action, user.
type DraftPlace = (ElementKey, String, String);

/// Every draft, with the amounts by user and tenant.
#[derive(Clone, Default)]
struct DraftIndex {
    drafts: HashMap<InstanceKey, BTreeMap<DraftPlace, Arc<DraftRow>>>,
    by_user: HashMap<(String, String), usize>,
    bytes_by_tenant: HashMap<String, usize>,
    bytes: usize,
}

impl Table for DraftIndex {
    type Change = Vec<DraftChange>;

    fn write(changes: &Vec<DraftChange>) -> WriteOp {
        WriteOp::Drafts(changes.clone())
    }

    fn apply(&mut self, changes: Vec<DraftChange>) {
        for change in changes {
            match change {
                DraftChange::Put(row) => self.put(row),
                DraftChange::Removed(key) => self.remove(&key),
            }
        }
    }
}

impl DraftIndex {
    fn put(&mut self, row: Arc<DraftRow>) {
        self.remove(&row.key);
        *self.by_user.entry(user_of(&row)).or_default() += 1;
        *self.bytes_by_tenant.entry(row.tenant.clone()).or_default() += size(&row);
        self.bytes += size(&row);
        let of_instance = self.drafts.entry(row.key.instance).or_default();
        of_instance.insert(place_of(&row.key), row);
    }

    fn remove(&mut self, key: &DraftKey) {
        let Some(of_instance) = self.drafts.get_mut(&key.instance) else {
            return;
        };
        let Some(row) = of_instance.remove(&place_of(key)) else {
            return;
        };
        if of_instance.is_empty() {
            self.drafts.remove(&key.instance);
        }
        take_from(&mut self.by_user, &user_of(&row), 1);
        take_from(&mut self.bytes_by_tenant, &row.tenant, size(&row));
        self.bytes -= size(&row);
    }

    fn get(&self, key: &DraftKey) -> Option<&Arc<DraftRow>> {
        self.drafts.get(&key.instance)?.get(&place_of(key))
    }

    /// Whether the limits allow this draft for a caller of this kind.
    fn admit(&self, row: &DraftRow, kind: CallerKind) -> Result<(), Refusal> {
        let before = self.get(&row.key);
        let count = self.by_user.get(&user_of(row)).copied().unwrap_or(0);
        if before.is_none() && count >= limits::DRAFTS_PER_USER.get() {
            Limit::DraftsPerUser.refused();
            let sentence = format!(
                "expected at most {} drafts of one user, but this is one more: send or drop one",
                limits::DRAFTS_PER_USER.get()
            );
            return Err(Rejection::new(RejectionKind::Conflict, sentence).into());
        }
        let more = size(row).saturating_sub(before.map_or(0, |row| size(row)));
        let of_tenant = self.bytes_by_tenant.get(&row.tenant).copied().unwrap_or(0);
        let has_room = of_tenant + more <= kind.share(limits::DRAFTS_PER_TENANT.get())
            && self.bytes + more <= kind.share(limits::DRAFTS_IN_ALL.get());
        if more > 0 && !has_room {
            Limit::DraftBytes.refused();
            return Err(Refusal::Busy);
        }
        Ok(())
    }
}

fn place_of(key: &DraftKey) -> DraftPlace {
    (key.element, key.action.clone(), key.subject.clone())
}

/// The user whose limit the draft counts for: all strangers of an instance are one.
fn user_of(row: &DraftRow) -> (String, String) {
    let user = if row.stranger {
        row.key.instance.to_string()
    } else {
        row.key.subject.clone()
    };
    (row.tenant.clone(), user)
}

fn size(row: &DraftRow) -> usize {
    row.data.len() + limits::DRAFT_OVERHEAD
}

fn take_from<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K, amount: usize) {
    if let Some(count) = counts.get_mut(key) {
        *count -= amount;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

/// A client's request to save or drop a draft.
#[derive(Clone, Debug)]
pub struct DraftRequest {
    /// The instance.
    pub instance: InstanceKey,
    /// The task; if absent, the one that offers the action.
    pub element: Option<ElementKey>,
    /// The action.
    pub action: String,
    /// The user whose draft it is.
    pub subject: String,
    /// JSON; `None` drops the draft.
    pub data: Option<String>,
}

/// All drafts of the server.
pub struct Drafts {
    table: DurableTable<DraftIndex>,
    /// The number of drafts, including those being saved; when it is 0, rows need no check.
    some: AtomicUsize,
}

/// The drafts of a store, without those whose task has ended meanwhile.
///
/// # Errors
/// A store that cannot be read.
pub(super) fn stored(reader: &dyn StoreReader) -> Result<Vec<DraftRow>, StoreError> {
    let mut rows = reader.drafts()?;
    let instances: HashSet<InstanceKey> = rows.iter().map(|row| row.key.instance).collect();
    let mut waiting = HashSet::new();
    for instance in instances {
        let tasks = reader.tasks_of(instance)?;
        waiting.extend(tasks.iter().map(|task| (instance, task.element)));
    }
    rows.retain(|row| waiting.contains(&(row.key.instance, row.key.element)));
    Ok(rows)
}

impl Drafts {
    pub(super) fn load(journal: Journal, rows: Vec<DraftRow>) -> Self {
        let some = AtomicUsize::new(rows.len());
        let mut index = DraftIndex::default();
        rows.into_iter().for_each(|row| index.put(Arc::new(row)));
        Self {
            table: DurableTable::new(journal, index),
            some,
        }
    }

    /// A user's drafts in an instance.
    pub fn of(&self, instance: InstanceKey, subject: &str) -> Vec<Arc<DraftRow>> {
        if self.some.load(Ordering::Acquire) == 0 {
            return Vec::new();
        }
        self.table.read(|index| {
            let drafts = index.drafts.get(&instance).into_iter();
            drafts
                .flat_map(BTreeMap::values)
                .filter(|row| row.key.subject == subject)
                .cloned()
                .collect()
        })
    }

    /// The drafts that this row ends: those of ended tasks, and of actions that ran.
    fn outdated(&self, committed: &Committed) -> Vec<DraftKey> {
        let is_open = |element: ElementKey| {
            let mut tokens = committed.next.tokens.iter();
            tokens.any(|token| token.element == element)
        };
        let ran = |draft: &DraftRow| {
            committed.row.records.iter().any(|record| {
                let Record::ActionStarted {
                    element, action, ..
                } = record
                else {
                    return false;
                };
                *element == draft.key.element
                    && **action == *draft.key.action
                    && (draft.stranger
                        || committed.row.by.as_ref() == Some(&draft.key.subject)
                        || !is_repeatable(committed, *element, action))
            })
        };
        self.table.read(|index| {
            let drafts = index.drafts.get(&committed.instance).into_iter();
            drafts
                .flat_map(BTreeMap::values)
                .filter(|draft| !is_open(draft.key.element) || ran(draft))
                .map(|draft| draft.key.clone())
                .collect()
        })
    }

    async fn save(&self, row: DraftRow, kind: CallerKind) -> Result<(), Refusal> {
        self.some.fetch_add(1, Ordering::AcqRel);
        let decide = move |index: &DraftIndex| {
            index.admit(&row, kind)?;
            Ok(TableDecision {
                change: Some(vec![DraftChange::Put(Arc::new(row))]),
                answer: (),
            })
        };
        self.table.change(decide).await?
    }

    /// Removes drafts. If the server stops meanwhile, its next start ignores the remaining ones.
    async fn remove(&self, keys: Vec<DraftKey>) {
        loop {
            let changes: Vec<_> = keys.iter().cloned().map(DraftChange::Removed).collect();
            let decide = move |_: &DraftIndex| {
                Ok::<_, Refusal>(TableDecision {
                    change: Some(changes),
                    answer: (),
                })
            };
            match self.table.change(decide).await {
                Err(NoAnswer::Busy | NoAnswer::NoRoom) => tokio::time::sleep(AGAIN).await,
                Ok(_) | Err(NoAnswer::Unknown) => return,
            }
        }
    }
}

fn is_repeatable(committed: &Committed, element: ElementKey, action: &str) -> bool {
    let mut tokens = committed.next.tokens.iter();
    let node = tokens
        .find(|token| token.element == element)
        .and_then(|token| committed.process.executable.node(&token.node));
    node.and_then(|node| node.action(action))
        .is_some_and(|action| action.repeatable)
}

impl Runtime {
    /// Saves or drops a draft, and answers once that is durable.
    pub fn draft(self: &Arc<Self>, caller: Caller, request: DraftRequest, reply: ReplyTo) {
        let DraftRequest {
            instance,
            element,
            action,
            subject,
            data,
        } = request;
        let Some(data) = data else {
            let keys = self.drafts.of(instance, &subject).into_iter();
            let is_affected = |key: &DraftKey| {
                key.action == action && element.is_none_or(|element| element == key.element)
            };
            let keys = keys
                .map(|row| row.key.clone())
                .filter(is_affected)
                .collect();
            return self.forget_drafts(keys, Some(reply));
        };
        let (runtime, by, named) = (self.clone(), caller.clone(), action.clone());
        self.check_may_work(caller, instance, element, named, move |answer| {
            let InstanceResponse::MayWork(access) = answer else {
                return reply.send(answer);
            };
            let row = DraftRow {
                key: DraftKey {
                    instance,
                    element: access.element,
                    action,
                    subject,
                },
                tenant: by.tenant.clone(),
                stranger: by.trees.is_some(),
                data,
                saved_at: runtime.clock.now(),
            };
            runtime.save_draft(by, row, reply);
        });
    }

    /// Removes the drafts that this row ends.
    pub(super) fn drop_outdated_drafts(self: &Arc<Self>, committed: &Committed) {
        if self.drafts.some.load(Ordering::Acquire) > 0 {
            self.forget_drafts(self.drafts.outdated(committed), None);
        }
    }

    fn check_may_work(
        self: &Arc<Self>,
        caller: Caller,
        instance: InstanceKey,
        element: Option<ElementKey>,
        action: String,
        then: impl FnOnce(InstanceResponse) + Send + Sync + 'static,
    ) {
        let envelope = Envelope {
            caller: Some(caller),
            request: InstanceRequest::MayWork {
                element,
                action: Some(action),
            },
            reply: ReplyTo::to(then),
        };
        self.dispatch(instance, envelope);
    }

    fn save_draft(self: &Arc<Self>, caller: Caller, row: DraftRow, reply: ReplyTo) {
        let (runtime, active) = (self.clone(), self.active());
        self.services.spawn(async move {
            let key = row.key.clone();
            match runtime.drafts.save(row, caller.kind()).await {
                Ok(()) => {
                    runtime.hub.wake(key.instance);
                    reply.send(InstanceResponse::Unchanged);
                    runtime.remove_stale_draft(caller, key);
                }
                Err(refusal) => reply.refuse(refusal),
            }
            drop(active);
        });
    }

    /// Removes the draft again when a run that followed it was applied before the draft was saved.
    fn remove_stale_draft(self: &Arc<Self>, caller: Caller, key: DraftKey) {
        let (runtime, instance, element) = (self.clone(), key.instance, key.element);
        let action = key.action.clone();
        self.check_may_work(caller, instance, Some(element), action, move |answer| {
            if let InstanceResponse::Refused(Refusal::Rejected(rejection)) = answer
                && matches!(
                    rejection.kind,
                    RejectionKind::AlreadyExecuted
                        | RejectionKind::Unavailable(Unavailable::NotActive | Unavailable::Ended)
                )
            {
                runtime.forget_drafts(vec![key], None);
            }
        });
    }

    fn forget_drafts(self: &Arc<Self>, keys: Vec<DraftKey>, reply: Option<ReplyTo>) {
        let (runtime, active) = (self.clone(), self.active());
        if keys.is_empty() {
            return reply
                .into_iter()
                .for_each(|reply| reply.send(InstanceResponse::Unchanged));
        }
        self.services.spawn(async move {
            let instances: HashSet<InstanceKey> = keys.iter().map(|key| key.instance).collect();
            runtime.drafts.remove(keys).await;
            for instance in instances {
                runtime.hub.wake(instance);
            }
            if let Some(reply) = reply {
                reply.send(InstanceResponse::Unchanged);
            }
            drop(active);
        });
    }
}
