//! Checks a copy completely: each part by its hash, the database by the library's own check, the
//! log for gaps, each definition by compiling it, each instance by loading it into memory, and each
//! file named by an instance.
//!
//! One instance is in memory at a time.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{
    manifest::{Manifest, Part},
    parts::{Sum, sum_of},
    progress::Reporter,
};
use crate::{
    engine::InstanceState,
    journal::{CopiedDatabase, DATABASE, Entity, EntityKind, StoreError, snapshot},
    runtime::{definitions, files},
};

/// Entities read at once.
const PAGE: u32 = 1_000;

/// A complete copy.
pub struct CheckedBackup {
    /// Its manifest.
    pub manifest: Manifest,
    /// The files named by its instances. Others were added after the database was copied.
    pub named: BTreeSet<PathBuf>,
}

/// Checks the copy.
///
/// # Errors
/// The first fault, as a sentence that names the part.
pub fn check(copy: &Path, reporter: &mut Reporter) -> Result<CheckedBackup, String> {
    let manifest = Manifest::read(copy)?;
    reporter.begin("checking the parts", manifest.parts.len() as u64);
    for (done, part) in manifest.parts.iter().enumerate() {
        reporter.at(done as u64, manifest.parts.len() as u64);
        check_part(copy, part)?;
    }
    let database =
        CopiedDatabase::open(&copy.join(DATABASE)).map_err(|error| damaged(&error.to_string()))?;
    check_database(&database, &manifest)?;
    let known = usable_definitions(&database)?;
    let kept = manifest
        .parts
        .iter()
        .map(|part| (part.path.clone(), &part.sum))
        .collect();
    let named = check_instances(
        &database,
        &Kept {
            definitions: known,
            files: kept,
        },
        manifest.counts.instances,
        reporter,
    )?;
    Ok(CheckedBackup { manifest, named })
}

fn check_part(copy: &Path, part: &Part) -> Result<(), String> {
    let name = part.path.display();
    let sum = sum_of(&copy.join(&part.path))
        .map_err(|error| format!("expected the part {name} in the copy, but: {error}"))?;
    if sum == part.sum {
        return Ok(());
    }
    let found = if sum.bytes == part.sum.bytes {
        "its SHA-256 is another".to_owned()
    } else {
        format!("it has {}", sum.bytes)
    };
    Err(format!(
        "expected the part {name} as it was copied, with {} bytes, but {found}: it is damaged",
        part.sum.bytes
    ))
}

fn check_database(database: &CopiedDatabase, manifest: &Manifest) -> Result<(), String> {
    let found = database
        .damage(1)
        .map_err(|error| damaged(&error.to_string()))?;
    if let Some(first) = found.first() {
        return Err(damaged(first));
    }
    let gaps = database
        .gaps(1)
        .map_err(|error| damaged(&error.to_string()))?;
    if let Some((entity, missing)) = gaps.first() {
        return Err(damaged(&format!(
            "the rows of {entity} have a gap at {missing}"
        )));
    }
    database
        .read_all_tables()
        .map_err(|error| damaged(&error.to_string()))?;
    if let Some((_, name, why)) = database.damaged().all().first() {
        return Err(damaged(&format!("{name} is damaged: {why}")));
    }
    let facts = database
        .facts()
        .map_err(|error| damaged(&error.to_string()))?;
    if (facts.incarnation, facts.rows, facts.instances)
        != (
            manifest.log,
            manifest.counts.rows,
            manifest.counts.instances,
        )
    {
        return Err(damaged("it does not hold what the manifest counts"));
    }
    Ok(())
}

/// Tenant, id and revision of each definition: an instance needs the content with which it was
/// started, whatever version number it has.
pub(super) type Known = BTreeSet<(String, String, String)>;

fn usable_definitions(database: &CopiedDatabase) -> Result<Known, String> {
    let rows = database
        .reader()
        .definitions()
        .map_err(|error| damaged(&error.to_string()))?;
    let mut known = Known::new();
    for row in rows {
        known.insert((row.tenant.clone(), row.id.clone(), row.revision.clone()));
        definitions::is_usable(row).map_err(|sentence| damaged(&sentence))?;
    }
    Ok(known)
}

/// The objects that instances may refer to.
struct Kept<'a> {
    definitions: Known,
    files: BTreeMap<PathBuf, &'a Sum>,
}

fn check_instances(
    database: &CopiedDatabase,
    kept: &Kept<'_>,
    all: u64,
    reporter: &mut Reporter,
) -> Result<BTreeSet<PathBuf>, String> {
    reporter.begin("loading every instance", all);
    let (mut named, mut last, mut done) = (BTreeSet::new(), None, 0);
    loop {
        let page = database
            .entities_after(last, PAGE)
            .map_err(|error| damaged(&error.to_string()))?;
        let Some(end) = page.last() else { break };
        last = Some(*end);
        for entity in page
            .into_iter()
            .filter(|entity| entity.kind == EntityKind::Instance)
        {
            let failed = |sentence: String| {
                damaged(&format!(
                    "the instance {} does not load: {sentence}",
                    entity.key
                ))
            };
            let files = check_instance(database, entity, kept).map_err(failed)?;
            named.extend(files);
            done += 1;
            reporter.at(done, all);
        }
    }
    if done == all {
        Ok(named)
    } else {
        Err(damaged(&format!(
            "it lists {all} instances, but has rows of {done}"
        )))
    }
}

/// Loads the instance into memory in the same way as a server.
///
/// # Errors
/// Why it cannot be loaded, as a sentence.
pub(super) fn load(
    database: &CopiedDatabase,
    entity: Entity,
    definitions: &Known,
) -> Result<InstanceState, String> {
    let sentence = |error: StoreError| error.to_string();
    let restored = snapshot::restore(database.reader(), entity).map_err(sentence)?;
    let state = restored.state.ok_or("it has no beginning")?;
    let (head, process) = (state.head(), &state.head().process);
    if !definitions.contains(&(
        head.tenant.clone(),
        process.id.clone(),
        process.revision.clone(),
    )) {
        return Err(format!(
            "its definition '{}' version {} with revision {} is missing",
            process.id, process.version, process.revision
        ));
    }
    let listed = database
        .reader()
        .instance(entity.instance())
        .map_err(sentence)?;
    if listed.as_ref().map(|row| row.status.as_str()) != Some(state.status().name()) {
        return Err(format!(
            "it is {}, but is not listed so",
            state.status().name()
        ));
    }
    Ok(state)
}

/// Checks an instance and the files it names.
fn check_instance(
    database: &CopiedDatabase,
    entity: Entity,
    kept: &Kept<'_>,
) -> Result<Vec<PathBuf>, String> {
    let state = load(database, entity, &kept.definitions)?;
    let mut named = Vec::new();
    for file in state.files().values() {
        let place = files::place_of(entity.instance(), file.id);
        let found = kept
            .files
            .get(&place)
            .is_some_and(|sum| sum.bytes == file.size && sum.sha256 == file.sha256);
        if !found {
            return Err(format!(
                "its file {} is not there as it was uploaded",
                place.display()
            ));
        }
        named.push(place);
    }
    Ok(named)
}

fn damaged(what: &str) -> String {
    format!("expected the part {DATABASE} to be sound, but {what}")
}
