//! The catalog of deployed processes: all versions of all definitions and the rows of their
//! schedules. It is one table, because a deploy changes both at once.
//!
//! Not here: how it is changed (`definitions`, `schedules`), what makes it durable before it is
//! visible (`durable`).

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use serde_json::json;

use super::{
    definitions::{DeployError, DeployedProcess, KnownVersion},
    durable::{DurableTable, Table},
    lists::Topic,
};
use crate::{
    journal::{
        AuditRow, DefinitionRow, DefinitionState, Journal, ScheduleChange, ScheduleKey,
        ScheduleRow, WriteOp,
    },
    limits,
    model::ids::Time,
};

/// All versions of all definitions.
#[derive(Clone, Default)]
pub struct Versions {
    /// By tenant and id; versions in order.
    known: HashMap<(String, String), Vec<Arc<KnownVersion>>>,
    /// The highest version of each definition that the store holds, also of those that this server
    /// cannot run.
    numbers: HashMap<(String, String), u32>,
    /// Definitions with a version that a message or signal may start, by tenant and id: a
    /// publication considers only these.
    started_by_events: BTreeSet<(String, String)>,
}

/// Definitions and schedules.
#[derive(Clone, Default)]
pub struct Catalog {
    versions: Versions,
    schedules: BTreeMap<ScheduleKey, Scheduled>,
    /// The next due times of the schedules whose processes may start.
    due: BTreeSet<(Time, ScheduleKey)>,
}

/// A schedule, and its entry in `due`.
#[derive(Clone)]
struct Scheduled {
    row: ScheduleRow,
    armed: Option<Time>,
}

/// A change of the catalog.
#[derive(Clone, Default)]
pub struct CatalogChange {
    /// Versions that are new or have another state.
    pub versions: Vec<Arc<KnownVersion>>,
    /// Schedules.
    pub schedules: Vec<ScheduleChange>,
}

/// The audit log's name for a deploy.
pub const DEPLOYED: &str = "process deployed";

/// The table that [`Definitions`](super::definitions::Definitions) and
/// [`Schedules`](super::schedules::Schedules) share.
pub type CatalogTable = DurableTable<Catalog>;

impl Table for Catalog {
    type Change = CatalogChange;

    fn write(change: &CatalogChange) -> WriteOp {
        let rows = change
            .versions
            .iter()
            .map(|version| version.to_write())
            .collect();
        WriteOp::Definitions(rows, change.schedules.clone())
    }

    /// For a deploy one row for each version that it changes, with process and number.
    fn acts(change: &CatalogChange, request: AuditRow) -> Vec<AuditRow> {
        if request.act != DEPLOYED {
            return vec![request];
        }
        let deployed =
            |version: &&Arc<KnownVersion>| version.row.state != DefinitionState::Deprecated;
        let row = |version: &Arc<KnownVersion>| {
            let row = &version.row;
            let details = json!({"process": row.id, "version": row.version,
                "state": row.state.name(), "new": version.to_write().source.is_some()});
            AuditRow {
                details: details.to_string(),
                ..request.clone()
            }
        };
        change.versions.iter().filter(deployed).map(row).collect()
    }

    fn topic(change: &CatalogChange) -> Option<(&str, Topic)> {
        if let Some(version) = change.versions.first() {
            return Some((&version.row.tenant, Topic::Definitions));
        }
        let key = match change.schedules.first()? {
            ScheduleChange::Put(row) => &row.key,
            ScheduleChange::Removed(key) => key,
        };
        Some((&key.tenant, Topic::Schedules))
    }

    fn apply(&mut self, change: CatalogChange) {
        let CatalogChange {
            versions,
            schedules,
        } = change;
        let mut touched: BTreeSet<ScheduleKey> = BTreeSet::new();
        for process in versions {
            let (tenant, id) = (process.row.tenant.clone(), process.row.id.clone());
            touched.extend(self.schedules_of(&tenant, &id).map(|row| row.key.clone()));
            self.versions.insert(&process);
        }
        for change in schedules {
            match change {
                ScheduleChange::Put(row) => {
                    touched.insert(row.key.clone());
                    self.put_schedule(row);
                }
                ScheduleChange::Removed(key) => {
                    if let Some(Scheduled {
                        armed: Some(due), ..
                    }) = self.schedules.remove(&key)
                    {
                        self.due.remove(&(due, key));
                    }
                }
            }
        }
        touched.iter().for_each(|key| self.arm(key));
    }
}

