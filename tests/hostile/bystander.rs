//! Another user, at another address, who works during an attack: starts an instance and reads it,
//! repeatedly. Nothing of it may be refused or lost.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{
    sync::oneshot,
    time::{MissedTickBehavior, interval},
};

use super::field::{Field, OTHER};

/// Between two visits: slow enough for any rate of a single user, and often enough for its slowest
/// answer in a hundred to be more than one.
const PACE: Duration = Duration::from_millis(25);

/// What a bystander met with.
#[derive(Default)]
pub struct Met {
    /// How long answers took.
    pub took: Vec<Duration>,
    /// What was not answered as it should be.
    pub refused: Vec<String>,
    /// The instances that were started.
    pub started: Vec<String>,
}

impl Met {
    /// The time that this share of the answers took at most, in milliseconds.
    pub fn percentile(&self, share: f64) -> f64 {
        let mut took = self.took.clone();
        took.sort_unstable();
        let index = (took.len() as f64 * share).ceil() as usize;
        took.get(index.saturating_sub(1))
            .map_or(f64::NAN, |took| took.as_secs_f64() * 1000.0)
    }
}

/// The process that it works with.
pub fn process() -> Value {
    json!({
        "id": "visit",
        "nodes": [{"id": "start", "type": "startEvent"}, {"id": "ask", "type": "userTask"}, {"id": "end", "type": "endEvent"}],
        "flows": [{"id": "f1", "source": "start", "target": "ask"}, {"id": "f2", "source": "ask", "target": "end"}],
    })
}

/// Works for as long as something else continues; with what that comes to. On a thread of its own,
/// so that it is not the attackers' work that it waits for.
pub async fn beside<T>(field: &Arc<Field>, other: impl Future<Output = T>) -> (Met, T) {
    let (stop, mut stopped) = oneshot::channel::<()>();
    let own = field.clone();
    let working = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async move {
            let client = own.client(OTHER);
            let token = own.token("olivia", &[]);
            let mut met = Met::default();
            let mut pace = interval(PACE);
            pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    biased;
                    _ = &mut stopped => return met,
                    _ = pace.tick() => visit(&own, &client, &token, &mut met).await,
                }
            }
        })
    });
    let done = other.await;
    // It waits for this.
    let _ = stop.send(());
    (working.join().expect("a bystander does no harm"), done)
}

async fn visit(field: &Field, client: &reqwest::Client, token: &str, met: &mut Met) {
    let start = client.post(field.url("/v1/instances"));
    let body = json!({"process": "visit", "data": {"a": 1}});
    let Some(started) = timed(start.json(&body), token, 201, met).await else {
        return;
    };
    let key = started["instance"].as_str().unwrap_or_default().to_owned();
    let path = format!("/v1/instances/{key}");
    met.started.push(key);
    timed(client.get(field.url(&path)), token, 200, met).await;
}

async fn timed(
    request: reqwest::RequestBuilder,
    token: &str,
    expected: u16,
    met: &mut Met,
) -> Option<Value> {
    let since = Instant::now();
    let answer = match request.bearer_auth(token).send().await {
        Ok(answer) => answer,
        Err(error) => {
            met.refused.push(format!("{error:?}"));
            return None;
        }
    };
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap_or_default();
    met.took.push(since.elapsed());
    if status != expected {
        met.refused.push(format!("{status} {text}"));
        return None;
    }
    serde_json::from_str(&text).ok()
}

/// How many of these instances are not there any more.
pub async fn lost(field: &Field, started: &[String]) -> usize {
    let client = field.client(OTHER);
    let token = field.token("olga", &["operator"]);
    let mut lost = 0;
    for key in started {
        let request = client.get(field.url(&format!("/v1/instances/{key}")));
        let answer = request.bearer_auth(&token).send().await;
        lost += usize::from(!answer.is_ok_and(|answer| answer.status() == 200));
    }
    lost
}
