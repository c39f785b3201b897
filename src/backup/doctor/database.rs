//! Examines the database, row by row, and the files named by its instances.

use super::{
    examination::Examination,
    finding::{Finding, FindingKind},
};
use crate::{
    backup::{
        check::{Known, load},
        parts::sum_of,
        progress::Reporter,
    },
    engine::InstanceState,
    journal::{
        CopiedDatabase, DATABASE, DefinitionState, Entity, EntityKind, Orphan, StoreError,
        StoredKind, codec,
    },
    model::ids::InstanceKey,
    runtime::{correlations, definitions, files, users},
};

/// Entities read at once.
const PAGE: u32 = 1_000;
/// Findings of the library's own check, gaps, and rows without an instance that are reported
/// individually.
const REPORTED: u32 = 100;

impl Examination<'_> {
    /// Examines the rows.
    pub(super) fn rows(&mut self, database: &CopiedDatabase, reporter: &mut Reporter) {
        reporter.begin("checking the database", 1);
        self.integrity(database);
        let known = self.definitions(database);
        self.users(database);
        self.messages(database);
        if let Err(error) = database.read_all_tables() {
            self.unreadable(&error);
        }
        for (kind, name, why) in database.damaged().all() {
            let message = format!("{name} is damaged: {why}");
            self.found(FindingKind::of(kind), DATABASE, message);
        }
        self.instances(database, &known, reporter);
        self.orphans(database);
        for message in self.read(database.miscounts(REPORTED)) {
            self.found(FindingKind::Count, DATABASE, message);
        }
    }

    fn unreadable(&mut self, error: &StoreError) {
        self.found(FindingKind::Integrity, DATABASE, error.to_string());
    }

    fn integrity(&mut self, database: &CopiedDatabase) {
        match database.damage(REPORTED) {
            Ok(lines) => lines
                .into_iter()
                .for_each(|line| self.found(FindingKind::Integrity, DATABASE, line)),
            Err(error) => self.unreadable(&error),
        }
        match database.gaps(REPORTED) {
            Ok(gaps) => {
                for (entity, missing) in gaps {
                    let message = format!("the rows of {entity} have a gap at {missing}");
                    let finding = Finding::new(FindingKind::Gap, DATABASE, message);
                    self.findings.push(finding.of(entity));
                }
            }
            Err(error) => self.unreadable(&error),
        }
    }

    /// The definitions that instances can run with.
    fn definitions(&mut self, database: &CopiedDatabase) -> Known {
        let mut known = Known::new();
        for row in self.read(database.reader().definitions()) {
            let key = (row.tenant.clone(), row.id.clone(), row.revision.clone());
            let is_deleted = row.state == DefinitionState::Deleted;
            self.counts.definitions += 1;
            match definitions::is_usable(row) {
                Ok(()) => drop(known.insert(key)),
                Err(sentence) => {
                    let finding = Finding::new(FindingKind::Definition, DATABASE, sentence);
                    self.findings.push(finding.noted_if(is_deleted));
                }
            }
        }
        known
    }

    fn users(&mut self, database: &CopiedDatabase) {
        for row in self.read(database.reader().users()) {
            self.counts.users += 1;
            if !users::can_be_compared(&row) {
                let message = format!(
                    "the password of user '{}' of tenant '{}' is no hash that can be compared",
                    row.name, row.tenant
                );
                self.found(FindingKind::User, DATABASE, message);
            }
        }
    }

    fn messages(&mut self, database: &CopiedDatabase) {
        for message in self.read(database.reader().outbox()) {
            let read: Result<Box<crate::engine::instance_message::InstanceMessage>, _> =
                codec::decode(&message.row.body);
            let has_publication = message.row.publication.map_or(Ok(()), |publication| {
                let reader = database.reader();
                correlations::read_data(reader, message.source, publication).map(drop)
            });
            if let Err(error) = read.map(drop).and(has_publication) {
                let message = format!(
                    "message {} of {} to {} is damaged: {error}",
                    message.row.seq, message.source.key, message.row.target.key
                );
                self.found(FindingKind::Message, DATABASE, message);
            }
        }
    }

    fn read<T>(&mut self, read: Result<Vec<T>, StoreError>) -> Vec<T> {
        read.unwrap_or_else(|error| {
            self.unreadable(&error);
            Vec::new()
        })
    }

    fn instances(&mut self, database: &CopiedDatabase, known: &Known, reporter: &mut Reporter) {
        let all = database.facts().map_or(0, |facts| facts.instances);
        reporter.begin("loading every instance", all);
        let mut last = None;
        loop {
            let page = match database.entities_after(last, PAGE) {
                Ok(page) => page,
                Err(error) => return self.unreadable(&error),
            };
            let Some(end) = page.last() else { return };
            last = Some(*end);
            let is_instance = |entity: &Entity| entity.kind == EntityKind::Instance;
            for entity in page.into_iter().filter(is_instance) {
                match load(database, entity, known) {
                    Ok(state) => self.files(entity.instance(), &state),
                    Err(sentence) => {
                        let message = format!("{} does not load: {sentence}", entity.key);
                        let finding = Finding::new(FindingKind::Instance, DATABASE, message);
                        self.findings.push(finding.of(entity.key));
                    }
                }
                self.counts.instances += 1;
                reporter.at(self.counts.instances as u64, all);
            }
        }
    }

    fn files(&mut self, instance: InstanceKey, state: &InstanceState) {
        for file in state.files().values() {
            let place = files::place_of(instance, file.id);
            let wrong = match sum_of(&self.data.join(&place)) {
                Err(error) => Some(error.to_string()),
                Ok(sum) if sum.bytes != file.size => {
                    Some(format!("it has {} bytes and not {}", sum.bytes, file.size))
                }
                Ok(sum) if sum.sha256 != file.sha256 => Some("its SHA-256 is another".to_owned()),
                Ok(_) => None,
            };
            if let Some(wrong) = wrong {
                let message = format!(
                    "instance {instance} names it as '{}', but {wrong}",
                    file.name
                );
                let finding = Finding::new(FindingKind::File, place.display().to_string(), message);
                self.findings.push(finding.of(instance));
            }
            self.counts.files += 1;
            self.named.insert(place);
        }
    }

    fn orphans(&mut self, database: &CopiedDatabase) {
        for Orphan { what, instance } in self.read(database.orphans(REPORTED)) {
            let message = format!("{what} of instance {instance}, which is over or not there");
            let finding = Finding::new(FindingKind::Orphan, DATABASE, message);
            self.findings.push(finding.of(instance));
        }
    }
}

impl FindingKind {
    fn of(kind: StoredKind) -> Self {
        match kind {
            StoredKind::Definition => Self::Definition,
            StoredKind::User => Self::User,
            StoredKind::Schedule => Self::Schedule,
            StoredKind::Instance => Self::Instance,
            StoredKind::File => Self::File,
            StoredKind::Message => Self::Message,
            StoredKind::HttpCall => Self::HttpCall,
            StoredKind::Draft => Self::Draft,
            StoredKind::Timer => Self::Timer,
            StoredKind::ListLine => Self::ListLine,
        }
    }
}