impl Catalog {
    /// Makes a durable table of this catalog and of the stored schedules.
    pub fn into_table(mut self, journal: Journal, schedules: Vec<ScheduleRow>) -> CatalogTable {
        let schedules = schedules.into_iter().map(ScheduleChange::Put).collect();
        self.apply(CatalogChange {
            versions: Vec::new(),
            schedules,
        });
        DurableTable::new(journal, self)
    }

    /// Adds a stored version that this server can run.
    pub fn add(&mut self, process: DeployedProcess) {
        self.versions.insert(&KnownVersion::of(process, None));
    }

    /// Reserves the number of a stored version, so that no new version gets it.
    pub fn take_number(&mut self, tenant: String, id: String, version: u32) {
        self.versions.take_number((tenant, id), version);
    }

    /// All versions of all definitions.
    pub fn versions(&self) -> &Versions {
        &self.versions
    }

    /// One schedule.
    pub fn schedule(&self, key: &ScheduleKey) -> Option<&ScheduleRow> {
        self.schedules.get(key).map(|scheduled| &scheduled.row)
    }

    /// All schedules, by process and node.
    pub fn schedules(&self) -> impl Iterator<Item = &ScheduleRow> {
        self.schedules.values().map(|scheduled| &scheduled.row)
    }

    /// The schedules of one process, by node.
    pub fn schedules_of(&self, tenant: &str, process: &str) -> impl Iterator<Item = &ScheduleRow> {
        self.of_process(tenant, process)
            .map(|(_, scheduled)| &scheduled.row)
    }

    fn of_process(
        &self,
        tenant: &str,
        process: &str,
    ) -> impl Iterator<Item = (&ScheduleKey, &Scheduled)> {
        let is_of = {
            let (tenant, process) = (tenant.to_owned(), process.to_owned());
            move |key: &ScheduleKey| key.tenant == tenant && key.process == process
        };
        let first = ScheduleKey {
            tenant: tenant.to_owned(),
            process: process.to_owned(),
            node: String::new(),
        };
        self.schedules
            .range(first..)
            .take_while(move |(key, _)| is_of(key))
    }

    /// The enabled schedules of processes that may start, by their next time.
    pub fn due(&self) -> impl Iterator<Item = &(Time, ScheduleKey)> {
        self.due.iter()
    }

    /// The same for one process.
    pub fn due_of(
        &self,
        tenant: &str,
        process: &str,
    ) -> impl Iterator<Item = (Time, &ScheduleKey)> {
        self.of_process(tenant, process)
            .filter_map(|(key, scheduled)| Some((scheduled.armed?, key)))
    }

    /// Replaces the evaluator of a process, for tests.
    #[cfg(test)]
    pub fn replace_all(&mut self, id: &str, other: impl Fn(&DeployedProcess) -> DeployedProcess) {
        for known in self
            .versions
            .known
            .values_mut()
            .flatten()
            .filter(|known| known.row.id == id)
        {
            if let Some(process) = known.in_memory() {
                *known = Arc::new(KnownVersion::of(other(&process), None).settled());
            }
        }
    }

    fn put_schedule(&mut self, row: ScheduleRow) {
        match self.schedules.get_mut(&row.key) {
            Some(scheduled) => scheduled.row = row,
            None => drop(
                self.schedules
                    .insert(row.key.clone(), Scheduled { row, armed: None }),
            ),
        }
    }

    /// Updates the entry of a schedule in `due`.
    fn arm(&mut self, key: &ScheduleKey) {
        let is_live = self
            .versions
            .current(&key.tenant, &key.process)
            .is_some_and(|process| process.is_published());
        let Some(scheduled) = self.schedules.get_mut(key) else {
            return;
        };
        let due = scheduled
            .row
            .next_due
            .filter(|_| scheduled.row.enabled && is_live);
        if let Some(armed) = std::mem::replace(&mut scheduled.armed, due) {
            self.due.remove(&(armed, key.clone()));
        }
        self.due.extend(due.map(|due| (due, key.clone())));
    }
}

impl Versions {
    /// The versions of each definition, by tenant and id.
    pub fn by_process(&self) -> impl Iterator<Item = (&(String, String), &[Arc<KnownVersion>])> {
        self.known
            .iter()
            .map(|(process, versions)| (process, versions.as_slice()))
    }

