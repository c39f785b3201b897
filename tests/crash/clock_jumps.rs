//! The machine's clock is set while the server runs: an hour and a day forward, an hour back. No
//! timer fires early, is held up or lost; no token is good after its end; rates, presence and
//! retention continue; nothing hangs.
//!
//! The clock is a library of a few lines that stands before the system's (`clock.c`). Not here: the
//! rules of the process time by numbers (`runtime::clock`), and the same in simulated time
//! (`simulation`).

mod stage;

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use stepwire::{
    engine::{RecordBatch, record::Record},
    journal::{Entity, SqliteStore, Store, codec},
    model::ids::{InstanceKey, Time},
};
use uuid::Uuid;

use self::stage::{HOUR, Stage, answer, end_of, within};
use super::{server::Installation, socket::Socket};
use crate::support::node::skip;

/// Options of the server: a low rate for each user, and retention that runs all the time.
const OPTIONS: &str = "--user-requests 1:25 --archive-after PT1S --drop-after P1D";
/// The requests that a user may send at once; afterwards one per second.
const BURST: usize = 25;

const OVER: &str = "process over\nstart -> end";
const SOON: &str = "process soon\nstart -> c -> end\ncatch c after=PT4S";
const TASK: &str = "process task\nstart -> t -> end\nuser t\n  ok manual save";
/// A schedule of every fifty minutes.
const CLOCKWORK: &str = "process clockwork\nstart s cycle=R/PT50M\ns -> end";

fn waits(name: &str, seconds: i64) -> String {
    format!("process {name}\nstart -> c -> end\ncatch c after=PT{seconds}S")
}

/// Two users who have the same task open: the instance, its element, and the frames of the first
/// user.
struct AtTask {
    first: Socket,
    second: Socket,
    instance: String,
    element: Value,
}

impl AtTask {
    async fn open(stage: &Stage, good_for: Duration) -> Self {
        let instance = stage.run("task").await;
        let mut at = Self {
            first: stage
                .connect(&stage.token("first", &["operator"], good_for))
                .await,
            second: stage
                .connect(&stage.token("second", &["operator"], good_for))
                .await,
            instance,
            element: Value::Null,
        };
        let channel = format!("instance/{}", at.instance);
        let subscribe = json!({"type": "subscribe", "id": "1", "channel": channel});
        for socket in [&mut at.first, &mut at.second] {
            socket.send(&subscribe).await.expect("the server runs");
            let snapshot = socket.wait_for(|frame| frame["type"] == "snapshot");
            at.element = within("a snapshot", snapshot).await["nodes"][0]["element"].clone();
        }
        at.both_open().await;
        let there = at.first.wait_for(|frame| sees(frame, "second"));
        within("who has the task open", there).await;
        at
    }

    /// Both open the task, and the first user is sent the presence of the second.
    async fn both_open(&mut self) {
        let open = json!({"type": "presence", "instance": self.instance,
            "element": self.element, "state": "open"});
        for socket in [&mut self.first, &mut self.second] {
            assert_eq!(answer(socket, open.clone()).await["type"], "reply");
        }
    }

    /// The second user is still present, and no longer once its presence is `closed`.
    async fn presence_ends(mut self) {
        let closed = json!({"type": "presence", "instance": self.instance,
            "element": self.element, "state": "closed"});
        let ping = json!({"type": "unsubscribe", "channel": "tasks"});
        let id = Uuid::now_v7().to_string();
        let mut ping = ping.clone();
        ping["id"] = json!(id);
        self.first.send(&ping).await.expect("the connection stands");
        let next = |frame: &Value| frame["id"] == *id || frame["type"] == "present";
        let heard = within("an answer", self.first.wait_for(next)).await;
        assert!(
            heard["id"] == *id || sees(&heard, "second"),
            "nobody has left: {heard}"
        );
        assert_eq!(answer(&mut self.second, closed).await["type"], "reply");
        let left = |frame: &Value| frame["type"] == "present" && !sees(frame, "second");
        within("that somebody has left", self.first.wait_for(left)).await;
    }
}

fn sees(frame: &Value, user: &str) -> bool {
    let users = frame["users"].as_array().into_iter().flatten();
    frame["type"] == "present" && users.into_iter().any(|it| it["user"] == user)
}

/// A user who has used up the burst.
async fn spend(stage: &Stage, user: &str) -> String {
    let token = stage.token(user, &[], 30 * 24 * HOUR);
    let mut asked = 0;
    while accepted(stage, &token).await {
        asked += 1;
        assert!(asked < 20 * BURST, "nothing is over the rate");
    }
    token
}

async fn accepted(stage: &Stage, token: &str) -> bool {
    let path = "/v1/instances";
    let (status, answer) = stage.ask(token, Method::GET, path, &Value::Null).await;
    assert!(
        [StatusCode::OK, StatusCode::TOO_MANY_REQUESTS].contains(&status),
        "{status}: {answer}"
    );
    status == StatusCode::OK
}

/// A user who has used up the burst may send as many requests as real time has added since.
async fn rate_refills_by_seconds(stage: &Stage, token: &str, since: Instant) {
    let mut got = 0;
    for _ in 0..2 * BURST {
        got += usize::from(accepted(stage, token).await);
    }
    let due = since.elapsed().as_secs() as usize + 2;
    assert!(got <= due, "{got} requests in {:?}", since.elapsed());
    let again = || accepted(stage, token);
    stage.wait_until("another request of a user", again).await;
}

