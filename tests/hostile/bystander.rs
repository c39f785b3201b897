//! Another user, at another address, who works during an attack: starts an instance and reads it,
//! repeatedly. Nothing of it may be refused or lost.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{
    sync::oneshot,
    time::{MissedTickBehavior, interval},
};

use super::field::{self, Field, OTHER};

/// The pause between two visits: below every rate limit of a single user, and short enough for more
/// than a hundred answers.
const PACE: Duration = Duration::from_millis(25);

/// The address of the server for the process of a bystander, and its token.
const SERVER: &str = "STEPWIRE_BYSTANDER_SERVER";
const TOKEN: &str = "STEPWIRE_BYSTANDER_TOKEN";
/// The beginning of the line with its results in the output of the test runner.
const MET: &str = "the bystander met ";

/// The results of a bystander.
#[derive(Default, Serialize, Deserialize)]
pub struct Met {
    /// The response times.
    pub took: Vec<Duration>,
    /// Answers other than expected.
    pub refused: Vec<String>,
    /// The instances it has started.
    pub started: Vec<String>,
}

impl Met {
    /// The response time, in milliseconds, that this share of the answers does not exceed.
    pub fn percentile(&self, share: f64) -> f64 {
        let mut took = self.took.clone();
        took.sort_unstable();
        let index = (took.len() as f64 * share).ceil() as usize;
        took.get(index.saturating_sub(1))
            .map_or(f64::NAN, |took| took.as_secs_f64() * 1000.0)
    }
}

/// The process that it uses.
pub fn process() -> Value {
    json!({
        "id": "visit",
        "nodes": [{"id": "start", "type": "startEvent"}, {"id": "ask", "type": "userTask"}, {"id": "end", "type": "endEvent"}],
        "flows": [{"id": "f1", "source": "start", "target": "ask"}, {"id": "f2", "source": "ask", "target": "end"}],
    })
}

/// Works while `other` runs; returns the output of both. It has its own process, so that it shares
/// neither threads nor locks with the attackers.
pub async fn beside<T>(field: &Arc<Field>, other: impl Future<Output = T>) -> (Met, T) {
    let mut working = Command::new(std::env::current_exe().expect("this program has a file"))
        .args(["hostile::bystander::works", "--exact", "--nocapture"])
        .env(SERVER, field.url(""))
        .env(TOKEN, field.token("olivia", &[]))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a bystander starts");
    let stdin = working.stdin.take();
    let stdout = working.stdout.take().expect("its output is piped");
    let printed = std::thread::spawn(move || {
        let lines = BufReader::new(stdout).lines().map_while(Result::ok);
        lines
            .filter_map(|line| Some(line.split_once(MET)?.1.to_owned()))
            .last()
    });
    let done = other.await;
    // It ends when its input ends.
    drop(stdin);
    let met = printed.join().expect("it only reads");
    let status = working.wait().expect("it was started here");
    let met = met.unwrap_or_else(|| panic!("the bystander ended with {status}"));
    (
        serde_json::from_str(&met).expect("what a bystander prints"),
        done,
    )
}

/// The program of a bystander's process; run alone, it tests nothing.
#[test]
fn works() {
    let (Ok(server), Ok(token)) = (std::env::var(SERVER), std::env::var(TOKEN)) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let met = runtime.block_on(async move {
        let client = field::client(OTHER);
        let mut met = Met::default();
        let mut pace = interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (stop, stopped) = oneshot::channel::<()>();
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            let _ = stop.send(());
        });
        while stopped.is_empty() {
            pace.tick().await;
            visit(&server, &client, &token, &mut met).await;
        }
        met
    });
    println!("{MET}{}", json!(met));
}

async fn visit(server: &str, client: &reqwest::Client, token: &str, met: &mut Met) {
    let start = client.post(format!("{server}/v1/instances"));
    let body = json!({"process": "visit", "data": {"a": 1}});
    let Some(started) = timed(start.json(&body), token, 201, met).await else {
        return;
    };
    let key = started["instance"].as_str().unwrap_or_default().to_owned();
    let read = client.get(format!("{server}/v1/instances/{key}"));
    met.started.push(key);
    timed(read, token, 200, met).await;
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

/// The number of these instances that do not exist any more.
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
