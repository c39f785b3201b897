//! The counts beside the rows agree with the rows.

use super::fixtures::{changing, check, instance};
use crate::{
    journal::{Counted, InstanceRow, ReadModelChange, StoreReader},
    model::ids::Time,
};

/// Process, version, live instances, stuck ones and incidents of each version of a tenant.
fn in_use(reader: &dyn StoreReader, tenant: Option<&str>) -> Vec<(String, u32, [u64; 3])> {
    let found = reader.versions_in_use(tenant).unwrap().into_iter();
    found
        .map(|used| {
            let counts = [used.instances, used.stuck, used.incidents];
            (used.process, used.version, counts)
        })
        .collect()
}

#[test]
fn live_instances_are_counted_by_version() {
    check(|store, reader| {
        let rows = [1, 2, 3].map(|n| instance(n, "order", "started"));
        let other = InstanceRow {
            tenant: "other".into(),
            ..instance(4, "visit", "started")
        };
        let begun = |row: &InstanceRow| ReadModelChange::Instance(row.clone(), None);
        let mut changes: Vec<_> = rows.iter().map(begun).collect();
        changes.push(begun(&other));
        store.commit(&[changing(1, 1, changes)]).unwrap();
        let order = |version, counts| ("order".to_owned(), version, counts);
        assert_eq!(in_use(reader, Some("acme")), [order(1, [3, 0, 0])]);
        let visit = ("visit".to_owned(), 1, [1, 0, 0]);
        assert_eq!(in_use(reader, None), [order(1, [3, 0, 0]), visit]);

        // Within one batch the same instance fails, is migrated to another version, and is fixed
        // there.
        let failed = InstanceRow {
            incidents: 2,
            ..rows[0].clone()
        };
        let moved = InstanceRow {
            version: 2,
            revision: "r2".into(),
            ..failed.clone()
        };
        let one_left = InstanceRow {
            incidents: 1,
            ..moved.clone()
        };
        let counted = |row| Some(Counted::of(row));
        let moving = Counted {
            moved_from: Some(Box::new((1, "r1".into()))),
            ..Counted::of(&failed)
        };
        let ended = InstanceRow {
            status: "finished".into(),
            ended_at: Some(Time(9)),
            ..rows[1].clone()
        };
        let batch = [
            changing(
                1,
                2,
                vec![ReadModelChange::Instance(failed.clone(), counted(&rows[0]))],
            ),
            changing(
                1,
                3,
                vec![ReadModelChange::Instance(moved.clone(), Some(moving))],
            ),
            changing(
                1,
                4,
                vec![ReadModelChange::Instance(one_left, counted(&moved))],
            ),
            changing(
                2,
                2,
                vec![ReadModelChange::Instance(ended, counted(&rows[1]))],
            ),
        ];
        store.commit(&batch).unwrap();
        let expected = [order(1, [1, 0, 0]), order(2, [1, 1, 1])];
        assert_eq!(in_use(reader, Some("acme")), expected);

        let ended = InstanceRow {
            status: "terminated".into(),
            ended_at: Some(Time(9)),
            ..rows[2].clone()
        };
        let change = ReadModelChange::Instance(ended, counted(&rows[2]));
        store.commit(&[changing(3, 2, vec![change])]).unwrap();
        assert_eq!(in_use(reader, Some("acme")), [order(2, [1, 1, 1])]);
    });
}

#[test]
fn starts_are_counted_by_minutes() {
    check(|store, reader| {
        let at = |n: u128, minutes: i64| InstanceRow {
            created_at: Time(minutes * 60_000 + n as i64),
            ..instance(n, "order", "started")
        };
        let rows = [at(1, 10), at(2, 10), at(3, 11), at(4, 60)];
        let changes = rows.map(|row| ReadModelChange::Instance(row, None));
        store.commit(&[changing(1, 1, changes.to_vec())]).unwrap();
        let since = |time| reader.started_since("acme", Time(time)).unwrap();
        assert_eq!(
            [0, 600_000, 630_000, 660_000, 3_600_500, 3_660_000].map(since),
            [4, 4, 4, 2, 1, 0]
        );
        assert_eq!(reader.started_since("other", Time(0)).unwrap(), 0);
    });
}
