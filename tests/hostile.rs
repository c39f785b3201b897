//! Attacks on a server with default settings, which cost memory, disk, threads or queue places,
//! while another user at another address must not be affected.
//!
//! Each attack is a test of its own, a few seconds long; they run one at a time. The assertions do
//! not depend on the speed of the machine: the server lives, its memory stays below [`MEMORY`], the
//! other user gets every reply and loses nothing, and refusals have the documented code. Times and
//! disk use are printed, not asserted.
//!
//! The whole table, against a release build and for a meaningful time:
//!
//! ```sh
//! cargo build --release
//! STEPWIRE_HOSTILE_PROGRAM=target/release/stepwire STEPWIRE_HOSTILE_SECONDS=20 \
//!     cargo test --test main hostile::every_attack_of_the_table_is_withstood -- --nocapture
//! ```
//!
//! `STEPWIRE_HOSTILE_ONLY=tickets` runs the attacks whose name contains that text. The other user
//! has the address 127.0.0.2, which only Linux provides without configuration.
//!
//! Not here: full disks (`crash`), frames that violate the protocol (`wire`), hostile definitions
//! in the engine alone (`engine::hostile`).

#![cfg(target_os = "linux")]

mod accounts;
mod bystander;
mod data;
mod deploys;
mod descriptors;
mod field;
mod floods;
mod processes;
mod rows;
mod socket;
mod sockets;
mod times;

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    pin::Pin,
    sync::Arc,
};

use futures_util::FutureExt;

use self::{
    bystander::Met,
    field::{Field, Taken},
};

/// The memory that an attack may cost in addition to what the server has before: see
/// `docs/limits.md`.
const MEMORY: u64 = 512 * 1024 * 1024;
/// Attacks run one at a time, so that each has the same machine.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

type Playing = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// An attack: its name, and its function, which itself asserts the refusals.
struct Attack {
    name: &'static str,
    play: fn(Arc<Field>) -> Playing,
}

/// The outcome of an attack.
#[derive(Default)]
struct Outcome {
    /// The answers of the server, in short.
    answers: String,
    /// The conditions that do not hold.
    open: Vec<String>,
}

impl Outcome {
    fn of(answers: impl ToString) -> Self {
        Self {
            answers: answers.to_string(),
            open: Vec::new(),
        }
    }

    /// Asserts a condition; in a table, which reports everything, it is recorded instead.
    #[track_caller]
    fn must(&mut self, field: &Field, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            let what = what();
            assert!(field.long, "{what}");
            self.open.push(what);
        }
    }
}

/// Declares the attacks: a test for each, and the list of all.
macro_rules! attacks {
    ($($test:ident = $name:literal: $module:ident :: $play:ident,)*) => {
        const ATTACKS: &[Attack] = &[$(Attack {
            name: $name,
            play: |field| Box::pin($module::$play(field)),
        },)*];

        $(#[tokio::test]
        async fn $test() {
            let of_this = |attack: &&Attack| attack.name == $name;
            let attack = ATTACKS.iter().find(of_this).expect("it is in the list");
            println!("{HEAD}\n{}", play(attack).await);
        })*
    };
}

attacks! {
    intricate_values = "values × schemas that cost their product": data::intricate_values,
    large_instances = "instances of large data": data::large_instances,
    odd_bodies = "deep JSON, long ids, names, numbers, big lists": data::odd_bodies,
    large_rows = "a log of large rows, read and resumed by many": rows::large_rows,
    unread_snapshots = "large instances, followed by many that never read": rows::unread_snapshots,
    hostile_definitions = "1.7 MB of attributes, nested xmlns, 8,000 tasks": deploys::definitions,
    standing_definitions = "definitions as large as may be, all published": deploys::standing,
    endless_native_calls = "endless native calls in a rule": processes::native_calls,
    a_process_that_calls_itself = "a process that calls itself": processes::calls_itself,
    signals = "signals to hundreds of instances": processes::signals,
    loops = "loops over 1,000 items": processes::loops,
    timers = "10,000 timers every second": times::timers,
    schedules = "1,000 schedules every second": times::schedules,
    unfinished_bodies = "POSTs whose last bytes never come": sockets::unfinished_bodies,
    unfinished_heads = "heads that never end": sockets::unfinished_heads,
    one_byte_at_a_time = "requests of one byte at a time": sockets::byte_by_byte,
    readers_that_never_read = "readers that never read": sockets::never_read,
    pipelined_long_heads = "heads as long as may be, pipelined": sockets::long_heads,
    health_checks = "health, preflights and wrong hosts, pipelined": sockets::health_checks,
    half_handshakes = "half handshakes of TLS and websockets": sockets::half_handshakes,
    unfinished_messages = "websocket messages that never end, and pings": sockets::fragments,
    chunks_behind_a_refusal = "chunks without end behind a 404": sockets::chunks_behind_a_refusal,
    anonymous_starts = "anonymous starts over REST, 16 connections": floods::starts_over_rest,
    anonymous_starts_by_websocket = "anonymous starts over websockets, 16 connections": floods::starts_over_websockets,
    frames = "a flood of frames": floods::frames,
    a_busy_machine = "none: the attackers' processor alone": floods::nothing,
    a_busy_network = "none: 400 connections to somebody else": floods::elsewhere,
    an_obedient_client = "a client that obeys afterMs": floods::obedient,
    subscriptions = "subscriptions to nothing, 1,000 a connection": floods::subscriptions,
    connections = "connections of one user": floods::connections,
    unread_streams = "streams that nobody reads": floods::unread_streams,
    reads = "reads by one user, 16 connections": floods::reads,
    uploads = "uploads that stall": floods::uploads,
    tickets = "tickets by 105 strangers": accounts::tickets,
    wrong_passwords = "wrong passwords for a known name": accounts::wrong_passwords,
    endless_tokens = "tokens that never end": accounts::endless_tokens,
}

