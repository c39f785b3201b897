//! A reconnect storm: thousands of clients follow instances, are all disconnected at once, miss
//! some steps, and all reconnect at the same moment. Then the server is stopped under all of them
//! and started again.
//!
//! They follow one instance, or each its own. No client may be refused or have a gap: both are
//! counted and shown, and neither ends the measurement. A refused client waits and reconnects, as
//! the client package does.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::Barrier;
use uuid::Uuid;

use super::{
    Outcome,
    figures::Figures,
    latencies::Latencies,
    server::{self, Place, Server},
    wire::{Client, field, is_answer, number, unexpected},
};

/// The number of actions that all clients miss.
const MISSED_STEPS: u64 = 3;
/// The connections that act meanwhile.
const WRITERS: usize = 64;
/// A refused client reconnects after a random time up to this one, which doubles each time: the
/// bounds of the client package.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// A client that is not live by then is counted as missing.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The instances that the clients follow.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    /// All the same instance.
    One,
    /// Each its own instance.
    Own,
}

/// A follower: its user, its instance, and its cursor.
#[derive(Clone)]
struct Follower {
    token: Arc<str>,
    instance: Arc<str>,
    cursor: u64,
}

/// The result of the reconnects.
#[derive(Default)]
struct Back {
    live: Latencies,
    /// The number of connections that failed or were closed before the client was live.
    refused: usize,
    busy: usize,
    gaps: usize,
    missing: usize,
}

/// Runs the storm.
pub async fn measure(place: &Place<'_>, count: usize, followed: Followed) -> Outcome<Figures> {
    let data = place.data()?;
    let server = place.start(data.path())?;
    let what = match followed {
        Followed::One => "one instance",
        Followed::Own => "own instances",
    };
    eprintln!(
        "storm: {count} followers of {what}, server process {}",
        server.pid()
    );
    let mut figures = Figures::new(format!("Storm: {count} followers of {what}"));
    let mut followers = followers(&server, count, followed).await?;
    let clients = follow(&server, &mut followers).await?;
    figures.note(
        "server memory, all live",
        server.memory()? as f64 / 1e6,
        "MB",
    );
    drop(clients);
    act(&server, &followers, followed).await?;

    let (began_server, began_generator) = cpu(&server)?;
    let (mut back, clients) = reconnect(&server, &mut followers).await;
    let (ended_server, ended_generator) = cpu(&server)?;
    note(
        &mut figures,
        ["live p50", "live p99", "live last"],
        ["connections refused", "busy", "gaps", "not live"],
        &mut back,
    );
    let each = 1e6 / count as f64;
    figures.note(
        "server cpu each",
        (ended_server - began_server) * each,
        "us",
    );
    figures.note(
        "generator cpu each",
        (ended_generator - began_generator) * each,
        "us",
    );

    let (drained, spread) = drain(server, clients).await?;
    figures.note_time("SIGTERM until all gone", drained);
    figures.note_time("told to come back over", spread);

    let server = place.start(data.path())?;
    let (mut back, _clients) = reconnect(&server, &mut followers).await;
    note(
        &mut figures,
        [
            "after a restart, live p50",
            "after a restart, live p99",
            "after a restart, live last",
        ],
        [
            "after a restart, refused",
            "after a restart, busy",
            "after a restart, gaps",
            "after a restart, not live",
        ],
        &mut back,
    );
    Ok(figures)
}

