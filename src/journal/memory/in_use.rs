//! Counts which versions of definitions live instances run. Not here: the tables (`memory`).

use std::collections::BTreeMap;

use crate::{
    journal::{InstanceRow, VersionInUse},
    model::ids::InstanceKey,
};

/// The versions that instances with these statuses run, in order.
pub(super) fn count<'a>(
    instances: impl Iterator<Item = &'a InstanceRow>,
    statuses: &[String],
) -> Vec<VersionInUse> {
    let mut found = BTreeMap::<_, (u64, u64, InstanceKey)>::new();
    for row in instances.filter(|row| statuses.contains(&row.status)) {
        let version = (&row.tenant, &row.process, row.version, &row.revision);
        let (instances, stuck, example) = found.entry(version).or_insert((0, 0, row.key));
        *instances += 1;
        *stuck += u64::from(row.incidents > 0);
        *example = row.key.min(*example);
    }
    let in_use = |((tenant, process, version, revision), (instances, stuck, example)): (
        (&String, &String, _, &String),
        _,
    )| VersionInUse {
        tenant: tenant.clone(),
        process: process.clone(),
        version,
        revision: revision.clone(),
        instances,
        stuck,
        example,
    };
    found.into_iter().map(in_use).collect()
}
