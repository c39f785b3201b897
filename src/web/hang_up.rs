//! Drops a TCP connection whose peer does not read any more.
//!
//! The HTTP library ends a connection only after it has written what it holds, so a peer that stops
//! reading would keep it for ever: a Close frame never leaves, and neither does its own disconnect
//! timeout begin. The way out is a second handle on the socket. It costs a file descriptor per
//! connection.

use std::{
    any::Any,
    net::{Shutdown, TcpStream},
    os::fd::AsFd,
    rc::Rc,
};

use actix_web::{HttpRequest, dev::Extensions, rt::net};

/// A handle that can drop one connection.
#[derive(Clone)]
pub struct HangUp(Rc<TcpStream>);

impl HangUp {
    /// Keeps a handle with a new connection: for `HttpServer::on_connect`. Without a free file
    /// descriptor there is none.
    pub fn on_connect(io: &dyn Any, connection: &mut Extensions) {
        let second = io
            .downcast_ref::<net::TcpStream>()
            .and_then(|stream| stream.as_fd().try_clone_to_owned().ok());
        if let Some(second) = second {
            connection.insert(HangUp(Rc::new(second.into())));
        }
    }

    /// The handle on the connection of this request.
    pub fn of(request: &HttpRequest) -> Option<HangUp> {
        request.conn_data::<HangUp>().cloned()
    }

    /// Drops the connection now, in both directions.
    pub fn hang_up(&self) {
        // The only failure is that it is gone already.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use actix_web::{App, Error, HttpResponse, HttpServer, web};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        sync::mpsc,
        time::timeout,
    };

    use super::*;

    #[actix_web::test]
    async fn a_peer_that_does_not_read_is_dropped() {
        let (dropped, mut is_dropped) = mpsc::unbounded_channel();
        let flood = move |request: HttpRequest, body: web::Payload| {
            let dropped = dropped.clone();
            async move {
                let (response, mut session, mut messages) = actix_ws::handle(&request, body)?;
                actix_web::rt::spawn(async move {
                    let frame = bytestring::ByteString::from("x".repeat(60_000));
                    let send = |mut session: actix_ws::Session| {
                        let frame = frame.clone();
                        async move {
                            timeout(Duration::from_millis(200), session.text(frame))
                                .await
                                .is_ok_and(|sent| sent.is_ok())
                        }
                    };
                    while send(session.clone()).await {}
                    HangUp::of(&request)
                        .expect("each connection has a handle")
                        .hang_up();
                    while let Some(Ok(_)) = messages.recv().await {}
                    let _ = dropped.send(session.text("x").await.is_err());
                });
                Ok::<HttpResponse, Error>(response)
            }
        };
        let server = HttpServer::new(move || App::new().route("/ws", web::get().to(flood.clone())));
        let server = server
            .on_connect(HangUp::on_connect)
            .workers(1)
            .disable_signals()
            .bind(("127.0.0.1", 0))
            .unwrap();
        let mut client = net::TcpStream::connect(server.addrs()[0]).await.unwrap();
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        let request = "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: \
            Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \
            dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        client.write_all(request.as_bytes()).await.unwrap();
        timeout(Duration::from_secs(30), is_dropped.recv())
            .await
            .expect("the connection ends")
            .unwrap();
        let mut sent = Vec::new();
        timeout(Duration::from_secs(30), client.read_to_end(&mut sent))
            .await
            .expect("the peer sees the end")
            .unwrap();
        handle.stop(false).await;
    }
}
