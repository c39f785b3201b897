//! Tickets, passwords and tokens.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use reqwest::Method;
use serde_json::{Value, json};
use stepwire::runtime::clock::real_now;

use super::{
    Outcome,
    field::{ATTACKER, Field, OTHER, Tally, sent, swarm},
};

/// The number of clients without a token, which fetch tickets with the token of their anonymous
/// start.
const STRANGERS: usize = 105;
/// The number of tickets that each of them fetches.
const TICKETS: usize = 100;

/// Strangers fetch as many tickets as they can; a user gets one nevertheless.
pub async fn tickets(field: Arc<Field>) -> Outcome {
    let tally = Arc::<Tally>::default();
    let (told, end) = (tally.clone(), field.end());
    let turn = Arc::<AtomicUsize>::default();
    swarm(&field, 16, move |field, _| {
        let (told, turn) = (told.clone(), turn.clone());
        async move {
            let client = field.client(ATTACKER);
            // For a table the attack runs to its end.
            let goes_on = || field.long || Instant::now() < end;
            while turn.fetch_add(1, Ordering::Relaxed) < STRANGERS && goes_on() {
                let request = client.post(field.url("/v1/instances"));
                let (status, text) = sent(request.json(&json!({"process": "onboarding"}))).await;
                let started: Value = serde_json::from_str(&text).unwrap_or_default();
                let Some(token) = started["token"].as_str() else {
                    told.add(format!("start {status}"));
                    continue;
                };
                for _ in 0..TICKETS {
                    if !goes_on() {
                        break;
                    }
                    let request = client.post(field.url("/v1/tickets")).bearer_auth(token);
                    told.add(sent(request.json(&json!({"for": "ws"}))).await.0);
                }
            }
        }
    })
    .await;
    tally.only(&["201", "429", "503", "start 429", "start 503"]);
    let client = field.client(OTHER);
    let mut outcome = Outcome::of(&tally);
    for (user, roles) in [("olivia", &[] as &[&str]), ("olga", &["operator"])] {
        let request = client.post(field.url("/v1/tickets"));
        let request = request.bearer_auth(field.token(user, roles));
        let (status, text) = sent(request.json(&json!({"for": "ws"}))).await;
        outcome.must(&field, status == 201, || {
            format!("{user} gets no ticket: {status} {text}")
        });
    }
    outcome
}

/// Wrong passwords for a known name; its user signs in with the right one from another address.
pub async fn wrong_passwords(field: Arc<Field>) -> Outcome {
    let bob = json!({"name": "bob", "password": "the right one", "roles": []});
    let (status, text) = field.owner(Method::POST, "/v1/users", bob).await;
    assert_eq!(status, 201, "{text}");
    let tally = Arc::<Tally>::default();
    let (told, end) = (tally.clone(), field.end());
    swarm(&field, 8, move |field, _| {
        let told = told.clone();
        async move {
            let client = field.client(ATTACKER);
            while Instant::now() < end {
                let request = client.post(field.url("/v1/login"));
                let wrong = json!({"username": "bob", "password": "a wrong one"});
                told.add(sent(request.json(&wrong)).await.0);
            }
        }
    })
    .await;
    tally.only(&["401", "429", "503"]);
    assert!(tally.of("429") > 0, "{tally}");
    let right = json!({"username": "bob", "password": "the right one"});
    let request = field.client(OTHER).post(field.url("/v1/login"));
    let (status, text) = sent(request.json(&right)).await;
    assert_eq!(status, 200, "{text}");
    Outcome::of(tally)
}

/// Signed tokens whose times are invalid or too far in the future.
pub async fn endless_tokens(field: Arc<Field>) -> Outcome {
    let now = real_now().0 / 1000;
    let tally = Tally::default();
    let client = field.client(ATTACKER);
    let end = field.end();
    let ends = [
        json!(1e300),
        json!(f64::MAX),
        json!(u64::MAX),
        json!(-1),
        json!(0),
        json!(null),
        json!("never"),
        json!(format!("{}", now + 3600)),
        json!([now + 3600]),
        json!(true),
        json!(now + 1_000 * 366 * 24 * 3600),
    ];
    loop {
        for exp in &ends {
            let token = field.signed(&json!({"sub": "mallory", "exp": exp, "roles": ["admin"]}));
            let request = client.get(field.url("/v1/tasks")).bearer_auth(&token);
            let (status, text) = sent(request).await;
            assert!(status == 401 || status == 429, "{exp}: {status} {text}");
            tally.add(status);
        }
        let without = field.signed(&json!({"sub": "mallory"}));
        let (status, _) = sent(client.get(field.url("/v1/tasks")).bearer_auth(&without)).await;
        assert!(status == 401 || status == 429, "{status}");
        if Instant::now() >= end {
            break;
        }
    }
    Outcome::of(tally)
}
