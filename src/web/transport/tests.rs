//! Peers that keep a server waiting, over real sockets with short deadlines.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

use actix_web::{
    App, Error, HttpRequest, HttpResponse, dev::ServerHandle, middleware::from_fn, rt, web,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
    sync::mpsc,
    time::timeout,
};

use super::{
    framing::BodyKind,
    state::{ConnectionState, Reading},
    *,
};

const PATIENCE: Duration = Duration::from_secs(30);
const HEAD: &str = "GET /small HTTP/1.1\r\nHost: x\r\n\r\n";
const LARGE: usize = 32 * 1024 * 1024;

/// Deadlines that a well-behaved peer never reaches.
fn patient() -> TransportLimits {
    TransportLimits {
        head: PATIENCE,
        idle: PATIENCE,
        ..TransportLimits::new(0, 1_000)
    }
}

struct TestServer {
    address: SocketAddr,
    table: Arc<ConnectionTable>,
    handle: ServerHandle,
    keeping_time: rt::task::JoinHandle<()>,
}

impl TestServer {
    fn start(limits: TransportLimits) -> Self {
        Self::with(limits, |_| {})
    }

    fn with(
        limits: TransportLimits,
        routes: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
    ) -> Self {
        let table = ConnectionTable::new(limits);
        let application = move || {
            App::new()
                .wrap(from_fn(track))
                .configure(routes.clone())
                .route("/small", web::to(|| async { "small" }))
                .route("/large", web::to(|| async { vec![b'x'; LARGE] }))
                .route(
                    "/body",
                    web::to(|body: web::Bytes| async move { body.len().to_string() }),
                )
        };
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (addresses, server) = serve(&[any], 1, &table, |_| true, application).unwrap();
        let handle = server.handle();
        rt::spawn(server);
        let keeping_time = rt::spawn(table.clone().keep_time());
        Self {
            address: addresses[0],
            table,
            handle,
            keeping_time,
        }
    }

    async fn connect(&self) -> Peer {
        self.connect_from(Ipv4Addr::LOCALHOST).await
    }

    async fn connect_from(&self, own: Ipv4Addr) -> Peer {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((own, 0).into()).unwrap();
        Peer(socket.connect(self.address).await.unwrap())
    }

    /// Waits until there are this many connections.
    async fn has(&self, connections: usize) {
        let reached = async {
            while self.table.len() != connections {
                rt::task::yield_now().await;
            }
        };
        timeout(PATIENCE, reached)
            .await
            .expect("the connections end");
    }

    async fn stop(self) {
        self.keeping_time.abort();
        self.handle.stop(false).await;
    }
}

struct Peer(tokio::net::TcpStream);

