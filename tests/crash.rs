//! The program is killed, stopped and broken from outside: nothing acknowledged is lost, nothing is
//! applied twice.
//!
//! Clients resend until they are answered (`client`); a follower holds what every client would be
//! shown (`follower`); what the data directory says in the end is compared with both (`oracle`).
//! How many rounds: [`rounds`].

mod backup;
mod bad_disk;
mod calls;
mod client;
mod damage;
mod deploys;
mod directory;
mod disk;
mod drafts;
mod events;
mod follower;
mod kill;
mod many;
mod oracle;
mod power_cut;
mod retention;
mod server;
mod socket;
mod stop;
mod syscalls;

/// So many rounds, or ten times that with `STEPWIRE_TEST=all`.
fn rounds(usual: u32) -> u32 {
    if std::env::var("STEPWIRE_TEST").is_ok_and(|which| which == "all") {
        usual * 10
    } else {
        usual
    }
}
