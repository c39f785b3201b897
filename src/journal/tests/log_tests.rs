//! Rows, snapshots, the outbox, and the effects of a refused batch.

use super::fixtures::{self, append, check, key, row};
use crate::{
    journal::{
        Commit, Entity, KeptMessage, KeptMessageRow, LogPart, OutboxRow, SnapshotRow, StoreError,
        WriteOp,
    },
    limits,
    model::ids::Time,
};

fn seqs(rows: &[crate::journal::StoredRow]) -> Vec<(u64, u64)> {
    rows.iter()
        .map(|stored| (stored.row.first_seq, stored.row.last_seq))
        .collect()
}

#[test]
fn appended_rows_are_loaded() {
    check(|store, reader| {
        let entity = Entity::from(key(1));
        assert!(reader.load(entity).unwrap().is_empty());
        assert!(!reader.exists(entity).unwrap());
        store
            .commit(&[append(1, 1, 3), append(2, 1, 1), append(1, 4, 4)])
            .unwrap();
        let loaded = reader.load(entity).unwrap();
        assert_eq!(loaded.snapshot, None);
        assert_eq!(
            loaded
                .rows
                .iter()
                .map(|stored| stored.row.clone())
                .collect::<Vec<_>>(),
            [row(1, 1, 3), row(1, 4, 4)]
        );
        assert_eq!(
            loaded
                .rows
                .iter()
                .map(|stored| (stored.pos, stored.epoch))
                .collect::<Vec<_>>(),
            [(1, 1), (3, 1)]
        );
        assert!(reader.exists(entity).unwrap());
    });
}

#[test]
fn expired_messages_are_deleted_when_later_ones_arrive() {
    check(|store, reader| {
        // Row `first` has the time 1,000 + `first`.
        let mut keep = |n, first, until| {
            let kept = KeptMessage {
                number: first,
                until: Time(until),
            };
            let commit = Commit {
                kept: Some(kept),
                ..Commit::of(row(n, first, first))
            };
            store.commit(&[WriteOp::Commit(commit)]).unwrap();
        };
        keep(1, 1, 1_004);
        keep(1, 2, 1_005);
        keep(2, 3, 2_000);
        let numbers =
            |rows: &[KeptMessageRow]| rows.iter().map(|row| row.number).collect::<Vec<_>>();
        let kept = reader.kept_messages().unwrap();
        assert_eq!(numbers(&kept), [1, 2, 3]);
        let (entity, tenant) = (Entity::from(key(2)), "acme".to_owned());
        let last = KeptMessageRow {
            until: Time(2_000),
            entity,
            number: 3,
            tenant,
        };
        assert_eq!(kept[2], last);
        keep(3, 6, 3_000);
        assert_eq!(numbers(&reader.kept_messages().unwrap()), [3, 6]);
    });
}

#[test]
fn a_snapshot_replaces_the_rows_before_it() {
    check(|store, reader| {
        let snapshot = |seq| SnapshotRow {
            seq,
            body: vec![9; 5],
        };
        let with = Commit {
            snapshot: Some(snapshot(3)),
            ..Commit::of(row(1, 2, 3))
        };
        store
            .commit(&[append(1, 1, 1), WriteOp::Commit(with), append(1, 4, 6)])
            .unwrap();
        let loaded = reader.load(key(1).into()).unwrap();
        assert_eq!(
            (loaded.snapshot, seqs(&loaded.rows)),
            (Some(snapshot(3)), vec![(4, 6)])
        );

        store
            .commit(&[WriteOp::Snapshot(key(1).into(), snapshot(6))])
            .unwrap();
        let loaded = reader.load(key(1).into()).unwrap();
        assert_eq!(
            (loaded.snapshot, seqs(&loaded.rows)),
            (Some(snapshot(6)), vec![])
        );
    });
}

