//! Counts the versions of definitions that live instances run, and recent starts. Not here: the
//! tables (`memory`).

use std::collections::BTreeMap;

use crate::{
    journal::{
        InstanceRow, VersionInUse,
        in_use::{minute, minute_start},
    },
    model::ids::Time,
};

/// The versions that the live ones of these instances run, in order.
pub(super) fn count<'a>(instances: impl Iterator<Item = &'a InstanceRow>) -> Vec<VersionInUse> {
    let mut found = BTreeMap::new();
    for row in instances.filter(|row| row.ended_at.is_none()) {
        let key = (&row.tenant, &row.process, row.version, &row.revision);
        let used = found.entry(key).or_insert_with(|| VersionInUse {
            tenant: row.tenant.clone(),
            process: row.process.clone(),
            version: row.version,
            revision: row.revision.clone(),
            instances: 0,
            stuck: 0,
            incidents: 0,
        });
        used.instances += 1;
        used.stuck += u64::from(row.incidents > 0);
        used.incidents += u64::from(row.incidents);
    }
    found.into_values().collect()
}

/// The number of these instances that a tenant has started since the beginning of a minute.
pub(super) fn started<'a>(
    instances: impl Iterator<Item = &'a InstanceRow>,
    tenant: &str,
    since: Time,
) -> u64 {
    let since = minute_start(minute(since));
    let started = instances.filter(|row| row.tenant == tenant && row.created_at >= since);
    started.count() as u64
}
