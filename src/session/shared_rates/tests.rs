use std::sync::Arc;

use uuid::Uuid;

use super::*;
use crate::session::auth::token::Identity;

const START: Charge = Charge::Start;
const REQUEST: Charge = Charge::Request(0);

fn limits() -> Limits {
    Limits {
        anonymous: Rates {
            requests: Quota::new(10, 20),
            bytes: Quota::new(100, 1_000),
            starts: Quota::new(5, 20),
        },
        user: Rates {
            requests: Quota::new(50, 100),
            ..Rates::OFF
        },
        address: Rates {
            requests: Quota::new(100, 150),
            ..Rates::OFF
        },
        ..Limits::default()
    }
}

fn user(name: &str, instance: Option<Uuid>) -> Principal {
    Principal::new(Some(Identity {
        subject: name.to_owned(),
        instance: instance.map(crate::model::ids::InstanceKey),
        ..Identity::anonymous(Uuid::nil())
    }))
}

fn address(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

/// How many of these requests pass at once.
fn passed(rates: &SharedRates, payer: Payer, asked: Charge, now: Instant) -> usize {
    (0..1_000)
        .take_while(|_| rates.admit(payer, asked, now).is_ok())
        .count()
}

#[test]
fn strangers_of_an_address_share_its_rates_with_any_tree_token() {
    let (rates, now) = (SharedRates::new(&limits()), Instant::now());
    let nobody = rates.payer(None, address("192.0.2.1"));
    let guest = rates.payer(
        Some(&user("guest", Some(Uuid::nil()))),
        address("192.0.2.1"),
    );
    assert_eq!(nobody, guest);
    assert_eq!(passed(&rates, nobody, START, now), 20);
    let spent = rates.admit(guest, START, now).unwrap_err();
    assert_eq!(spent.limit, Limit::AnonymousStarts);
    assert!(spent.sentence().contains("starts"), "{}", spent.sentence());
    let elsewhere = rates.payer(None, address("192.0.2.2"));
    assert!(rates.admit(elsewhere, START, now).is_ok());
    assert_eq!(
        passed(&rates, nobody, START, now + Duration::from_secs(2)),
        10
    );
}

#[test]
fn a_network_of_ipv6_is_one_address() {
    let (rates, now) = (SharedRates::new(&limits()), Instant::now());
    let of = |text| rates.payer(None, address(text));
    assert_eq!(passed(&rates, of("2001:db8::1"), REQUEST, now), 20);
    assert!(rates.admit(of("2001:db8::2"), REQUEST, now).is_err());
    assert!(rates.admit(of("2001:db8:0:1::2"), REQUEST, now).is_ok());
}

#[test]
fn users_count_for_themselves_and_together_for_their_address_apart_from_strangers() {
    let (rates, now) = (SharedRates::new(&limits()), Instant::now());
    let at = address("192.0.2.1");
    let payer = |name| rates.payer(Some(&user(name, None)), at);
    assert_eq!(passed(&rates, rates.payer(None, at), REQUEST, now), 20);
    assert_eq!(passed(&rates, payer("alice"), REQUEST, now), 100);
    let limit = |payer| {
        rates
            .admit(payer, REQUEST, now)
            .map_err(|spent| spent.limit)
    };
    assert_eq!(limit(payer("alice")), Err(Limit::UserRequests));
    // Each refused one counts for the address: whoever is over the rate continues to send.
    let others = passed(&rates, payer("bob"), REQUEST, now);
    assert!((45..=50).contains(&others), "{others}");
    assert_eq!(limit(payer("bob")), Err(Limit::AddressRequests));
    let bob_at_home = rates.payer(Some(&user("bob", None)), address("192.0.2.9"));
    assert_eq!(limit(bob_at_home), Ok(()));
    // Clients of the local socket have no address.
    assert_eq!(rates.payer(None, None), Payer::default());
    assert_eq!(passed(&rates, Payer::default(), START, now), 1_000);
}

#[test]
fn large_bodies_use_the_rate_and_the_largest_passes_after_a_pause() {
    let (rates, now) = (SharedRates::new(&limits()), Instant::now());
    let payer = rates.payer(None, address("192.0.2.1"));
    let megabyte = Charge::Request(1 << 20);
    assert!(rates.admit(payer, megabyte, now).is_ok());
    let spent = rates.admit(payer, Charge::Request(100), now).unwrap_err();
    assert_eq!(
        (spent.limit, spent.after),
        (Limit::AnonymousBytes, Duration::from_secs(1))
    );
    assert!(
        rates
            .admit(payer, megabyte, now + Duration::from_secs(9))
            .is_err()
    );
    assert!(
        rates
            .admit(payer, megabyte, now + Duration::from_secs(10))
            .is_ok()
    );
}

/// Many clients of one address start at once, and each repeats as told.
#[test]
fn waiting_as_told_is_enough_to_pass() {
    let (rates, start) = (SharedRates::new(&limits()), Instant::now());
    let payer = rates.payer(None, address("192.0.2.1"));
    let mut due = std::collections::BinaryHeap::from_iter(
        (0..200).map(|_| std::cmp::Reverse(Duration::ZERO)),
    );
    let (mut asked, mut last) = (0, Duration::ZERO);
    while let Some(std::cmp::Reverse(at)) = due.pop() {
        (asked, last) = (asked + 1, at);
        if let Err(spent) = rates.admit(payer, START, start + at) {
            due.push(std::cmp::Reverse(at + spent.after));
        }
    }
    assert!(asked <= 2 * 200, "each comes again once: {asked}");
    assert_eq!(last, Duration::from_secs(36), "180 at 5 per second");
}

#[test]
fn memory_is_bounded_whatever_number_of_addresses_comes() {
    let (rates, now) = (SharedRates::new(&limits()), Instant::now());
    let kept = || -> usize {
        let shards = rates.anonymous.shards.iter();
        shards.map(|shard| shard.lock().unwrap().known.len()).sum()
    };
    for number in 0..2 * limits::RATES_KEPT as u32 {
        let payer = rates.payer(None, Some(std::net::Ipv4Addr::from(number).into()));
        let _ = rates.admit(payer, START, now);
    }
    assert!(kept() <= limits::RATES_KEPT, "{}", kept());
    // Those without a bucket of their own share a rate.
    let more = (0..10_000).filter(|number| {
        let address = std::net::Ipv4Addr::from(u32::MAX - number);
        rates
            .admit(rates.payer(None, Some(address.into())), START, now)
            .is_ok()
    });
    assert!(more.count() <= SHARDS * 20);
    // Users are separate: strangers take none of their room.
    let alice = rates.payer(Some(&user("alice", None)), address("192.0.2.1"));
    assert_eq!(passed(&rates, alice, REQUEST, now), 100);
    // When buckets are full again they are forgotten.
    let later = now + Duration::from_secs(60);
    for number in 0..1_000_u32 {
        let address = std::net::Ipv4Addr::from(u32::MAX / 2 - number);
        let payer = rates.payer(None, Some(address.into()));
        assert!(rates.admit(payer, START, later).is_ok());
    }
    assert!(kept() <= 1_000, "{}", kept());
}

#[test]
fn off_is_off() {
    let off = Limits {
        anonymous: Rates::OFF,
        user: Rates::OFF,
        address: Rates::OFF,
        ..Limits::default()
    };
    let (rates, now) = (SharedRates::new(&off), Instant::now());
    for payer in [
        rates.payer(None, address("192.0.2.1")),
        rates.payer(Some(&user("alice", None)), address("192.0.2.1")),
    ] {
        assert_eq!(passed(&rates, payer, START, now), 1_000);
        assert_eq!(passed(&rates, payer, Charge::Request(1 << 30), now), 1_000);
    }
}

fn debt(bytes: usize) -> Debt {
    Debt { bytes, starts: 0.0 }
}

#[test]
fn a_later_charge_is_waited_for_up_to_a_bound() {
    let (rates, now) = (SharedRates::new(&limits()), Instant::now());
    let payer = rates.payer(None, address("192.0.2.1"));
    let other = rates.payer(None, address("192.0.2.2"));
    let asked = Charge::Request(10);
    assert!(rates.admit(payer, asked, now).is_ok());
    // A thousand arrive at once, of which 10 are accepted, and a hundred per second.
    rates.owe(payer, debt(1_490), now);
    let spent = rates.admit(payer, asked, now).unwrap_err();
    assert_eq!(
        (spent.limit, spent.after.as_millis()),
        (Limit::AnonymousBytes, 5_100)
    );
    assert!(rates.admit(other, asked, now).is_ok());
    let later = now + spent.after;
    assert!(rates.admit(payer, asked, later).is_ok());
    rates.owe(payer, debt(usize::MAX), later);
    let spent = rates.admit(payer, Charge::Request(0), later);
    assert!(spent.is_ok(), "what costs no bytes is not held");
    let spent = rates.admit(payer, asked, later).unwrap_err();
    assert!(spent.after <= limits::RATE_OWED + Duration::from_secs(1));
}

#[test]
fn what_a_command_writes_counts_for_its_caller() {
    let limits = Limits {
        user: limits().anonymous,
        address: Rates::OFF,
        ..limits()
    };
    let (rates, now) = (SharedRates::new(&limits), Instant::now());
    let asked = Charge::Request(10);
    let address = address("192.0.2.1");
    let mut alice = user("alice", None);
    alice.caller.address = address;
    let payer = rates.payer(Some(&alice), address);
    let others = [
        rates.payer(Some(&user("bob", None)), None),
        rates.payer(None, address),
    ];
    rates.owe_written(WrittenFor::Caller(&alice.caller), usize::MAX);
    assert!(rates.admit(payer, asked, now).is_err());
    for other in others {
        assert!(rates.admit(other, asked, now).is_ok());
    }
    let mut stranger = alice.caller;
    stranger.trees = Some(Arc::default());
    rates.owe_written(WrittenFor::Caller(&stranger), usize::MAX);
    assert!(rates.admit(others[1], asked, now).is_err());
    assert!(rates.admit(others[0], asked, now).is_ok());
}

#[test]
fn instances_that_one_request_starts_count_as_starts() {
    let (rates, now) = (SharedRates::new(&limits()), Instant::now());
    let payer = rates.payer(None, address("192.0.2.1"));
    assert!(rates.admit(payer, Charge::Start, now).is_ok());
    let starts = 1e6;
    rates.owe(payer, Debt { bytes: 0, starts }, now);
    let spent = rates.admit(payer, Charge::Start, now).unwrap_err();
    assert_eq!(spent.limit, Limit::AnonymousStarts);
    assert!(spent.after > limits::RATE_OWED);
    assert!(rates.admit(payer, Charge::Request(10), now).is_ok());
}

#[test]
fn what_instances_write_by_themselves_counts_as_starts_of_the_user_who_started_them() {
    let limits = Limits {
        user: limits().anonymous,
        ..limits()
    };
    let (rates, now) = (SharedRates::new(&limits), Instant::now());
    let [alice, bob] = ["alice", "bob"].map(|name| user(name, None));
    let [payer, other] = [&alice, &bob].map(|user| rates.payer(Some(user), None));
    let whom = WrittenFor::Starter {
        tenant: &alice.caller.tenant,
        subject: &alice.caller.subject,
    };
    rates.owe_written(whom, limits::WRITTEN_AS_A_START * 100);
    let spent = rates.admit(payer, Charge::Start, now).unwrap_err();
    assert_eq!(spent.limit, Limit::UserStarts);
    // Nobody is kept from ending what writes so much.
    assert!(rates.admit(payer, Charge::Request(10), now).is_ok());
    assert!(rates.admit(other, Charge::Start, now).is_ok());
}