#[test]
fn rows_after_a_seq_begin_with_the_row_around_it() {
    check(|store, reader| {
        store
            .commit(&[
                append(1, 1, 3),
                append(1, 4, 6),
                append(1, 7, 7),
                append(2, 1, 9),
            ])
            .unwrap();
        for (after, limit, expected) in [
            (0, 9, vec![(1, 3), (4, 6), (7, 7)]),
            (2, 9, vec![(1, 3), (4, 6), (7, 7)]),
            (3, 9, vec![(4, 6), (7, 7)]),
            (4, 1, vec![(4, 6)]),
            (7, 9, vec![]),
        ] {
            assert_eq!(
                seqs(&reader.rows(key(1).into(), after, limit).unwrap()),
                expected,
                "after {after}, limit {limit}"
            );
        }
    });
}

#[test]
fn each_instance_key_is_listed_once_and_in_order() {
    check(|store, reader| {
        store
            .commit(&[
                append(3, 1, 1),
                append(1, 1, 1),
                append(2, 1, 1),
                append(3, 2, 2),
            ])
            .unwrap();
        assert_eq!(
            reader.instance_keys(key(0), 9).unwrap(),
            [key(1), key(2), key(3)]
        );
        assert_eq!(reader.instance_keys(key(1), 1).unwrap(), [key(2)]);
        assert_eq!(reader.instance_keys(key(3), 9).unwrap(), []);
    });
}

#[test]
fn a_refused_batch_leaves_no_trace() {
    check(|store, reader| {
        store.commit(&[append(1, 1, 1)]).unwrap();
        let error = store
            .commit(&[append(2, 1, 1), append(1, 1, 2)])
            .unwrap_err();
        assert!(
            matches!(error, StoreError::Conflict(entity, 1) if entity == key(1).into()),
            "{error}"
        );
        assert!(!reader.exists(key(2).into()).unwrap());
        assert_eq!(seqs(&reader.load(key(1).into()).unwrap().rows), [(1, 1)]);
    });
}

#[test]
fn the_outbox_keeps_undelivered_messages() {
    check(|store, reader| {
        let message = |seq| OutboxRow {
            seq,
            target: key(7).into(),
            body: vec![1, 2],
            publication: (seq > 1).then_some(seq - 1),
        };
        let sending = |n, seq, messages| {
            WriteOp::Commit(Commit {
                outbox: messages,
                ..Commit::of(row(n, seq, seq + 1))
            })
        };
        store
            .commit(&[
                sending(2, 1, vec![message(1), message(2)]),
                sending(1, 5, vec![message(5)]),
            ])
            .unwrap();
        let left = || -> Vec<_> {
            reader
                .outbox()
                .unwrap()
                .into_iter()
                .map(|found| (found.source.instance(), found.row.seq))
                .collect()
        };
        assert_eq!(left(), [(key(1), 5), (key(2), 1), (key(2), 2)]);
        assert_eq!(reader.outbox().unwrap()[1].row, message(1));
        let delivered = WriteOp::OutboxDelivered(key(2).into(), 1);
        store.commit(&[delivered.clone(), delivered]).unwrap();
        assert_eq!(left(), [(key(1), 5), (key(2), 2)]);
    });
}

#[test]
fn a_part_of_the_log_is_bounded_by_rows_and_by_bytes() {
    fixtures::check(|store, reader| {
        let entity = fixtures::key(1).into();
        let large = limits::LOG_PART_BYTES / 4;
        let rows: Vec<WriteOp> = (0..60)
            .map(|n| {
                let mut row = fixtures::row(1, 2 * n + 1, 2 * n + 2);
                if n >= 40 {
                    row.body = vec![7; large];
                }
                WriteOp::Commit(Commit::of(row))
            })
            .collect();
        store.commit(&rows).unwrap();
        let part = |after, maximum| {
            let part = LogPart::read(reader, entity, after, maximum).unwrap();
            (part.rows.len(), part.is_cut, part.reaches(80))
        };
        assert_eq!(part(0, 20), (20, true, false), "so many rows");
        assert_eq!(part(0, 40), (40, true, true));
        assert_eq!(part(0, 100), (44, true, true), "so many bytes");
        assert_eq!(part(60, 13), (13, true, true));
        assert_eq!(part(114, 100), (3, false, true), "all there are");
        assert_eq!(part(120, 100), (0, false, true));
        assert_eq!(part(0, 0), (0, true, false));
    });
}
