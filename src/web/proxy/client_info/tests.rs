//! Chains of proxies, honest and hostile.

use actix_web::{HttpRequest, test::TestRequest};

use super::*;

/// A request from this peer to a server that trusts 10.0.0.0/8 and fd00::/8.
fn request(peer: &str, lines: &[(&'static str, &str)]) -> HttpRequest {
    let start = TestRequest::default()
        .peer_addr(format!("{peer}:4711").parse().unwrap())
        .insert_header(("Host", "own:8000"));
    lines
        .iter()
        .fold(start, |request, &line| request.append_header(line))
        .to_http_request()
}

/// The client of a request: address, scheme, host.
#[track_caller]
fn check(peer: &str, lines: &[(&'static str, &str)], expected: (&str, bool, &str)) {
    let trusted =
        TrustedProxies::parse(Some(vec!["10.0.0.0/8".into(), "fd00::/8".into()])).unwrap();
    let request = request(peer, lines);
    let approach = ClientInfo::of(request.head(), &trusted);
    let found = (
        approach.address.unwrap().to_string(),
        approach.https,
        approach.host.to_string(),
    );
    assert_eq!(
        (&*found.0, found.1, &*found.2),
        expected,
        "{peer} {lines:?}"
    );
}

const FOR: &str = "X-Forwarded-For";
const PROTO: &str = "X-Forwarded-Proto";
const HOST_OF: &str = "X-Forwarded-Host";

#[test]
fn headers_of_an_untrusted_peer_are_ignored() {
    let lies = [
        (FOR, "192.0.2.1"),
        (PROTO, "https"),
        (HOST_OF, "evil"),
        ("Forwarded", "for=192.0.2.1;proto=https;host=evil"),
    ];
    check("203.0.113.9", &lies, ("203.0.113.9", false, "own:8000"));
    check("127.0.0.1", &lies, ("127.0.0.1", false, "own:8000"));
    check("10.0.0.1", &[], ("10.0.0.1", false, "own:8000"));
}

#[test]
fn the_last_untrusted_address_is_the_client() {
    check(
        "10.0.0.1",
        &[(FOR, "203.0.113.7")],
        ("203.0.113.7", false, "own:8000"),
    );
    check(
        "[::ffff:10.0.0.1]",
        &[(FOR, "203.0.113.7")],
        ("203.0.113.7", false, "own:8000"),
    );
    check(
        "10.0.0.1",
        &[(FOR, "192.0.2.1, 203.0.113.7")],
        ("203.0.113.7", false, "own:8000"),
    );
    check(
        "10.0.0.1",
        &[(FOR, "192.0.2.1, 203.0.113.7, 10.0.0.2")],
        ("203.0.113.7", false, "own:8000"),
    );
    check(
        "10.0.0.1",
        &[(FOR, "192.0.2.1"), (FOR, "203.0.113.7,10.0.0.2")],
        ("203.0.113.7", false, "own:8000"),
    );
    check(
        "10.0.0.1",
        &[(FOR, "10.0.0.3, 10.0.0.2")],
        ("10.0.0.3", false, "own:8000"),
    );
    check(
        "10.0.0.1",
        &[(FOR, "203.0.113.7:51234")],
        ("203.0.113.7", false, "own:8000"),
    );
    check(
        "[fd00::1]",
        &[(FOR, "[2001:db8::7]:80")],
        ("2001:db8::7", false, "own:8000"),
    );
    check(
        "10.0.0.1",
        &[(FOR, "2001:db8::7")],
        ("2001:db8::7", false, "own:8000"),
    );
    let standard = r#"for=192.0.2.1, for="[2001:db8::7]:4711";proto=https;host=app.example;by=10.0.0.2, for=10.0.0.2"#;
    check(
        "10.0.0.1",
        &[("Forwarded", standard)],
        ("2001:db8::7", true, "app.example"),
    );
}

#[test]
fn addresses_before_the_client_are_ignored() {
    check(
        "10.0.0.1",
        &[(FOR, "\"; drop, nonsense, 203.0.113.7")],
        ("203.0.113.7", false, "own:8000"),
    );
    check(
        "10.0.0.1",
        &[
            ("Forwarded", "for=\"open"),
            ("Forwarded", "for=203.0.113.7"),
        ],
        ("203.0.113.7", false, "own:8000"),
    );
    check(
        "10.0.0.1",
        &[(
            "Forwarded",
            "for=10.9.9.9;host=evil, for=203.0.113.7;host=app",
        )],
        ("203.0.113.7", false, "app"),
    );
    let many = format!("{}203.0.113.7", "10.0.0.9, ".repeat(500));
    check(
        "10.0.0.1",
        &[(FOR, &many)],
        ("203.0.113.7", false, "own:8000"),
    );
    // As many as fit in a header; comparing them with each other would take seconds.
    let many: String = (0..50_000).map(|number| format!("p{number}=1;")).collect();
    check(
        "10.0.0.1",
        &[("Forwarded", &format!("{many}for=203.0.113.7"))],
        ("203.0.113.7", false, "own:8000"),
    );
}

#[test]
fn an_unreadable_header_keeps_the_address_of_the_connection() {
    for bad in [
        "unknown",
        "_hidden",
        "",
        ",",
        "203.0.113.7,",
        "999.1.1.1",
        "203.0.113.7 203.0.113.8",
        "for=203.0.113.7",
        "[::1",
    ] {
        check("10.0.0.1", &[(FOR, bad)], ("10.0.0.1", false, "own:8000"));
    }
    for bad in [
        "for",
        "for=",
        "for=unknown",
        "for=_secret",
        "for=\"203.0.113.7",
        "203.0.113.7",
        "for=203.0.113.7;for=203.0.113.8",
        "for=\"\\203.0.113.7\"",
        "host=evil;;for=203.0.113.7",
        ",",
    ] {
        let request = request("10.0.0.1", &[("Forwarded", bad)]);
        let approach = ClientInfo::of(
            request.head(),
            &TrustedProxies::parse(Some(vec!["10.0.0.1".into()])).unwrap(),
        );
        assert_eq!(approach.address, Some("10.0.0.1".parse().unwrap()), "{bad}");
    }
    for (name, bad) in [
        (HOST_OF, "evil.example/x"),
        (HOST_OF, "a b"),
        (HOST_OF, ""),
        (PROTO, "gopher"),
        (PROTO, ""),
    ] {
        check(
            "10.0.0.1",
            &[(FOR, "203.0.113.7"), (name, bad)],
            ("203.0.113.7", false, "own:8000"),
        );
    }
}

#[test]
fn a_header_from_an_untrusted_client_is_ignored() {
    let honest = (FOR, "203.0.113.7");
    check(
        "10.0.0.1",
        &[honest, ("Forwarded", "for=192.0.2.1")],
        ("10.0.0.1", false, "own:8000"),
    );
    check(
        "10.0.0.1",
        &[
            honest,
            ("Forwarded", "for=203.0.113.7;host=evil"),
            (HOST_OF, "app"),
        ],
        ("203.0.113.7", false, "own:8000"),
    );
    check(
        "10.0.0.1",
        &[
            honest,
            ("Forwarded", "for=203.0.113.7;proto=https"),
            (PROTO, "https"),
        ],
        ("203.0.113.7", true, "own:8000"),
    );
}

#[test]
fn scheme_and_host_are_those_of_the_outermost_proxy() {
    let chain = (FOR, "203.0.113.7, 10.0.0.2");
    check(
        "10.0.0.1",
        &[chain, (PROTO, "https"), (HOST_OF, "app.example")],
        ("203.0.113.7", true, "app.example"),
    );
    check(
        "10.0.0.1",
        &[chain, (PROTO, "http, https, http")],
        ("203.0.113.7", true, "own:8000"),
    );
    check(
        "10.0.0.1",
        &[(PROTO, "https"), (HOST_OF, "app.example:8443")],
        ("10.0.0.1", true, "app.example:8443"),
    );
}
