//! The websocket layer against the Autobahn cases, as the Python package `kosoku` plays them: framing,
//! pings, reserved bits, opcodes, fragments, UTF-8, closing, limits of size.
//!
//! The cases want a server that echoes, binary messages and large ones too, which no route of the program
//! does. So the route is the test's; the frames take the same way as elsewhere: the
//! connection's bytes, its message stream, and what that says of broken ones. Needs `kosoku` on the path, or where `KOSOKU` says; without it the test says by name
//! that it was skipped, unless `STEPWIRE_TEST=all`.

use std::process::{Command, Stdio};

use actix_http::ws::handshake;
use actix_web::{App, HttpRequest, HttpResponse, web};
use stepwire::{
    session::protocol::close::CloseCode,
    web::{
        transport::{ConnectionTable, TakeOver, TransportLimits, serve},
        websocket::{
            frame_guard::FrameGuard,
            message_stream::{ClientMessage, MessageStream, StreamEnd},
        },
    },
};

use crate::support::node::skip;

/// The longest message of the cases.
const LONGEST: usize = 16 * 1024 * 1024;
/// Compression (12 and 13) is not offered; there is no 8.
const GROUPS: [&str; 9] = [
    "1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*",
];
/// Messages in more pieces than one may have (`limits::MESSAGE_FRAGMENTS`): closed with 1009.
const TOO_MANY_PIECES: [&str; 6] = ["9.3.1", "9.3.2", "9.3.3", "9.4.1", "9.4.2", "9.4.3"];

fn program() -> String {
    std::env::var("KOSOKU").unwrap_or_else(|_| "kosoku".to_owned())
}

fn is_installed() -> bool {
    let version = Command::new(program())
        .arg("--help")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    version.is_ok_and(|status| status.success())
}

/// Echoes texts and bytes.
async fn echo(request: HttpRequest) -> actix_web::Result<HttpResponse> {
    let mut answer = handshake(request.head())?;
    let mut answer = HttpResponse::from(answer.finish()).map_into_boxed_body();
    TakeOver::leave_in(&mut answer, |stream| {
        let (from, limits) = (
            stream.address(),
            FrameGuard::new(LONGEST as u64, LONGEST as u64),
        );
        let mut messages = MessageStream::new(stream, from, LONGEST, limits, None);
        actix_web::rt::spawn(async move {
            let over = loop {
                match messages.message().await {
                    Ok(ClientMessage::Text(text)) => messages.send(text),
                    Ok(ClientMessage::Binary(bytes)) => messages.send_binary(bytes),
                    Ok(ClientMessage::Ping(payload)) => messages.pong(payload),
                    Ok(ClientMessage::Pong(_)) => {}
                    Ok(ClientMessage::Close) => break StreamEnd::Close(CloseCode::Normal),
                    Err(over) => break over,
                }
                if messages.flush().await.is_err() {
                    return;
                }
            };
            if let StreamEnd::Close(code) = over {
                messages.close(code.into());
                // The peer may have disconnected already.
                let _ = messages.flush().await;
            }
        });
    });
    Ok(answer)
}

#[actix_web::test]
async fn the_websocket_layer_passes_the_cases_of_autobahn() {
    if !is_installed() {
        return skip(
            "the_websocket_layer_passes_the_cases_of_autobahn",
            "kosoku is missing",
        );
    }
    let any = "127.0.0.1:0".parse().expect("an address");
    let table = ConnectionTable::new(TransportLimits::new(0, 100));
    let application = || App::new().route("/", web::get().to(echo));
    let (addresses, server) = serve(&[any], 1, &table, |_| true, application).expect("a free port");
    let address = addresses[0];
    let handle = server.handle();
    actix_web::rt::spawn(server);
    let reports = tempfile::tempdir().expect("a temporary directory");
    let cases = GROUPS.iter().flat_map(|group| ["-i", group]);
    let left_out = TOO_MANY_PIECES.iter().flat_map(|case| ["-x", case]);
    let mut command = Command::new(program());
    command
        .args(cases.chain(left_out))
        .args(["-p", "4", "-o"])
        .arg(reports.path())
        .arg(format!("ws://{address}/"));
    let output = web::block(move || command.output()).await;
    let output = output.expect("a thread").expect("it runs");
    let documented =
        String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{documented}");
    handle.stop(false).await;
}
