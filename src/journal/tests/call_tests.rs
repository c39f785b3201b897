//! HTTP calls: when they are due, their attempts, and which are kept.

use super::fixtures::{changing, check, key};
use crate::{
    journal::{
        CallAttempts, CallChange, FullPlaces, HttpCallRow, ReadModelChange, StoreReader, WriteOp,
    },
    limits::WEBHOOKS_GIVEN_UP,
    model::ids::{InstanceKey, Time},
};

fn call(n: u128, seq: u64, host: &str, due: Option<i64>) -> HttpCallRow {
    HttpCallRow {
        instance: key(n),
        seq,
        tenant: "acme".into(),
        process: "p".into(),
        node: Some("n".into()),
        action: None,
        host: host.into(),
        url: format!("https://{host}/"),
        body: vec![seq as u8],
        placed_at: Time(seq as i64),
        tried: CallAttempts {
            attempts: 0,
            due: due.map(Time),
            problem: None,
        },
    }
}

fn placed(row: HttpCallRow) -> ReadModelChange {
    ReadModelChange::CallPlaced(Box::new(row))
}

fn due(reader: &dyn StoreReader, until: i64, without: &[&str], limit: usize) -> Vec<u64> {
    let full = FullPlaces {
        hosts: without.iter().map(|host| (*host).to_owned()).collect(),
        ..FullPlaces::default()
    };
    reader
        .due_calls(Time(until), &full, limit)
        .unwrap()
        .iter()
        .map(|call| call.seq)
        .collect()
}

fn listed(reader: &dyn StoreReader, after: Option<(InstanceKey, u64)>, limit: usize) -> Vec<u64> {
    reader
        .http_calls("acme", after, limit)
        .unwrap()
        .iter()
        .map(|call| call.seq)
        .collect()
}

#[test]
fn due_calls_are_read_by_due_time_without_busy_hosts() {
    check(|store, reader| {
        assert_eq!(reader.next_call(Time(0)).unwrap(), None);
        let rows = [
            call(1, 1, "a", Some(30)),
            call(1, 2, "b", Some(10)),
            call(2, 3, "a", Some(20)),
            call(2, 4, "c", None),
        ];
        store
            .commit(&[changing(1, 1, rows.clone().map(placed).to_vec())])
            .unwrap();
        assert_eq!(due(reader, 99, &[], 9), [2, 3, 1]);
        assert_eq!(due(reader, 20, &[], 9), [2, 3]);
        assert_eq!(due(reader, 99, &[], 2), [2, 3]);
        assert_eq!(due(reader, 99, &["a"], 9), [2]);
        assert_eq!(due(reader, 99, &["a", "b"], 9), [0; 0]);
        for (tenant, process, left) in [("acme", "p", 0), ("acme", "q", 3), ("else", "p", 3)] {
            let definitions = vec![(tenant.to_owned(), process.to_owned())];
            let full = FullPlaces {
                definitions,
                ..FullPlaces::default()
            };
            assert_eq!(reader.due_calls(Time(99), &full, 9).unwrap().len(), left);
        }
        for (tenant, left) in [("acme", 0), ("else", 3)] {
            let full = FullPlaces {
                tenants: vec![tenant.to_owned()],
                ..FullPlaces::default()
            };
            assert_eq!(reader.due_calls(Time(99), &full, 9).unwrap().len(), left);
        }
        assert_eq!(
            reader
                .due_calls(Time(10), &FullPlaces::default(), 9)
                .unwrap(),
            [rows[1].clone()]
        );
        assert_eq!(
            (
                reader.next_call(Time(9)).unwrap(),
                reader.next_call(Time(10)).unwrap()
            ),
            (Some(Time(10)), Some(Time(20)))
        );
        assert_eq!(reader.next_call(Time(30)).unwrap(), None);
    });
}

#[test]
fn a_call_is_attempted_given_up_and_deleted() {
    check(|store, reader| {
        let rows = [
            call(1, 1, "a", Some(10)),
            call(1, 2, "a", Some(10)),
            call(2, 3, "a", Some(10)),
        ];
        store
            .commit(&[changing(1, 1, rows.map(placed).to_vec())])
            .unwrap();
        let tried = |due: Option<i64>| {
            CallChange::Attempted(CallAttempts {
                attempts: 2,
                due: due.map(Time),
                problem: Some("expected …".to_owned()),
            })
        };
        let tries = [
            (1, 1, tried(Some(50))),
            (2, 3, tried(None)),
            (9, 9, tried(Some(1))),
            (9, 9, CallChange::Forgotten),
        ];
        store
            .commit(&tries.map(|(n, seq, change)| WriteOp::HttpCall(key(n), seq, change)))
            .unwrap();
        assert_eq!(due(reader, 99, &[], 9), [2, 1]);
        assert_eq!(
            reader
                .due_calls(Time(50), &FullPlaces::default(), 9)
                .unwrap()[1]
                .tried
                .attempts,
            2
        );
        assert_eq!(
            listed(reader, None, 9),
            [3, 2, 1],
            "what was given up is still there"
        );
        assert_eq!(
            (
                listed(reader, None, 2),
                listed(reader, Some((key(1), 2)), 9)
            ),
            (vec![3, 2], vec![1])
        );
        assert_eq!(reader.http_calls("other", None, 9).unwrap(), []);
        store
            .commit(&[changing(
                1,
                2,
                vec![ReadModelChange::CallForgotten(key(1), 2)],
            )])
            .unwrap();
        store
            .commit(&[WriteOp::HttpCall(key(1), 1, CallChange::Forgotten)])
            .unwrap();
        assert_eq!(listed(reader, None, 9), [3]);
    });
}

#[test]
fn given_up_calls_are_kept_up_to_a_limit() {
    check(|store, reader| {
        let many = WEBHOOKS_GIVEN_UP.get() as u64;
        let rows = (1..=many)
            .map(|seq| placed(call(1, seq, "a", None)))
            .chain([placed(call(1, many + 1, "a", Some(1)))]);
        store.commit(&[changing(1, 1, rows.collect())]).unwrap();
        let given_up = CallChange::Attempted(CallAttempts {
            attempts: 8,
            due: None,
            problem: None,
        });
        store
            .commit(&[WriteOp::HttpCall(key(1), many + 1, given_up)])
            .unwrap();
        let kept = listed(reader, None, usize::MAX);
        assert_eq!(
            (kept.len(), kept.first(), kept.last()),
            (WEBHOOKS_GIVEN_UP.get(), Some(&(many + 1)), Some(&2))
        );
    });
}
