//! A proxy between clients and server cuts their connections, between messages and within them, in
//! both directions: nothing acknowledged is lost, nothing is done twice, and followers have no gap.
//!
//! The place of each cut follows from a seed and its number. The number of cuts is that of
//! `STEPWIRE_CUTS`, by default a few hundred.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Notify,
};

use super::{
    kill::{Load, draw, start_ledgers},
    number, oracle,
    server::Installation,
};

const SEED: u64 = 0xc075_0f1e;
/// The number of cuts of every test run, and of each round of a longer one. A round has its own
/// ledgers: the reply to a repeated command is computed from the log of its ledger, so with the
/// same ledgers in all rounds most of the time would be spent on such replies.
const CUTS: usize = 300;
/// The maximum number of messages that a connection passes on in one direction before it is cut.
const PASSED: u64 = 12;

/// The place at which a connection is cut.
#[derive(Clone, Copy, Debug)]
struct Cut {
    /// Whether the direction is from the server to the client.
    is_down: bool,
    /// The number of messages that pass before the cut; the upgrade is the first.
    after: u64,
    /// The part of the next message that passes, in 256ths: nothing, a part, or all but its last
    /// byte.
    part: usize,
}

impl Cut {
    /// The cut of the connection with this number.
    fn drawn(number: usize) -> Self {
        let mut seed = SEED ^ (number as u64);
        let is_within = draw(&mut seed).is_multiple_of(2);
        Self {
            is_down: draw(&mut seed).is_multiple_of(2),
            after: draw(&mut seed) % PASSED,
            part: match is_within {
                true => 1 + (draw(&mut seed) % 255) as usize,
                false => 0,
            },
        }
    }
}

/// Counts cuts, and notifies when there were enough.
#[derive(Default)]
struct Cuts {
    done: AtomicUsize,
    within: AtomicUsize,
    enough: Notify,
}

/// Listens in front of the server and cuts one connection for each number in `numbers`; later
/// connections pass unchanged. Returns its port.
async fn cutting(server: u16, cuts: Arc<Cuts>, numbers: Range<usize>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("it listens").port();
    tokio::spawn(async move {
        let maximum = numbers.len();
        for number in numbers.start.. {
            let Ok((client, _)) = listener.accept().await else {
                return;
            };
            let cuts = cuts.clone();
            tokio::spawn(async move {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else {
                    return;
                };
                // Each message is sent at once, even while the previous one is in transit.
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let is_cut = cuts.done.load(Ordering::SeqCst) < maximum;
                let cut = is_cut.then(|| Cut::drawn(number));
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                let of = |is_down| cut.filter(|cut| cut.is_down == is_down);
                // The first direction that ends, by a cut or by itself, ends both.
                let was_cut = tokio::select! {
                    was_cut = pass(from_client, to_server, of(false)) => was_cut,
                    was_cut = pass(from_server, to_client, of(true)) => was_cut,
                };
                if was_cut {
                    let is_within = cut.is_some_and(|cut| cut.part > 0);
                    cuts.within
                        .fetch_add(usize::from(is_within), Ordering::SeqCst);
                    if cuts.done.fetch_add(1, Ordering::SeqCst) + 1 >= maximum {
                        cuts.enough.notify_one();
                    }
                }
            });
        }
    });
    port
}

/// Passes bytes on, message by message; returns whether the connection was cut here.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, cut: Option<Cut>) -> bool {
    let (mut read, mut passed) = (Vec::with_capacity(4096), 0);
    loop {
        while let Some(length) = length_of_first(&read, passed == 0) {
            if cut.is_some_and(|cut| cut.after == passed) {
                let part = cut.map_or(0, |cut| (length * cut.part / 256).min(length - 1));
                // Whether these bytes arrive before the end of the connection depends on the
                // network.
                let _ = to.write_all(&read[..part]).await;
                return true;
            }
            if to.write_all(&read[..length]).await.is_err() {
                return false;
            }
            read.drain(..length);
            passed += 1;
        }
        match from.read_buf(&mut read).await {
            Ok(0) | Err(_) => return false,
            Ok(_) => {}
        }
    }
}

/// The length of the first message once it is complete: an HTTP head, then frames.
fn length_of_first(read: &[u8], is_head: bool) -> Option<usize> {
    if is_head {
        let end = read.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
        return Some(end + 4);
    }
    let &[_, second, ref rest @ ..] = read else {
        return None;
    };
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    let (header, length) = match second & 0x7f {
        126 => (4, u16::from_be_bytes(*rest.first_chunk()?).into()),
        127 => (10, u64::from_be_bytes(*rest.first_chunk()?) as usize),
        short => (2, short.into()),
    };
    let whole = header + mask + length;
    (read.len() >= whole).then_some(whole)
}

#[tokio::test]
async fn connections_cut_anywhere_lose_and_repeat_nothing() {
    let maximum = number("STEPWIRE_CUTS", CUTS);
    let mut installation = Installation::new();
    let off = "--max-connections-per-address=0 --max-connections-per-user=0 --address-requests=0 \
        --address-bytes=0 --user-requests=0 --user-bytes=0";
    installation.set_arguments(off.split_whitespace());
    let server = installation.start();
    let mut rounds = Vec::new();
    let (mut cut, mut within) = (0, 0);
    while cut < maximum {
        let ledgers = start_ledgers(installation.port).await;
        let cuts = Arc::new(Cuts::default());
        let port = cutting(
            installation.port,
            cuts.clone(),
            cut..maximum.min(cut + CUTS),
        )
        .await;
        let load = Load::start(port, &ledgers);
        cuts.enough.notified().await;
        let (done, held) = load.finish().await;
        cut += cuts.done.load(Ordering::SeqCst);
        within += cuts.within.load(Ordering::SeqCst);
        oracle::check_pushes(installation.port, &done.acknowledged, &held).await;
        rounds.push((done, ledgers));
    }
    println!(
        "{cut} cuts, {within} of them within a message; {} commands acknowledged over {} connections",
        rounds
            .iter()
            .map(|(done, _)| done.acknowledged.len())
            .sum::<usize>(),
        rounds
            .iter()
            .map(|(done, _)| done.endings.len())
            .sum::<usize>(),
    );
    server.kill();
    for (done, ledgers) in &rounds {
        oracle::check_log(&installation, &done.acknowledged, ledgers);
    }
}
