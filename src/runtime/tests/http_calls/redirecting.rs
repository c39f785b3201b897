//! Redirects: followed for requests that only read, checked at every hop, and without headers that
//! could be credentials on another origin.

use super::{
    receiver::{answer as raw, json as answered},
    *,
};

fn redirect(status: u16, to: &str) -> Vec<u8> {
    raw(status, &format!("Location: {to}\r\n"), "")
}

fn params(url: String) -> Value {
    json!({"url": url, "headers": r#"{"Authorization": "${secret.TOKEN}", "X-Api-Key": "k", "Accept": "text/plain"}"#,
        "outputKey": "r", "retries": 0})
}

#[test]
fn a_redirect_within_an_origin_keeps_the_headers() {
    for status in [301, 302, 303, 307, 308] {
        let receiver = Receiver::start(move |number, _| match number {
            0 => redirect(status, "/second?x=1"),
            _ => answered(200, "1"),
        });
        let outcome = Stage::new(&[&receiver.target()]).play(params(receiver.url("/")));
        assert_eq!(outcome.data["r"], 1);
        let second = &receiver.received()[1];
        assert_eq!(second.line, "GET /second?x=1 HTTP/1.1");
        assert_eq!(
            (second.header("authorization"), second.header("x-api-key")),
            (Some("hush"), Some("k"))
        );
    }
}

#[test]
fn another_origin_gets_no_credentials_even_after_a_redirect_back() {
    let home = Receiver::start(|number, received| match number {
        0 => redirect(
            302,
            received
                .line
                .split_whitespace()
                .nth(1)
                .and_then(|path| path.strip_prefix("/?to="))
                .unwrap(),
        ),
        _ => answered(200, "1"),
    });
    let back = home.url("/back");
    let other = Receiver::start(move |_, _| redirect(302, &back));
    let outcome =
        Stage::new(&["127.0.0.1"]).play(params(home.url(&format!("/?to={}", other.url("/x")))));
    assert_eq!(outcome.data["r"], 1);
    let away = &other.received()[0];
    let names = |received: &Received| {
        received
            .headers
            .iter()
            .map(|(name, _)| name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (
            away.header("authorization"),
            away.header("x-api-key"),
            away.header("idempotency-key")
        ),
        (None, None, None)
    );
    assert_eq!(
        away.header("accept"),
        Some("text/plain"),
        "{:?}",
        names(away)
    );
    let returned = &home.received()[1];
    assert_eq!(
        returned.header("authorization"),
        None,
        "whoever sent it back chose the address"
    );
}

#[test]
fn a_redirect_to_a_refused_target_is_not_followed() {
    let inner = Receiver::start(|_, _| answered(200, "1"));
    for to in [
        inner.url("/"),
        format!("http://localhost:{}/", inner.port),
        format!("http://0x7f.1:{}/", inner.port),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://[::ffff:127.0.0.1]/".to_owned(),
        "http://ada:pw@127.0.0.1/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "//[::1]/".to_owned(),
    ] {
        let target = to.clone();
        let receiver = Receiver::start(move |_, _| redirect(302, &target));
        let outcome = Stage::new(&[&receiver.target(), "*"]).play(params(receiver.url("/")));
        outcome.failed("http_request_refused");
        assert_eq!(receiver.received().len(), 1, "{to}");
    }
    assert!(inner.received().is_empty());
}

#[test]
fn writing_methods_are_not_redirected_and_redirects_are_bounded() {
    let receiver = Receiver::start(|_, _| redirect(307, "/again"));
    let stage = Stage::new(&[&receiver.target()]);
    let outcome = stage.play(json!({"method": "POST", "url": receiver.url("/"), "body": "{}"}));
    assert!(outcome.failed("http_request_failed").contains("307"));
    assert_eq!(receiver.received().len(), 1);

    let stage = Stage::new(&[&receiver.target()]);
    let outcome = stage.play(params(receiver.url("/")));
    assert!(
        outcome
            .failed("http_request_failed")
            .contains("at most 3 redirects")
    );
    assert_eq!(receiver.received().len(), 1 + 4);
}

#[test]
fn a_redirect_listed_as_success_is_a_response() {
    let receiver = Receiver::start(|_, _| redirect(302, "/elsewhere"));
    let stage = Stage::new(&[&receiver.target()]);
    let params = json!({"url": receiver.url("/"), "success": ["302"], "outputKey": "r", "output": "\"${headers.location}\""});
    assert_eq!(stage.play(params).data["r"], "/elsewhere");
}
