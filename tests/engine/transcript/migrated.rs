//! The notation of migrations. An element keeps the name it had when it was activated.

use stepwire::{engine::Record, model::ids::Time};

use super::{Names, words::waits_for};

pub(super) fn written(record: &Record, names: &Names, now: Time) -> String {
    match record {
        Record::Migrated(migrated) => {
            let renamed = migrated.renamed.iter();
            let renamed: Vec<String> = renamed.map(|(from, to)| format!(" {from}={to}")).collect();
            format!(
                "migrated to version {}{}",
                migrated.to.version,
                renamed.concat()
            )
        }
        Record::SubscriptionsRenewed { by, subscriptions } => {
            let waits = subscriptions.iter().map(|it| {
                let kept = if it.since.is_some() { " still" } else { "" };
                let what = waits_for(&it.subscription, now);
                format!("@{}:{}{kept}{what}", it.event, it.occurrence)
            });
            let waits = waits.collect::<Vec<_>>().join(", ");
            let waits = if waits.is_empty() { "nothing" } else { &waits };
            format!("{} waits now for {waits}", names.subscriber(*by))
        }
        other => panic!("not about a version: {other:?}"),
    }
}
