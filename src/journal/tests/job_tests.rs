//! Jobs in every order, page by page.

use super::fixtures::{changing, check, instance, key};
use crate::{
    engine::job_status::JobStatus::{self, Done, Failed, Running},
    journal::{JobFilter, JobOrder, JobRow, ReadModelChange, StoreReader},
    model::ids::Time,
};

/// Job `n` of a process, started at `n`.
fn job(n: u128, process: &str, status: JobStatus, status_at: i64) -> JobRow {
    JobRow {
        instance: key(n),
        tenant: "acme".into(),
        process: process.into(),
        started_by: if n.is_multiple_of(2) { "bob" } else { "alice" }.into(),
        created_at: Time(n as i64),
        status,
        status_at: Time(status_at),
    }
}

fn changes(jobs: &[JobRow]) -> Vec<ReadModelChange> {
    let with_instance = |job: &JobRow| {
        let n = job.created_at.0 as u128;
        [
            ReadModelChange::Instance(instance(n, &job.process, "started"), None),
            ReadModelChange::Job(job.clone()),
        ]
    };
    jobs.iter().flat_map(with_instance).collect()
}

fn all() -> JobFilter {
    JobFilter {
        tenant: "acme".into(),
        started_by: None,
        processes: vec!["b".into(), "a".into()],
        statuses: vec![Running, Done, Failed],
        from: Time(i64::MIN),
        to: Time(i64::MAX),
    }
}

/// The times when the jobs of a list were started. Every page of every length is a part of the
/// list.
#[track_caller]
fn listed(reader: &dyn StoreReader, filter: &JobFilter, order: JobOrder) -> Vec<i64> {
    let page = |offset, limit| {
        let jobs = reader.jobs(filter, order, offset, limit).unwrap();
        jobs.iter().map(|job| job.created_at.0).collect::<Vec<_>>()
    };
    let whole = page(0, 99);
    assert_eq!(reader.count_jobs(filter).unwrap(), whole.len() as u64);
    for length in 1..=whole.len() + 1 {
        for offset in 0..=whole.len() {
            let end = (offset + length).min(whole.len());
            assert_eq!(
                page(offset as u64, length),
                whole[offset..end],
                "{length} from {offset}"
            );
        }
    }
    whole
}

#[test]
fn jobs_are_listed_in_each_order() {
    check(|store, reader| {
        let jobs = [
            job(1, "a", Running, 1),
            job(2, "b", Running, 2),
            job(3, "a", Done, 50),
            job(4, "a", Failed, 40),
            job(5, "b", Done, 30),
            job(6, "c", Done, 35),
            job(7, "a", Running, 7),
            job(8, "a", Done, 50),
        ];
        store.commit(&[changing(1, 1, changes(&jobs))]).unwrap();
        // The first ends later.
        store
            .commit(&[changing(
                1,
                2,
                vec![ReadModelChange::Job(job(1, "a", Done, 60))],
            )])
            .unwrap();
        let all = all();
        let time = |descending| JobOrder::StatusAt { descending };
        assert_eq!(listed(reader, &all, time(true)), [1, 8, 3, 4, 5, 7, 2]);
        assert_eq!(listed(reader, &all, time(false)), [2, 7, 5, 4, 3, 8, 1]);
        assert_eq!(
            listed(reader, &all, JobOrder::Process),
            [2, 5, 7, 1, 8, 3, 4]
        );
        assert_eq!(
            listed(reader, &all, JobOrder::Status),
            [2, 7, 5, 1, 8, 3, 4]
        );
        let mine = JobFilter {
            started_by: Some("alice".into()),
            ..all.clone()
        };
        assert_eq!(listed(reader, &mine, time(true)), [1, 3, 5, 7]);
        assert_eq!(listed(reader, &mine, JobOrder::Process), [5, 7, 1, 3]);
        let between = JobFilter {
            from: Time(30),
            to: Time(50),
            ..all.clone()
        };
        assert_eq!(listed(reader, &between, time(true)), [8, 3, 4, 5]);
        assert_eq!(listed(reader, &between, JobOrder::Status), [5, 8, 3, 4]);
        let ended = JobFilter {
            statuses: vec![Done, Failed],
            processes: vec!["a".into()],
            ..all.clone()
        };
        assert_eq!(listed(reader, &ended, JobOrder::Process), [1, 8, 3, 4]);
        for none in [
            JobFilter {
                tenant: "other".into(),
                ..all.clone()
            },
            JobFilter {
                processes: Vec::new(),
                ..all.clone()
            },
            JobFilter {
                statuses: Vec::new(),
                ..all.clone()
            },
            JobFilter {
                from: Time(2),
                to: Time(1),
                ..all
            },
        ] {
            assert_eq!(listed(reader, &none, time(true)), [0; 0], "{none:?}");
            assert_eq!(listed(reader, &none, JobOrder::Process), [0; 0], "{none:?}");
        }
    });
}

#[test]
fn the_newest_jobs_of_a_process_are_those_started_last() {
    check(|store, reader| {
        let jobs = [
            job(1, "a", Done, 90),
            job(2, "a", Running, 2),
            job(3, "a", Done, 10),
            job(4, "b", Running, 4),
        ];
        store.commit(&[changing(1, 1, changes(&jobs))]).unwrap();
        let newest = |tenant, started_by| {
            let jobs = reader.newest_jobs(tenant, "a", started_by, 2).unwrap();
            jobs.iter().map(|job| job.created_at.0).collect::<Vec<_>>()
        };
        assert_eq!(newest("acme", None), [3, 2]);
        assert_eq!(newest("acme", Some("alice")), [3, 1]);
        assert_eq!(newest("acme", Some("carol")), [0; 0]);
        assert_eq!(newest("other", None), [0; 0]);
        assert_eq!(reader.job(key(3)).unwrap(), Some(jobs[2].clone()));
        assert_eq!(reader.job(key(9)).unwrap(), None);
    });
}
