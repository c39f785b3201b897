//! The websocket layer against the Autobahn cases, as the Python package `kosoku` plays them: framing,
//! pings, reserved bits, opcodes, fragments, UTF-8, closing, limits of size.
//!
//! The cases want a server that echoes, binary messages and large ones too, which no route of the program
//! does. So the route is the test's; the frames take the same way as elsewhere: the guard over the
//! connection's bytes, then the library that reads and writes frames, with the same answers to what
//! either finds. Needs `kosoku` on the path, or where `KOSOKU` says; without it the test says by name
//! that it was skipped, unless `STEPWIRE_TEST=all`.

use std::process::{Command, Stdio};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use actix_ws::{AggregatedMessage, CloseCode, CloseReason, ProtocolError};
use futures_util::StreamExt;
use stepwire::web::websocket::{
    frame_guard::{FrameGuard, Stop},
    guarded_payload::guard,
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

async fn echo(request: HttpRequest, body: web::Payload) -> actix_web::Result<HttpResponse> {
    let limits = FrameGuard::new(LONGEST as u64, LONGEST as u64);
    let (body, verdict) = guard(&request, body, limits, None).await?;
    let (response, mut session, messages) = actix_ws::handle(&request, body)?;
    let mut messages = messages
        .max_frame_size(LONGEST)
        .aggregate_continuations()
        .max_continuation_size(LONGEST);
    actix_web::rt::spawn(async move {
        let code = loop {
            let sent = match messages.next().await {
                Some(Ok(AggregatedMessage::Text(text))) => session.text(text).await,
                Some(Ok(AggregatedMessage::Binary(bytes))) => session.binary(bytes).await,
                Some(Ok(AggregatedMessage::Ping(payload))) => session.pong(&payload).await,
                Some(Ok(AggregatedMessage::Pong(_))) => Ok(()),
                Some(Ok(AggregatedMessage::Close(_))) => break CloseCode::Normal,
                Some(Err(ProtocolError::Overflow)) => break CloseCode::Size,
                Some(Err(ProtocolError::Io(error)))
                    if error.kind() == std::io::ErrorKind::InvalidData =>
                {
                    break CloseCode::Invalid;
                }
                Some(Err(_)) => break CloseCode::Protocol,
                None => match verdict.stop() {
                    Some(Stop::TooBig) => break CloseCode::Size,
                    Some(Stop::Protocol(_)) => break CloseCode::Protocol,
                    Some(Stop::NoRoom) => break CloseCode::Again,
                    Some(Stop::Closed) => break CloseCode::Normal,
                    None => return,
                },
            };
            if sent.is_err() {
                return;
            }
        };
        // The peer may be gone already.
        let _ = session.close(Some(CloseReason::from(code))).await;
    });
    Ok(response)
}

#[actix_web::test]
async fn the_websocket_layer_passes_the_cases_of_autobahn() {
    if !is_installed() {
        return skip(
            "the_websocket_layer_passes_the_cases_of_autobahn",
            "kosoku is missing",
        );
    }
    let server = HttpServer::new(|| App::new().route("/", web::get().to(echo)))
        .workers(1)
        .bind("127.0.0.1:0")
        .expect("a free port");
    let address = server.addrs()[0];
    let server = server.run();
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
    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    handle.stop(false).await;
}
