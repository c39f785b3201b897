//! The program is killed, stopped and damaged from outside: nothing acknowledged is lost, nothing
//! is applied twice.
//!
//! Clients resend until they are answered (`client`); a follower holds what every client would see
//! (`follower`); the final content of the data directory is compared with both (`oracle`).
//!
//! Short with every `cargo test`, ten times as long with `STEPWIRE_TEST=all`, and of any length by
//! hand: `STEPWIRE_ROUNDS=100` rounds of each loop of kills, power cuts and failing disks,
//! `STEPWIRE_CUTS=10000` interrupted connections. The servers are those of `STEPWIRE_CRASH_PROGRAM`,
//! such as `target/release/stepwire`; without it, the one built with the tests.

mod backup;
mod bad_disk;
mod calls;
mod client;
#[cfg(target_os = "linux")]
mod clock_jumps;
mod cuts;
mod damage;
mod deploys;
mod directory;
mod disk;
mod drafts;
mod events;
mod follower;
mod kill;
mod kill_within;
mod many;
mod oracle;
mod power_cut;
mod retention;
mod server;
mod socket;
mod stop;
mod strace;
mod syscalls;

use std::ffi::OsString;

/// The program under test.
fn program() -> OsString {
    let given = std::env::var_os("STEPWIRE_CRASH_PROGRAM");
    given.unwrap_or_else(|| env!("CARGO_BIN_EXE_stepwire").into())
}

/// The number of rounds: the usual one, ten times that with `STEPWIRE_TEST=all`, or
/// `STEPWIRE_ROUNDS`.
fn rounds(usual: u32) -> u32 {
    if let Ok(rounds) = u32::try_from(number("STEPWIRE_ROUNDS", 0))
        && rounds > 0
    {
        return rounds;
    }
    if std::env::var("STEPWIRE_TEST").is_ok_and(|which| which == "all") {
        usual * 10
    } else {
        usual
    }
}

/// The number in an environment variable, or the usual one.
fn number(variable: &str, usual: usize) -> usize {
    let Ok(text) = std::env::var(variable) else {
        return usual;
    };
    let number = text.parse();
    number.unwrap_or_else(|_| panic!("expected {variable} to be a number, but it is {text}"))
}