/// Checks the log: timers fire once and not before they are due, and time does not go back.
fn check_log(installation: &Installation, instances: &[&str]) {
    let store = SqliteStore::open(installation.data()).expect("the store opens");
    let reader = store.reader().expect("the store can be read");
    for instance in instances {
        let key: InstanceKey = instance.parse().expect("an instance key");
        let rows = reader.rows(Entity::from(key), 0, usize::MAX >> 1);
        let (mut due, mut last) = (None, Time(0));
        for stored in rows.expect("the log can be read") {
            let row: RecordBatch = codec::decode(&stored.row.body).expect("a row can be decoded");
            assert!(last <= row.time, "time went back in {instance}");
            last = row.time;
            for record in &row.records {
                match record {
                    Record::SubscriptionsOpened { subscriptions, .. } => {
                        due = subscriptions.iter().find_map(|(_, it)| it.due());
                    }
                    Record::SubscriptionTriggered { .. } => {
                        let was: Time = due.take().expect("it fires once");
                        assert!(was <= row.time, "{instance}, due {was:?} at {:?}", row.time);
                    }
                    _ => {}
                }
            }
        }
        let left = reader.next_due().expect("the store can be read");
        assert!(
            due.is_none() || left.is_some(),
            "the timer of {instance} is lost"
        );
    }
}

/// Sets the clock forward by so many seconds and checks the effects.
async fn forward(seconds: i64) {
    let Some(stage) = Stage::new(OPTIONS) else {
        return skip("the machine's clock is set forward", "cc is missing");
    };
    let by = Duration::from_secs(seconds.unsigned_abs());
    let server = stage.start();
    for process in [OVER, TASK, CLOCKWORK] {
        stage.deploy(process).await;
    }
    for (name, after) in [("inside", seconds / 2), ("beyond", 2 * seconds)] {
        stage.deploy(&waits(name, after)).await;
    }
    let (inside, beyond) = (stage.run("inside").await, stage.run("beyond").await);
    let over = stage.run("over").await;
    assert_eq!(stage.count("clockwork").await, 0);
    let spent = spend(&stage, "busy").await;
    let since = Instant::now();
    let [brief, long] = [by / 2, 3 * by].map(|time| stage.token("ada", &[], time));
    let mut brief_socket = stage.connect(&brief).await;
    let at_task = AtTask::open(&stage, 3 * by).await;

    stage.set_by(seconds);

    at_task.presence_ends().await;
    assert_eq!(end_of(&mut brief_socket).await, Some(4401));
    for (token, expected) in [(&brief, StatusCode::UNAUTHORIZED), (&long, StatusCode::OK)] {
        let (status, _) = stage
            .ask(token, Method::GET, "/v1/instances", &Value::Null)
            .await;
        assert_eq!(status, expected);
    }
    stage.finishes(&inside).await;
    assert_eq!(stage.status(&beyond).await.as_deref(), Some("started"));
    rate_refills_by_seconds(&stage, &spent, since).await;
    let started = || async { stage.count("clockwork").await > 0 };
    stage.wait_until("a start by time", started).await;
    let is_dropped = || async { stage.status(&over).await.is_none() };
    if by >= 24 * HOUR {
        stage
            .wait_until("that what has ended is dropped", is_dropped)
            .await;
    } else {
        assert_eq!(stage.count("clockwork").await, 1);
        assert!(!is_dropped().await, "it has not ended so long ago");
    }
    let next = stage.run("over").await;
    stage.finishes(&next).await;
    server.kill();
    check_log(&stage.installation, &[&inside, &beyond]);
}

#[tokio::test]
async fn a_clock_jump_of_an_hour_fires_timers_and_expires_tokens() {
    forward(3_600).await;
}

#[tokio::test]
async fn a_clock_jump_of_a_day_fires_timers_and_expires_tokens() {
    forward(24 * 3_600).await;
}

#[tokio::test]
async fn a_clock_set_back_an_hour_delays_no_timer_and_extends_no_token() {
    let Some(stage) = Stage::new(OPTIONS) else {
        return skip("the machine's clock is set back", "cc is missing");
    };
    let server = stage.start();
    for process in [OVER, TASK, SOON, CLOCKWORK] {
        stage.deploy(process).await;
    }
    let over = stage.run("over").await;
    let spent = spend(&stage, "busy").await;
    let since = Instant::now();
    let at_task = AtTask::open(&stage, HOUR).await;
    let before = stage.run("soon").await;
    let brief = stage.token("ada", &[], Duration::from_secs(6));
    let mut brief_socket = stage.connect(&brief).await;

    stage.set_by(-3_600);

    at_task.presence_ends().await;
    assert_eq!(end_of(&mut brief_socket).await, Some(4401));
    stage.finishes(&before).await;
    rate_refills_by_seconds(&stage, &spent, since).await;
    let after = stage.run("soon").await;
    stage.finishes(&after).await;
    assert_eq!(stage.count("clockwork").await, 0);
    assert_eq!(stage.status(&over).await.as_deref(), Some("finished"));

    // Also while the server is down: timers set before the jump are not delayed longer than those
    // set after it.
    let restarted = stage.run("soon").await;
    server.kill();
    stage.set_by(-3_600);
    let server = stage.start();
    stage.finishes(&restarted).await;
    let last = stage.run("soon").await;
    stage.finishes(&last).await;
    assert_eq!(stage.count("clockwork").await, 0);
    server.kill();
    check_log(&stage.installation, &[&before, &after, &restarted, &last]);
}
