//! B5: thousands of timers are due at the same moment, while users act: when the last one has
//! fired, and how long users wait meanwhile.

use std::{
    io,
    time::{Duration, Instant},
};

use stepwire::runtime::clock::real_now;
use uuid::Uuid;

use super::{
    Outcome,
    figures::Figures,
    http::RestClient,
    latencies::Latencies,
    server::{self, Place, Server},
    steps, sync_latency,
    wire::{Client, is_answer, unexpected},
};

/// Connections that start the waiting instances.
const STARTERS: usize = 64;
/// The number of acting users, and the pause of each between two actions.
const USERS: usize = 16;
const PAUSE: Duration = Duration::from_millis(10);
/// The duration for which users are measured while no timer is due.
const QUIET: Duration = Duration::from_secs(3);
/// The minimum time before their due time at which the timers are set; each thousand adds a second.
const AHEAD: Duration = Duration::from_secs(8);
/// The interval of checking whether all have fired, and the maximum duration of the checks.
const CHECK_INTERVAL: Duration = Duration::from_millis(10);
const TIMEOUT: Duration = Duration::from_secs(120);

/// Runs the measurement.
pub async fn measure(place: &Place<'_>, timers: usize) -> Outcome<Figures> {
    let data = place.data()?;
    let server = place.start(data.path())?;
    eprintln!("B5: {timers} timers, server process {}", server.pid());
    let mut sync = sync_latency::measure(data.path())?;
    let ahead = AHEAD + Duration::from_secs(timers as u64 / 1_000);
    let due = (real_now().0 / 1_000 + ahead.as_secs() as i64) * 1_000;
    set(&server, timers, due).await?;
    let mut quiet = act(&server, Instant::now() + QUIET).await?;
    let left = Duration::from_millis(u64::try_from(due - real_now().0).map_err(
        |_| "expected the timers to be set before they are due, but the server is too slow",
    )?);
    let moment = Instant::now() + left;
    tokio::time::sleep_until(moment.into()).await;
    let cpu = server::cpu_seconds(&server.pid().to_string())?;
    let (fired, mut beside) = tokio::join!(
        until_fired(&server, moment),
        act(&server, moment + Duration::from_secs(1)),
    );
    let (fired, beside) = (fired?, beside.as_mut().map_err(|error| error.to_string())?);
    let cpu = server::cpu_seconds(&server.pid().to_string())? - cpu;
    let mut figures = Figures::new(format!("B5 {timers} timers due at once"));
    figures.note_time("sync latency", sync.at(0.5));
    figures.note_time("all fired after", fired);
    figures.note("server cpu, users' too", cpu, "s");
    figures.note_latencies(
        [
            "users before, p50",
            "users before, p99",
            "users before, max",
        ],
        &mut quiet,
    );
    figures.note_latencies(
        [
            "users beside, p50",
            "users beside, p99",
            "users beside, max",
        ],
        beside,
    );
    let ratio = beside.at(0.99).as_secs_f64() / quiet.at(0.99).as_secs_f64();
    figures.note("ratio of p99", ratio, "");
    Ok(figures)
}

/// Starts an instance for each timer.
async fn set(server: &Server, timers: usize, due: i64) -> Outcome<()> {
    let due = stepwire::model::ids::Time(due).to_string();
    let mut starters = Vec::new();
    for number in 0..STARTERS {
        let client = Client::connect(server.port, &server::token(number)?).await?;
        let count = timers / STARTERS + usize::from(number < timers % STARTERS);
        starters.push(tokio::spawn(start_many(client, count, due.clone())));
    }
    for starter in starters {
        starter.await??;
    }
    Ok(())
}

async fn start_many(mut client: Client, count: usize, due: String) -> io::Result<()> {
    for _ in 0..count {
        let id = Uuid::now_v7();
        let start = format!(r#""process":"loadTimer","subscribe":false,"data":{{"due":"{due}"}}"#);
        client
            .send(&format!(r#"{{"type":"start","id":"{id}",{start}}}"#))
            .await?;
        let reply = client.until(is_answer).await?;
        if !reply.contains(r#""status":"started""#) {
            return Err(unexpected("an instance that waits", reply.as_bytes()));
        }
    }
    Ok(())
}

/// Lets users act until the given time.
async fn act(server: &Server, end: Instant) -> Outcome<Latencies> {
    let mut users = Vec::new();
    for number in 0..USERS {
        let client = Client::connect(server.port, &server::token(number)?).await?;
        users.push(tokio::spawn(steps::step_until(
            client,
            "loadSteps",
            0,
            end,
            PAUSE,
        )));
    }
    let mut all = Latencies::default();
    for user in users {
        all.join(user.await??);
    }
    Ok(all)
}

/// The time from that moment until no instance waits any more.
async fn until_fired(server: &Server, moment: Instant) -> Outcome<Duration> {
    let token = server::token_with(0, &["operator"])?;
    let mut client = RestClient::connect(server.port, token).await?;
    loop {
        let waiting = "/v1/instances?process=loadTimer&status=started&limit=1";
        let found = client.get(waiting).await?;
        if !found.contains(r#""status":"started""#) {
            return Ok(moment.elapsed());
        }
        if moment.elapsed() > TIMEOUT {
            return Err("expected all timers to fire within two minutes, but some have not".into());
        }
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
}
