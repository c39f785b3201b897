//! The TCP connections under the HTTP library: how many there may be, how long a peer may keep the
//! server waiting, and how many of its bytes are buffered meanwhile.
//!
//! The library has a deadline only for the first request head of a connection, reads far ahead of
//! the handler of a body, and waits forever for a peer that does not read its response. So each
//! connection is wrapped in a stream of our own, which counts bytes and measures times (`stream`,
//! `state`). A table of all connections refuses too many, closes idle ones first, and searches for
//! overdue ones (`table`). A middleware reports to the stream where a request begins and its
//! response ends (`tracking`), so that the library has one request at a time (`framing`). All of
//! this needs one descriptor per connection.
//!
//! Not here: memory for bodies (`http::body`), frames of websockets (`frame_guard`), the
//! connections of one user (`connections`).

use std::{
    fmt, io,
    net::SocketAddr,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_http::{
    HttpService, KeepAlive, Request, Response, body::MessageBody, error::DispatchError,
};
use actix_service::{
    IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_factory, fn_service, map_config,
};
use actix_web::{
    Error,
    dev::{AppConfig, Extensions, Server, Service},
    rt::net::TcpStream,
};
use tokio::net::TcpSocket;

use self::take_over::answer;
use crate::limits::{RECEIVE_BUFFER_BYTES, SEND_BUFFER_BYTES, network};

pub use connection::ConnectionHandle;
pub use descriptors::room_for_connections;
pub use limits::TransportLimits;
pub use session_stream::SessionStream;
pub use stream::GuardedStream;
pub use table::ConnectionTable;
use table::ConnectionTurn;
pub use take_over::TakeOver;
pub use tracking::track;

mod connection;
mod descriptors;
mod framing;
mod known_addresses;
mod limits;
mod raw_answer;
mod session_stream;
mod state;
mod stream;
mod table;
mod take_over;
pub mod thread_turns;
mod tracking;

/// Connections that wait to be accepted: as many as systems usually allow. The system silently
/// refuses further ones, and their clients try again a second later; so thousands that reconnect at
/// the same moment need the room.
const BACKLOG: u32 = 4_096;
/// How long the rest of a request is read after its refusal was sent.
const LINGER: Duration = Duration::from_secs(1);

/// Serves HTTP on these addresses. `is_counted` says for which peers the number of connections is
/// limited: not for trusted proxies, which open many.
///
/// # Errors
/// If it cannot listen on an address.
pub fn serve<F, I, S, B>(
    addresses: &[SocketAddr],
    workers: usize,
    table: &Arc<ConnectionTable>,
    is_counted: impl Fn(SocketAddr) -> bool + Clone + Send + 'static,
    application: F,
) -> io::Result<(Vec<SocketAddr>, Server)>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<Error> + 'static,
    S::InitError: fmt::Debug,
    S::Response: Into<Response<B>> + 'static,
    <S::Service as Service<Request>>::Future: 'static,
    S::Service: 'static,
    B: MessageBody + 'static,
{
    let mut builder = Server::build()
        .workers(workers)
        .disable_signals()
        .shutdown_timeout(1)
        // The table refuses connections before: if the library stopped accepting, it would stop for
        // everybody.
        .max_concurrent_connections(usize::MAX >> 1);
    let stopping = builder.graceful_shutdown_signal();
    let mut bound = Vec::new();
    for &address in addresses {
        let listener = listen(address)?;
        let address = listener.local_addr()?;
        bound.push(address);
        let (table, is_counted) = (table.clone(), is_counted.clone());
        let (application, stopping) = (application.clone(), stopping.clone());
        builder = builder.listen(address.to_string(), listener, move || {
            let (table, is_counted, stopping) =
                (table.clone(), is_counted.clone(), stopping.clone());
            let in_http = || {
                let application = application().into_factory();
                map_config(
                    application.map_err(|error| error.into().error_response()),
                    |()| AppConfig::default(),
                )
            };
            let upgraded = in_http();
            let http = HttpService::<GuardedStream, _, _>::build()
                .graceful_shutdown_signal(move || {
                    let stopping = stopping.clone();
                    async move { stopping.notified().await }
                })
                // The stream handles both, for every request and not only for the first.
                .keep_alive(KeepAlive::Os)
                .client_request_timeout(Duration::ZERO)
                .client_disconnect_timeout(LINGER)
                .h1_allow_half_closed(false)
                .on_connect_ext(|stream: &GuardedStream, extensions: &mut Extensions| {
                    extensions.insert(stream.handle());
                })
                .upgrade(fn_factory(move || {
                    let upgraded = upgraded.new_service(());
                    async move {
                        let application = Rc::new(upgraded.await?);
                        Ok::<_, S::InitError>(fn_service(move |(request, framed)| {
                            let application = application.clone();
                            async move { answer(&*application, request, framed).await }
                        }))
                    }
                }))
                .h1(in_http());
            fn_service(move |stream: TcpStream| accept(stream, table.clone(), is_counted.clone()))
                .and_then(http)
        })?;
    }
    Ok((bound, builder.run()))
}

/// Wraps a new connection, or refuses it with a reason.
async fn accept(
    stream: TcpStream,
    table: Arc<ConnectionTable>,
    is_counted: impl Fn(SocketAddr) -> bool,
) -> Result<(GuardedStream, Option<SocketAddr>), DispatchError> {
    let peer = stream.peer_addr()?;
    // A commit consists of several small frames: if they waited for the acknowledgement of the
    // first, that would take 40 ms.
    stream.set_nodelay(true)?;
    let (address, is_counted) = (network(peer.ip()), is_counted(peer));
    let turn = match is_counted {
        true => table.turn(address, Instant::now()),
        false => Ok(ConnectionTurn::NOW),
    };
    // A connection that waits for its turn has its place already, so that it is counted.
    let admitted = turn.and_then(|turn| Ok((turn, table.admit(address, is_counted)?)));
    match admitted {
        Ok((turn, connection)) => {
            let stream = GuardedStream::new(stream, connection);
            turn.come().await;
            Ok((stream, Some(peer)))
        }
        Err(refusal) => {
            // Boxed, because its buffer would otherwise be part of every accepted connection.
            Box::pin(table.refuse(stream, refusal)).await;
            Err(io::Error::from(io::ErrorKind::ConnectionRefused).into())
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // Lets a restarted server use its port although old connections linger on it.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    // Connections inherit it: the memory outside the process, for responses that are not read, is
    // bounded, too.
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

#[cfg(test)]
mod tests;
