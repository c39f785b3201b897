//! Timers, by their owners.

use super::fixtures::{changing, check, key};
use crate::{
    engine::command::TimerKind,
    journal::{Owner, ReadModelChange, StoreReader, TimerRow, TimerRowKey},
    model::ids::{ElementKey, Time},
};

fn timer(n: u128, due: i64, occurrence: u32) -> TimerRow {
    let key = TimerRowKey {
        instance: key(n),
        element: n.is_multiple_of(2).then_some(ElementKey(3)),
        kind: TimerKind::Action("remind".into()),
        occurrence,
    };
    TimerRow {
        due: Time(due),
        key,
    }
}

fn owner(tenant: &str, process: &str) -> Owner {
    Owner {
        tenant: tenant.into(),
        process: process.into(),
    }
}

fn set(timer: TimerRow) -> ReadModelChange {
    ReadModelChange::TimerSet(timer, owner("acme", "order"))
}

fn dues(reader: &dyn StoreReader, until: i64, limit: usize) -> Vec<(i64, u32)> {
    let owner = owner("acme", "order");
    reader
        .due_timers(&owner, Time(until), limit)
        .unwrap()
        .into_iter()
        .map(|timer| (timer.due.0, timer.key.occurrence))
        .collect()
}

#[test]
fn timers_are_listed_by_due_time() {
    check(|store, reader| {
        assert_eq!(reader.next_due().unwrap(), None);
        let timers = [
            timer(2, 30, 0),
            timer(2, 10, 1),
            timer(1, 20, 2),
            timer(2, 20, 3),
        ];
        let of_others = [("acme", "leave"), ("zoo", "a")].map(|(tenant, process)| {
            ReadModelChange::TimerSet(timer(7, 1, 9), owner(tenant, process))
        });
        let changes = timers.map(set).into_iter();
        store
            .commit(&[
                changing(1, 1, changes.collect()),
                changing(7, 1, vec![of_others[0].clone()]),
            ])
            .unwrap();
        assert_eq!(
            reader.timer_owners().unwrap(),
            [owner("acme", "leave"), owner("acme", "order")]
        );
        // A timer is the same, whoever sets it.
        store
            .commit(&[changing(7, 2, vec![of_others[1].clone()])])
            .unwrap();
        assert_eq!(
            reader.timer_owners().unwrap(),
            [owner("acme", "order"), owner("zoo", "a")]
        );
        let cleared = ReadModelChange::TimerCleared(timer(7, 1, 9).key);
        store.commit(&[changing(7, 3, vec![cleared])]).unwrap();
        assert_eq!(reader.next_due().unwrap(), Some(Time(10)));
        assert_eq!(dues(reader, 25, 9), [(10, 1), (20, 2), (20, 3)]);
        assert_eq!(dues(reader, 99, 2), [(10, 1), (20, 2)]);
        let again = set(timer(2, 40, 1));
        store
            .commit(&[changing(
                1,
                2,
                vec![again, ReadModelChange::TimerCleared(timer(1, 0, 2).key)],
            )])
            .unwrap();
        assert_eq!(dues(reader, 99, 9), [(20, 3), (30, 0), (40, 1)]);
    });
}