impl Peer {
    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Everything until the server ends the connection.
    async fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        let read = timeout(PATIENCE, self.0.read_to_end(&mut bytes)).await;
        // A reset is an end, too.
        let _ = read.expect("the server ends the connection");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    async fn answer(&mut self) -> String {
        let mut bytes = vec![0; 4_096];
        let read = timeout(PATIENCE, self.0.read(&mut bytes)).await;
        bytes.truncate(read.expect("an answer in time").unwrap());
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[actix_web::test]
async fn a_late_head_ends_the_connection() {
    let server = TestServer::start(TransportLimits {
        head: Duration::from_millis(100),
        ..patient()
    });
    let mut silent = server.connect().await;
    let mut slow = server.connect().await;
    slow.send("GET /small HTT").await;
    assert!(silent.rest().await.starts_with("HTTP/1.1 408 "));
    let answer = slow.rest().await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    // Every head has the deadline, not only the first.
    let mut second = server.connect().await;
    second.send(HEAD).await;
    assert!(second.answer().await.starts_with("HTTP/1.1 200 "));
    second.send("GET /sm").await;
    assert!(second.rest().await.starts_with("HTTP/1.1 408 "));
    server.has(0).await;
    server.stop().await;
}

#[actix_web::test]
async fn an_endless_head_ends_the_connection() {
    let server = TestServer::start(patient());
    let mut peer = server.connect().await;
    let header = format!("X-Long: {}\r\n", "x".repeat(1_000));
    peer.send("GET /small HTTP/1.1\r\nHost: x\r\n").await;
    for _ in 0..40 {
        peer.send(&header).await;
    }
    let answer = peer.rest().await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    server.has(0).await;
    server.stop().await;
}

#[actix_web::test]
async fn a_body_may_be_longer_than_what_is_read_ahead() {
    let server = TestServer::start(patient());
    let mut peer = server.connect().await;
    let body = "x".repeat(200_000);
    for _ in 0..3 {
        let head = "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n";
        peer.send(&format!("{head}{body}")).await;
        let answer = peer.answer().await;
        assert!(answer.ends_with("\r\n\r\n200000"), "{answer}");
    }
    let mut chunked =
        "POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
    chunked.push_str(&"1\r\nx\r\n".repeat(50_000));
    chunked.push_str("0\r\n\r\n");
    peer.send(&chunked).await;
    let answer = peer.answer().await;
    assert!(answer.ends_with("\r\n\r\n50000"), "{answer}");
    server.stop().await;
}

#[actix_web::test]
async fn requests_that_are_sent_ahead_are_answered_in_turn() {
    let server = TestServer::start(patient());
    let mut peer = server.connect().await;
    let many = 2_000;
    let close = "GET /small HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let requests = HEAD.repeat(many - 1) + close;
    let (mut reader, mut writer) = peer.0.split();
    let mut answers = Vec::new();
    let (sent, read) = tokio::join!(
        writer.write_all(requests.as_bytes()),
        timeout(PATIENCE, reader.read_to_end(&mut answers))
    );
    sent.unwrap();
    read.expect("all answers in time").unwrap();
    let answers = String::from_utf8(answers).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), many);
    server.has(0).await;
    server.stop().await;
}

#[actix_web::test]
async fn idle_connections_are_closed_for_new_ones() {
    let limits = TransportLimits {
        per_address: 3,
        ..patient()
    };
    let server = TestServer::start(limits);
    let mut peers = Vec::new();
    for _ in 0..3 {
        let mut peer = server.connect().await;
        peer.send(HEAD).await;
        peer.answer().await;
        peers.push(peer);
    }
    // The one that has been idle for longest is closed.
    let mut fourth = server.connect().await;
    fourth.send(HEAD).await;
    assert!(fourth.answer().await.starts_with("HTTP/1.1 200 "));
    assert_eq!(peers[0].rest().await, "");
    // Connections in use are not closed.
    for peer in &mut peers[1..] {
        peer.send("GET /small HTTP/1.1\r\n").await;
    }
    fourth.send("GET /small HTTP/1.1\r\n").await;
    let seen = async {
        while server.table.has_idle() {
            rt::task::yield_now().await;
        }
    };
    timeout(PATIENCE, seen).await.expect("the server sees them");
    let answer = server.connect().await.rest().await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
    // Another address has places of its own.
    let mut other = server.connect_from(Ipv4Addr::new(127, 0, 0, 2)).await;
    other.send(HEAD).await;
    assert!(other.answer().await.starts_with("HTTP/1.1 200 "));
    server.stop().await;
}

#[actix_web::test]
async fn idle_connections_end_after_a_while() {
    let server = TestServer::start(TransportLimits {
        idle: Duration::from_millis(50),
        ..patient()
    });
    let mut peer = server.connect().await;
    peer.send(HEAD).await;
    peer.answer().await;
    assert_eq!(peer.rest().await, "");
    server.has(0).await;
    server.stop().await;
}

#[actix_web::test]
async fn a_client_that_does_not_read_is_dropped() {
    let server = TestServer::start(TransportLimits {
        grace: Duration::from_millis(100),
        ..patient()
    });
    let mut peer = server.connect().await;
    peer.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n").await;
    server.has(1).await;
    server.has(0).await;
    assert!(peer.rest().await.len() < LARGE);
    server.stop().await;
}