    /// The versions of one definition, in order.
    pub fn of(&self, tenant: &str, id: &str) -> &[Arc<KnownVersion>] {
        self.known
            .get(&(tenant.to_owned(), id.to_owned()))
            .map_or(&[], Vec::as_slice)
    }

    /// The newest version of a definition that matches.
    pub fn find(
        &self,
        tenant: &str,
        id: &str,
        wanted: impl Fn(&DefinitionRow) -> bool,
    ) -> Option<Arc<KnownVersion>> {
        self.of(tenant, id)
            .iter()
            .rev()
            .find(|process| wanted(&process.row))
            .cloned()
    }

    /// The published or disabled version of a definition, which is in memory.
    pub fn current(&self, tenant: &str, id: &str) -> Option<Arc<DeployedProcess>> {
        self.known_current(tenant, id)?.in_memory()
    }

    /// The same, as its entry in the table.
    pub fn known_current(&self, tenant: &str, id: &str) -> Option<&Arc<KnownVersion>> {
        let is_current = |known: &&Arc<KnownVersion>| {
            matches!(
                known.row.state,
                DefinitionState::Published | DefinitionState::Disabled
            )
        };
        self.of(tenant, id).iter().rev().find(is_current)
    }

    /// Inserts or replaces a version.
    pub fn insert(&mut self, version: &KnownVersion) {
        let id = (version.row.tenant.clone(), version.row.id.clone());
        self.take_number(id.clone(), version.row.version);
        let version = version.settled();
        let has_event_starts =
            |process: Arc<DeployedProcess>| process.executable.is_started_by_events();
        if version.in_memory().is_some_and(has_event_starts) {
            self.started_by_events.insert(id.clone());
        }
        let known = self.known.entry(id).or_default();
        known.retain(|known| known.row.version != version.row.version);
        known.push(Arc::new(version));
        known.sort_by_key(|known| known.row.version);
    }

    /// Refuses a change after which the compiled forms that stay in memory take more than before
    /// and more than their limit.
    ///
    /// # Errors
    /// [`DeployError::Conflict`].
    pub fn require_room(&self, before: &Self, tenant: &str) -> Result<(), DeployError> {
        for (size, of) in [
            (limits::DEFINITIONS_MEMORY_PER_TENANT.get(), Some(tenant)),
            (limits::DEFINITIONS_MEMORY.get(), None),
        ] {
            let taken = self.kept_memory(of);
            if taken <= size || taken <= before.kept_memory(of) {
                continue;
            }
            limits::Limit::DefinitionMemory.refused();
            let whose = of.map_or("all tenants", |_| "the tenant");
            return Err(DeployError::Conflict(format!(
                "expected that the published versions and drafts of {whose} take at most {} MiB of \
                memory, but with this one it would be {} MiB: make it smaller, or delete or \
                deprecate versions that are not used for starts (GET /v1/definitions)",
                size >> 20,
                taken >> 20
            )));
        }
        Ok(())
    }

    /// Estimated memory of the compiled forms that stay in memory, of one tenant or of all.
    fn kept_memory(&self, tenant: Option<&str>) -> usize {
        let known = self.known.iter();
        let of = known.filter(|((owner, _), _)| tenant.is_none_or(|tenant| owner == tenant));
        of.flat_map(|(_, versions)| versions)
            .map(|version| version.kept_memory())
            .sum()
    }

    /// The published versions of a tenant's definitions that a message, a signal or a condition may
    /// start.
    pub fn started_by_events(&self, tenant: &str) -> impl Iterator<Item = Arc<DeployedProcess>> {
        self.started_by_events
            .range((tenant.to_owned(), String::new())..)
            .take_while(move |(owner, _)| owner == tenant)
            .filter_map(|(tenant, id)| self.current(tenant, id))
            .filter(|process| process.is_published())
            .filter(|process| process.executable.is_started_by_events())
    }

    /// The number of a definition's next version.
    pub fn next_number(&self, tenant: &str, id: &str) -> u32 {
        self.numbers
            .get(&(tenant.to_owned(), id.to_owned()))
            .map_or(1, |highest| highest + 1)
    }

    fn take_number(&mut self, id: (String, String), version: u32) {
        let highest = self.numbers.entry(id).or_default();
        *highest = version.max(*highest);
    }
}
