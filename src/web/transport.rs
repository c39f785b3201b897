//! The TCP connections under the HTTP library: how many there may be, how long a peer may keep the
//! server waiting, and how many of its bytes are held meanwhile.
//!
//! The library sets a deadline for the first request head of a connection only, reads far ahead of
//! anyone who takes a body, and waits forever for a peer that does not read its answer. So each
//! connection is wrapped in a stream of our own, which counts bytes and times (`stream`, `state`);
//! a table of all connections refuses too many, closes the idle ones first, and looks for those
//! that are overdue (`table`); a middleware tells the stream where a request begins and its answer
//! ends (`tracking`), so that the library has one request at a time (`framing`). One descriptor per
//! connection suffices for all of it.
//!
//! Not here: which bodies may take how much memory (`body_memory`), frames of websockets
//! (`frame_guard`), connections of one user (`connections`).

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
use table::Turn;
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

/// Connections that wait to be accepted by the server: as many as systems usually let wait. One more is
/// refused by the system without a word, and its peer tries again a second later; so thousands that come
/// back at the same moment need the room.
const BACKLOG: u32 = 4_096;
/// For how long the rest of a request is read whose refusal was sent already.
const LINGER: Duration = Duration::from_secs(1);

/// Serves HTTP on these addresses. `is_counted` tells for which peers the number of connections is
/// bounded: not for trusted proxies, which ask for many.
///
/// # Errors
/// When an address cannot be listened on.
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
        // The table refuses before: a library that stops accepting would stop for everybody.
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
                // Both are the stream's business, for every request and not the first alone.
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

/// Wraps a new connection, or refuses it and says why.
async fn accept(
    stream: TcpStream,
    table: Arc<ConnectionTable>,
    is_counted: impl Fn(SocketAddr) -> bool,
) -> Result<(GuardedStream, Option<SocketAddr>), DispatchError> {
    let peer = stream.peer_addr()?;
    // A commit is several small frames: held back for the acknowledgement of the first, they would
    // take 40 ms.
    stream.set_nodelay(true)?;
    let (address, is_counted) = (network(peer.ip()), is_counted(peer));
    let turn = match is_counted {
        true => table.turn(address, Instant::now()),
        false => Ok(Turn::NOW),
    };
    // A connection that waits has its place already, so that those who wait are counted.
    let admitted = turn.and_then(|turn| Ok((turn, table.admit(address, is_counted)?)));
    match admitted {
        Ok((turn, connection)) => {
            let stream = GuardedStream::new(stream, connection);
            turn.come().await;
            Ok((stream, Some(peer)))
        }
        Err(refusal) => {
            // In a box: its buffer would be part of every connection that is not refused.
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
    // A server that starts anew finds its port, though old connections linger on it.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    // Connections inherit it: what is answered to many who do not read stays bounded, outside of the
    // process, too.
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

#[cfg(test)]
mod tests;
