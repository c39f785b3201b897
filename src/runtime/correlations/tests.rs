//! How the entity of a signal or message handles deliveries that overtake each other.

use std::sync::Arc;

use serde_json::json;
use uuid::Uuid;

use super::{
    decide::{CorrelationCommand, CorrelationContext, decide},
    decided::Decided,
    publish::Publishing,
    state::CorrelationState,
};
use crate::{
    engine::{
        correlation::{Correlation, CorrelationNote},
        instance_message::InstanceMessage,
        record::{CommandTag, Subscriber},
    },
    journal::KeptMessageRow,
    limits,
    model::ids::{InstanceKey, Time},
    runtime::keys,
};

fn instance(number: u128) -> InstanceKey {
    InstanceKey(Uuid::from_u128(number))
}

fn tag(number: u128) -> CommandTag {
    CommandTag {
        id: Uuid::from_u128(number),
        subject: "ada".to_owned(),
        hash: 0,
    }
}

struct Bench {
    state: CorrelationState,
    correlation: Correlation,
}

impl Bench {
    fn of_signal() -> Self {
        Self {
            state: CorrelationState::default(),
            correlation: Correlation::Signal {
                name: "tick".into(),
            },
        }
    }

    fn take(&mut self, command: CorrelationCommand) -> Decided {
        let around = CorrelationContext {
            now: Time(1_000),
            tenant: "default",
            correlation: &self.correlation,
            starts: &[],
            start_key: &|_, _| instance(0),
            may_keep: true,
            trace: None,
        };
        decide(&mut self.state, command, &around).expect("it is not refused")
    }

    fn note(&mut self, from: u128, note: CorrelationNote) -> Decided {
        let from = instance(from);
        let tag = tag(0);
        self.take(CorrelationCommand::Note { from, tag, note })
    }

    fn open(&mut self, from: u128, node: &str) {
        self.note(
            from,
            CorrelationNote::Opened {
                by: Subscriber::Scope(None),
                event: node.into(),
                process: Arc::from("p"),
                business_key: None,
            },
        );
    }

    fn settle(&mut self, from: u128, node: &str, taken: Option<u64>, stays_open: bool) -> Decided {
        self.note(
            from,
            CorrelationNote::Settled {
                by: Subscriber::Scope(None),
                event: node.into(),
                taken,
                stays_open,
            },
        )
    }

    fn publish(&mut self, number: u128) -> Decided {
        self.take(CorrelationCommand::Publish {
            tag: tag(number),
            data: json!({}),
            until: None,
            business_key: None,
        })
    }
}

fn deliveries(decided: &Decided) -> Vec<u64> {
    let sent = decided.outgoing.iter();
    sent.filter(|sent| matches!(sent.message, InstanceMessage::Delivery(_)))
        .map(|sent| sent.number)
        .collect()
}

#[test]
fn deliveries_to_an_ended_instance_count_as_not_taken() {
    let mut bench = Bench::of_signal();
    bench.open(1, "on tick");
    let first = deliveries(&bench.publish(11));
    let second = deliveries(&bench.publish(12));
    let third = deliveries(&bench.publish(13));
    let taken = bench.settle(1, "on tick", Some(first[0]), true);
    assert!(taken.settled[0].not_taken.is_none(), "{taken:?}");
    let ended = bench.settle(1, "on tick", None, false);
    let settled: Vec<u64> = ended.settled.iter().map(|it| it.number).collect();
    assert_eq!(settled, [second[0], third[0]]);
    assert!(ended.settled.iter().all(|it| it.not_taken.is_some()));
    assert_eq!(bench.publish(11).outcome.instances, [instance(1)]);
    assert!(bench.publish(12).outcome.instances.is_empty());
    assert!(bench.publish(13).outcome.instances.is_empty());
}

#[test]
fn a_repeated_publication_waits_for_pending_deliveries() {
    let mut bench = Bench::of_signal();
    bench.open(1, "on tick");
    let sent = deliveries(&bench.publish(11));
    bench.publish(12);
    let again = bench.publish(11);
    assert!(again.row.is_none() && again.outgoing.is_empty());
    assert_eq!(again.awaited, sent);
    bench.settle(1, "on tick", Some(sent[0]), true);
    assert!(bench.publish(11).awaited.is_empty());
}

#[test]
fn an_instance_with_two_subscriptions_is_named_once() {
    let mut bench = Bench::of_signal();
    bench.open(1, "on tick");
    bench.open(1, "boundary");
    let sent = deliveries(&bench.publish(11));
    assert_eq!(sent.len(), 2);
    bench.settle(1, "on tick", Some(sent[0]), true);
    bench.settle(1, "boundary", None, false);
    assert_eq!(bench.publish(11).outcome.instances, [instance(1)]);
}

#[test]
fn receivers_beyond_the_named_ones_are_counted() {
    let mut bench = Bench::of_signal();
    let all = 300;
    for number in 1..=all {
        bench.open(number, "on tick");
    }
    let mut decided = bench.publish(1_000);
    let named = decided.outcome.instances.len();
    assert_eq!(named, limits::SIGNAL_FAN_OUT);
    assert_eq!(decided.outcome.more_instances, all as u64 - named as u64);
    // One that was not reached yet ends.
    bench.settle(299, "on tick", None, false);
    let publication = decided
        .outgoing
        .iter()
        .find_map(|sent| match &sent.message {
            InstanceMessage::BroadcastMore { publication, .. } => Some(*publication),
            _ => None,
        });
    let publication = publication.expect("it goes on");
    while decided.outgoing.iter().any(|sent| sent.target.is_none()) {
        decided = bench.take(CorrelationCommand::Continue(publication));
    }
    // One of the unnamed instances did not take it, and one of the named ones.
    bench.settle(300, "on tick", None, false);
    bench.settle(1, "on tick", None, false);
    let outcome = bench.publish(1_000).outcome;
    let named = limits::PUBLICATION_INSTANCES - 1;
    assert_eq!(outcome.instances.len(), named);
    assert_eq!(outcome.more_instances, all as u64 - 3 - named as u64);
}

#[test]
fn buffered_messages_count_until_they_expire() {
    let message = Correlation::Message {
        name: "paid".into(),
        key: None,
    };
    let row = |number| KeptMessageRow {
        until: Time(2_000),
        entity: keys::of_correlation("acme", &message),
        number,
        tenant: "acme".to_owned(),
    };
    let maximum = limits::MESSAGES_KEPT.get() as u64;
    let publishing = Publishing::load((1..=maximum).map(row).collect());
    assert!(!publishing.has_room("acme", Time(1_999)));
    assert!(publishing.has_room("other", Time(1_999)));
    assert!(publishing.has_room("acme", Time(2_000)));
}