#[actix_web::test]
async fn an_endless_unread_body_ends_the_connection() {
    let server = TestServer::start(TransportLimits {
        head: Duration::from_millis(200),
        ..patient()
    });
    let mut peer = server.connect().await;
    peer.send("POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    let answer = peer.answer().await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let began = Instant::now();
    while peer.0.write_all(b"1\r\nx\r\n").await.is_ok() && began.elapsed() < PATIENCE {
        rt::task::yield_now().await;
    }
    server.has(0).await;
    server.stop().await;
}

#[test]
fn the_last_quarter_of_all_connections_is_for_those_with_a_token() {
    let table = ConnectionTable::new(TransportLimits::new(0, 8));
    let address = |last| IpAddr::from([10, 0, 0, last]);
    let held: Vec<_> = (0..6)
        .map(|last| table.admit(address(last), true))
        .collect();
    assert!(held.iter().all(Result::is_ok));
    let refused = table.admit(address(7), true).map(drop);
    assert_eq!(refused, Err(crate::limits::Limit::Connections));
    table.remember(address(8));
    assert!(table.admit(address(8), true).is_ok());
    // A trusted proxy may also open connections for users.
    assert!(table.admit(address(9), false).is_ok());
    assert!(table.admit(address(9), false).is_err());
}

#[actix_web::test]
async fn a_websocket_whose_peer_does_not_read_can_be_dropped() {
    let (dropped, mut is_dropped) = mpsc::unbounded_channel();
    let flood = move |request: HttpRequest| {
        let dropped = dropped.clone();
        async move {
            let mut answer = actix_http::ws::handshake(request.head())?;
            let mut answer = HttpResponse::from(answer.finish()).map_into_boxed_body();
            TakeOver::leave_in(&mut answer, |mut stream| {
                rt::spawn(async move {
                    let bytes = vec![b'x'; 60_000];
                    let pause = Duration::from_millis(200);
                    while let Ok(Ok(())) = timeout(pause, stream.write_all(&bytes)).await {}
                    stream.handle().force_close();
                    let _ = dropped.send(stream.read_u8().await.is_err());
                });
            });
            Ok::<HttpResponse, Error>(answer)
        }
    };
    let server = TestServer::with(patient(), move |routes| {
        routes.route("/ws", web::get().to(flood.clone()));
    });
    let mut peer = server.connect().await;
    peer.send(
        "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    )
    .await;
    timeout(PATIENCE, is_dropped.recv())
        .await
        .expect("the connection ends")
        .unwrap();
    peer.rest().await;
    server.has(0).await;
    server.stop().await;
}

#[test]
fn a_stranger_does_not_displace_a_user() {
    let table = ConnectionTable::new(TransportLimits::new(0, 4));
    let address = |last| IpAddr::from([10, 0, 0, last]);
    let idle = |last| {
        let connection = table.admit(address(last), true).unwrap();
        let now = Instant::now();
        connection.state().received(HEAD.as_bytes(), now);
        connection.state().request_begins(BodyKind::None, now);
        connection.state().request_ends(now);
        connection
    };
    table.remember(address(1));
    let user = idle(1);
    let _strangers = [2, 3].map(|last| table.admit(address(last), true).unwrap());
    assert!(table.admit(address(4), true).is_err());
    assert_eq!(user.state().end(), None);
    // A user's connection replaces an idle one of another user.
    let _second = table.admit(address(1), true).unwrap();
    let _third = table.admit(address(1), true).unwrap();
    assert_eq!(user.state().end(), Some(state::ConnectionEnd::Idle));
}

#[test]
fn the_library_gets_one_request_at_a_time() {
    let (limits, now) = (patient(), Instant::now());
    let mut state = ConnectionState::new(now);
    let many = HEAD.repeat(100);
    let post = format!("POST /body HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc{many}");
    let chunked = format!(
        "POST /body HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n{many}"
    );
    let bodies = [
        (&many, BodyKind::None),
        (&post, BodyKind::Length(3)),
        (&chunked, BodyKind::Chunked),
    ];
    for (text, body) in bodies {
        let mut taken = state.received(text.as_bytes(), now);
        if state.request_begins(body, now) {
            taken += state.received(&text.as_bytes()[taken..], now);
        }
        assert_eq!(
            text.len() - taken,
            if body == BodyKind::None {
                many.len() - HEAD.len()
            } else {
                many.len()
            }
        );
        assert_eq!(state.reading(&limits, now), Reading::Whole);
        assert_eq!(state.received(many.as_bytes(), now), 0);
        state.request_ends(now);
        assert_eq!(state.reading(&limits, now), Reading::Open);
    }
    // A body is only read up to a bound if nothing of it is taken, or if it is discarded.
    state.received(
        b"POST /body HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        now,
    );
    state.request_begins(BodyKind::Chunked, now);
    state.received(format!("{:x}\r\n", u32::MAX).as_bytes(), now);
    let mut read = 0;
    let piece = vec![b'x'; 16 * 1024];
    while state.reading(&limits, now) == Reading::Open {
        read += state.received(&piece, now);
    }
    assert_eq!(state.reading(&limits, now), Reading::Full);
    assert!(read <= limits.read_ahead + piece.len(), "{read}");
    state.request_ends(now);
    while !matches!(state.reading(&limits, now), Reading::Over(_)) {
        read += state.received(&piece, now);
    }
    let most = crate::limits::DRAINED_BYTES as usize + 2 * piece.len() + limits.read_ahead;
    assert!(read <= most, "{read}");
}

#[test]
fn many_new_connections_of_a_stranger_are_delayed() {
    use crate::limits::{CONNECTION_TURN, Limit, NEW_CONNECTIONS_AT_ONCE};
    let table = ConnectionTable::new(TransportLimits::new(0, 1_000));
    let (address, now) = (IpAddr::from([10, 0, 0, 1]), Instant::now());
    let wait = |address, now| table.turn(address, now).map(|turn| turn.wait());
    for _ in 0..NEW_CONNECTIONS_AT_ONCE.get() {
        assert_eq!(wait(address, now), Ok(Duration::ZERO));
    }
    let mut last = Duration::ZERO;
    while let Ok(wait) = wait(address, now) {
        assert!(wait > last && wait <= CONNECTION_TURN.get(), "{wait:?}");
        last = wait;
    }
    assert_eq!(wait(address, now), Err(Limit::NewConnections));
    // Connections of other addresses do not wait, nor do later ones, nor those from known
    // addresses.
    let other = IpAddr::from([10, 0, 0, 2]);
    assert_eq!(wait(other, now), Ok(Duration::ZERO));
    let later = now + 2 * CONNECTION_TURN.get();
    table.sweep(later);
    assert_eq!(wait(address, later), Ok(Duration::ZERO));
    table.remember(address);
    for _ in 0..2 * NEW_CONNECTIONS_AT_ONCE.get() {
        assert_eq!(wait(address, Instant::now()), Ok(Duration::ZERO));
    }
}

/// After a restart everybody reconnects at once: the first one that sends a token lets all others
/// proceed.
#[actix_web::test]
async fn a_delayed_connection_proceeds_when_a_token_arrives() {
    use futures_util::{FutureExt, future::LocalBoxFuture};
    let table = ConnectionTable::new(TransportLimits::new(0, 1_000));
    let (address, now) = (IpAddr::from([10, 0, 0, 1]), Instant::now());
    let turns = std::iter::from_fn(|| table.turn(address, now).ok());
    let mut waiting: Vec<_> = turns.map(|turn| turn.come().boxed_local()).collect();
    // They are more than one task may poll in tokio at a time.
    let has_come = |turn: &mut LocalBoxFuture<'_, ()>| {
        tokio::task::unconstrained(turn).now_or_never().is_some()
    };
    waiting.retain_mut(|turn| !has_come(turn));
    assert!(!waiting.is_empty());
    table.remember(IpAddr::from([10, 0, 0, 2]));
    assert!(!waiting.iter_mut().any(has_come), "freed by a stranger");
    table.remember(address);
    assert!(waiting.iter_mut().all(has_come), "still waiting");
}