fn note(
    figures: &mut Figures,
    times: [&'static str; 3],
    names: [&'static str; 4],
    back: &mut Back,
) {
    figures.note_latencies(times, &mut back.live);
    let counts = [back.refused, back.busy, back.gaps, back.missing];
    for (name, count) in names.into_iter().zip(counts) {
        figures.note(name, count as f64, "");
    }
}

fn cpu(server: &Server) -> Outcome<(f64, f64)> {
    let pid = server.pid().to_string();
    Ok((server::cpu_seconds(&pid)?, server::cpu_seconds("self")?))
}

/// Starts the followed instances. All clients are operators, who may follow every instance.
async fn followers(server: &Server, count: usize, followed: Followed) -> Outcome<Vec<Follower>> {
    let mut starter = Client::connect(server.port, &server::token(0)?).await?;
    let mut one: Option<Arc<str>> = None;
    let mut followers = Vec::new();
    for number in 0..count {
        let instance = match (&one, followed) {
            (Some(one), Followed::One) => one.clone(),
            _ => start(&mut starter).await?.into(),
        };
        one = Some(instance.clone());
        followers.push(Follower {
            token: server::token_with(number, &["operator"])?.into(),
            instance,
            cursor: 0,
        });
    }
    Ok(followers)
}

/// Starts a steppable instance without following it.
pub async fn start(client: &mut Client) -> io::Result<String> {
    let id = Uuid::now_v7();
    let start = r#""process":"loadSteps","subscribe":false"#;
    let frame = format!(r#"{{"type":"start","id":"{id}",{start}}}"#);
    client.send(&frame).await?;
    let reply = client.until(is_answer).await?;
    let instance = field(reply, "instance").map(str::to_owned);
    instance.ok_or_else(|| unexpected("a started instance", reply.as_bytes()))
}

/// Connects all clients, one after the other, and waits for their snapshots.
async fn follow(server: &Server, followers: &mut [Follower]) -> Outcome<Vec<Client>> {
    let mut clients = Vec::new();
    for follower in followers {
        let mut client = Client::connect(server.port, &follower.token).await?;
        let instance = &follower.instance;
        let channel = format!(r#""channel":"instance/{instance}""#);
        let frame = format!(r#"{{"type":"subscribe","id":"1",{channel}}}"#);
        client.send(&frame).await?;
        let is_snapshot = |frame: &str| frame.starts_with(r#"{"type":"snapshot""#);
        let snapshot = client
            .until(|frame| is_snapshot(frame) || frame.contains(r#""type":"error""#))
            .await?;
        follower.cursor = Some(snapshot)
            .filter(|frame| is_snapshot(frame))
            .and_then(|frame| number(frame, "seq"))
            .ok_or_else(|| unexpected("a snapshot", snapshot.as_bytes()))?;
        clients.push(client);
    }
    Ok(clients)
}

/// Runs actions in all followed instances.
async fn act(server: &Server, followers: &[Follower], followed: Followed) -> Outcome<()> {
    let ends = match followed {
        Followed::One => 1,
        Followed::Own => followers.len(),
    };
    let share = ends.div_ceil(WRITERS);
    let mut writers = Vec::new();
    for followers in followers[..ends].chunks(share) {
        let mut client = Client::connect(server.port, &server::token(0)?).await?;
        let instances: Vec<_> = followers.iter().map(|it| it.instance.clone()).collect();
        writers.push(tokio::spawn(async move {
            for instance in &instances {
                for count in 0..MISSED_STEPS {
                    run(&mut client, instance, count).await?;
                }
            }
            Ok::<_, io::Error>(())
        }));
    }
    for writer in writers {
        writer.await??;
    }
    Ok(())
}

async fn run(client: &mut Client, instance: &str, count: u64) -> io::Result<()> {
    let id = Uuid::now_v7();
    let run = format!(r#""instance":"{instance}","action":"count","data":{{"count":{count}}}"#);
    client
        .send(&format!(r#"{{"type":"run","id":"{id}",{run}}}"#))
        .await?;
    let reply = client.until(is_answer).await?;
    match reply.starts_with(r#"{"type":"reply""#) {
        true => Ok(()),
        false => Err(unexpected("a reply", reply.as_bytes())),
    }
}

/// The result of one client's reconnect.
#[derive(Default)]
struct Fared {
    refused: usize,
    busy: usize,
    has_gap: bool,
}

/// Reconnects all clients at the same moment; returns the connections of those who are live.
async fn reconnect(server: &Server, followers: &mut [Follower]) -> (Back, Vec<Client>) {
    let ready = Arc::new(Barrier::new(followers.len() + 1));
    let tasks: Vec<_> = followers
        .iter()
        .map(|follower| {
            let (mut follower, ready, port) = (follower.clone(), ready.clone(), server.port);
            tokio::spawn(async move {
                ready.wait().await;
                let (began, mut fared) = (Instant::now(), Fared::default());
                let live = again_until_live(port, &mut follower, &mut fared);
                let live = tokio::time::timeout(TIMEOUT, live).await.ok();
                let live = live.map(|client| (client, follower.cursor, began.elapsed()));
                (live, fared)
            })
        })
        .collect();
    ready.wait().await;
    let (mut back, mut clients) = (Back::default(), Vec::new());
    for (task, follower) in tasks.into_iter().zip(followers) {
        let Ok((live, fared)) = task.await else {
            back.missing += 1;
            continue;
        };
        back.refused += fared.refused;
        back.busy += fared.busy;
        back.gaps += usize::from(fared.has_gap);
        match live {
            Some((client, cursor, took)) => {
                back.live.note(took);
                follower.cursor = cursor;
                clients.push(client);
            }
            None => back.missing += 1,
        }
    }
    (back, clients)
}

/// Connects, and repeats it after a delay when that fails, until the client is live.
async fn again_until_live(port: u16, follower: &mut Follower, fared: &mut Fared) -> Client {
    for tries in 0.. {
        match resume(port, follower, fared).await {
            Ok(Some(client)) => return client,
            Ok(None) => fared.busy += 1,
            Err(_) => fared.refused += 1,
        }
        tokio::time::sleep(jitter(tries)).await;
    }
    unreachable!("it tries for ever");
}

/// A random duration up to a bound that doubles with each attempt.
fn jitter(tries: u32) -> Duration {
    let maximum = LONGEST_WAIT.min(FIRST_WAIT * 2u32.pow(tries.min(16)));
    let drawn = Uuid::now_v7().as_u128() as u16;
    maximum.mul_f64(f64::from(drawn) / f64::from(u16::MAX))
}

/// Resumes at the cursor, and reads until the client is live; `None` when the server is busy.
async fn resume(
    port: u16,
    follower: &mut Follower,
    fared: &mut Fared,
) -> io::Result<Option<Client>> {
    let (instance, mut cursor) = (&follower.instance, follower.cursor);
    let resume = format!(r#"[{{"instance":"{instance}","after":{cursor}}}]"#);
    let mut client = Client::resume(port, &follower.token, &resume).await?;
    let (mut gap, mut busy) = (false, false);
    let live = client.until(|frame| {
        busy |= frame.starts_with(r#"{"type":"error""#);
        gap |= frame.starts_with(r#"{"type":"resync""#);
        if let (Some(prev), Some(seq)) = (number(frame, "prev"), number(frame, "seq")) {
            gap |= prev != cursor;
            cursor = seq;
        }
        frame.starts_with(r#"{"type":"live""#) || busy
    });
    live.await?;
    fared.has_gap |= gap;
    // It resumes at the cursor that it has reached, as the client package does.
    follower.cursor = cursor;
    Ok((!busy).then_some(client))
}

/// Stops the server: the duration, and the range of the times to reconnect that it announces.
async fn drain(server: Server, clients: Vec<Client>) -> Outcome<(Duration, Duration)> {
    let tasks: Vec<_> = clients
        .into_iter()
        .map(|client| tokio::spawn(sent_away(client)))
        .collect();
    let began = Instant::now();
    let stopping =
        tokio::task::spawn_blocking(move || server.stop().map_err(|error| error.to_string()));
    let mut told = Vec::new();
    for task in tasks {
        told.push(task.await??);
    }
    stopping.await??;
    let drained = began.elapsed();
    let first = told.iter().min().copied().unwrap_or_default();
    let last = told.iter().max().copied().unwrap_or_default();
    Ok((drained, Duration::from_millis(last - first)))
}

async fn sent_away(mut client: Client) -> io::Result<u64> {
    let mut told = None;
    let code = client.until_closed(|frame| {
        if frame.starts_with(r#"{"type":"bye""#) {
            told = number(frame, "reconnectAfterMs");
        }
    });
    let code = code.await?;
    told.filter(|_| code == 1012)
        .ok_or_else(|| io::Error::other(format!("expected a bye and 1012, but got {code}")))
}