const HEAD: &str = "| attack | memory before → peak, MiB | other user quiet p50/p99, ms | under attack \
    p50/p99, ms | disk, MiB/s | answers | verdict |\n| --- | --- | --- | --- | --- | --- | --- |";

/// Runs an attack on its own server; returns its line of the table.
async fn play(attack: &Attack) -> String {
    let _turn = TURN.lock().await;
    let field = Arc::new(Field::start());
    let played = AssertUnwindSafe(play_on(attack, &field)).catch_unwind();
    let played = played.await;
    // Killed here, because attackers may keep the field alive until this program ends.
    field.kill();
    played.unwrap_or_else(|panic| resume_unwind(panic))
}

async fn play_on(attack: &Attack, field: &Arc<Field>) -> String {
    field.publish(bystander::process()).await;
    let calm = tokio::time::sleep(field.seconds / 2);
    let (quiet, ()) = bystander::beside(field, calm).await;
    let gauge = field.gauge();
    let (met, mut outcome) = bystander::beside(field, attackers(attack, field)).await;
    let taken = gauge.taken();

    let name = attack.name;
    assert!(field.is_alive(), "{name}: the server has ended");
    let refused = || {
        format!(
            "the other user was refused {:?} {:?}",
            quiet.refused, met.refused
        )
    };
    let is_served = met.refused.is_empty() && quiet.refused.is_empty();
    outcome.must(field, is_served, refused);
    for started in [&quiet.started, &met.started] {
        let lost = bystander::lost(field, started).await;
        assert!(
            lost == 0 && !started.is_empty(),
            "{name}: the other user lost {lost} of {} instances",
            started.len()
        );
    }
    let more = taken.peak - taken.before;
    let much = || format!("it took {} MiB of memory", more / 1024 / 1024);
    outcome.must(field, more <= MEMORY, much);
    line(name, &taken, [&quiet, &met], &outcome)
}

/// Runs the attackers on their own thread. For a table that thread only gets the processor time
/// that the server and the other user leave, as if the attackers had their own machine.
async fn attackers(attack: &Attack, field: &Arc<Field>) -> Outcome {
    let (play, field) = (attack.play, field.clone());
    let (done, outcome) = tokio::sync::oneshot::channel();
    let playing = std::thread::spawn(move || {
        if field.long {
            // On Linux this is the priority of this thread alone.
            rustix::process::nice(19).expect("a thread may step back");
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        // A panic is reported by the join.
        let _ = done.send(runtime.block_on(play(field)));
    });
    match outcome.await {
        Ok(outcome) => outcome,
        Err(_) => resume_unwind(playing.join().expect_err("it panicked")),
    }
}

fn line(name: &str, taken: &Taken, [quiet, met]: [&Met; 2], outcome: &Outcome) -> String {
    let mib = |bytes: u64| bytes as f64 / 1024.0 / 1024.0;
    let verdict = if outcome.open.is_empty() {
        "holds".to_owned()
    } else {
        format!("open: {:.300}", outcome.open.join("; "))
    };
    format!(
        "| {name} | {:.0} → {:.0} | {:.1}/{:.1} | {:.1}/{:.1} | {:.1} | {} | {verdict} |",
        mib(taken.before),
        mib(taken.peak),
        quiet.percentile(0.5),
        quiet.percentile(0.99),
        met.percentile(0.5),
        met.percentile(0.99),
        mib(taken.disk),
        outcome.answers,
    )
}

/// Runs all attacks and prints one table, if a duration is set: see the module's documentation.
#[tokio::test]
async fn every_attack_of_the_table_is_withstood() {
    if std::env::var_os("STEPWIRE_HOSTILE_SECONDS").is_none() {
        return;
    }
    let only = std::env::var("STEPWIRE_HOSTILE_ONLY").unwrap_or_default();
    println!("{HEAD}");
    let chosen = ATTACKS.iter().filter(|attack| attack.name.contains(&only));
    for attack in chosen {
        println!("{}", play(attack).await);
    }
}
