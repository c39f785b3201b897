use serde_json::{Value, json};

use super::*;

fn params(more: Value) -> HttpRequestParams {
    let mut params = json!({"url": "https://api.example.com/users"});
    if let (Some(params), Value::Object(more)) = (params.as_object_mut(), more) {
        params.extend(more);
    }
    serde_json::from_value(params).expect("the test's params are valid")
}

fn codes(more: Value) -> Vec<&'static str> {
    params(more)
        .compile()
        .err()
        .into_iter()
        .flatten()
        .map(|(code, sentence)| {
            assert!(sentence.contains("expected "), "{sentence}");
            code
        })
        .collect()
}

#[test]
fn absent_params_have_their_defaults() {
    let call = params(json!({})).compile().unwrap();
    assert_eq!(
        (
            &*call.method,
            call.timeout_ms,
            call.retries,
            call.backoff_ms
        ),
        ("GET", 10_000, 3, 1_000)
    );
    assert!(call.success.contain(204) && !call.success.contain(301) && !call.needs_body());
    assert_eq!(call.success.to_string(), "2xx");
}

#[test]
fn every_problem_is_listed() {
    let all = json!({"method": "get", "url": "", "headers": "[", "body": "{", "timeout": "10s", "retries": 11, "backoff": "PT2H",
        "success": [], "outputKey": "a[0]", "output": "1"});
    let expected = [
        "invalid_value",
        "missing_param",
        "invalid_template",
        "invalid_template",
        "invalid_path",
        "invalid_value",
        "invalid_value",
        "invalid_value",
        "invalid_value",
    ];
    assert_eq!(codes(all), expected);
    for (wrong, code) in [
        (json!({"method": "TRACE"}), "invalid_value"),
        (json!({"method": "POST\r\nX: y"}), "invalid_value"),
        (json!({"body": "{}"}), "misplaced_body"),
        (json!({"method": "HEAD", "body": "{}"}), "misplaced_body"),
        (json!({"output": "[1]"}), "output_not_object"),
        (json!({"output": "\"${body}\" x"}), "invalid_template"),
        (json!({"retries": -1}), "invalid_value"),
        (json!({"timeout": "PT0S"}), "invalid_value"),
        (json!({"timeout": "PT121S"}), "invalid_value"),
        (json!({"timeout": "-PT1S"}), "invalid_value"),
        (json!({"timeout": "P1M"}), "invalid_value"),
        (json!({"success": ["1xx"]}), "invalid_value"),
        (json!({"success": ["6xx"]}), "invalid_value"),
        (json!({"success": ["99999xx"]}), "invalid_value"),
        (json!({"success": ["ok"]}), "invalid_value"),
    ] {
        assert_eq!(codes(wrong.clone()), [code], "{wrong}");
    }
}

#[test]
fn an_address_names_its_host_or_is_one_placeholder_at_its_beginning() {
    for good in [
        "https://api.example.com",
        "HTTPS://API.example.com:8443/a?b=${c}",
        "http://[::1]:8080/${a}/${b}",
        "http://münchen.example/",
        "${base}",
        "${base}/users/${id}",
        "${base}?q=${q}",
        "https://api.example.com/%7Ea/...",
    ] {
        assert_eq!(codes(json!({"url": good})), [""; 0], "{good}");
    }
    for bad in [
        "api.example.com/users",
        "/users",
        "ftp://api.example.com/",
        "javascript:alert(1)",
        "https://",
        "https:///users",
        "https://${host}/users",
        "https://api.${domain}/users",
        "https://api.example.com${path}",
        "https://api.example.com:${port}/",
        "${scheme}://api.example.com/",
        "${base}.example.com/",
        "${base}@evil.example/",
        "${base}${path}",
        "https://ada:pw@api.example.com/",
        "https://ada@api.example.com/",
        "https://api.example.com\\@evil.example/",
        "https://api.example.com/a b",
        "https://api.example.com/\r\nX: y",
        "https://api.example.com/#x",
        "https://api.example.com/${a}#${b}",
        "https://api.example.com/a/../b",
        "https://api.example.com/%2E%2e/b",
        "https://a%2eb/",
    ] {
        assert_eq!(codes(json!({"url": bad})), ["invalid_url"], "{bad}");
    }
}

#[test]
fn header_names_are_fixed_and_not_reserved() {
    for good in [
        r#"{}"#,
        r#"{"Accept": "text/plain", "X-A": "${a} ${b}", "X-N": 1, "X-P": ${p}}"#,
    ] {
        assert_eq!(codes(json!({"headers": good})), [""; 0], "{good}");
    }
    for (bad, code) in [
        ("[]", "invalid_value"),
        ("${headers}", "invalid_value"),
        (r#"{"X A": "1"}"#, "invalid_header"),
        (r#"{"X:A": "1"}"#, "invalid_header"),
        (r#"{"": "1"}"#, "invalid_header"),
        (r#"{"X\r\nY": "1"}"#, "invalid_header"),
        (r#"{"Host": "evil.example"}"#, "invalid_header"),
        (r#"{"content-LENGTH": "0"}"#, "invalid_header"),
        (r#"{"Transfer-Encoding": "chunked"}"#, "invalid_header"),
        (r#"{"Idempotency-Key": "1"}"#, "invalid_header"),
        (r#"{"X": "a\r\nY: b"}"#, "invalid_header"),
        (r#"{"X": "a\u0000"}"#, "invalid_header"),
        (r#"{"X": null}"#, "invalid_header"),
        (r#"{"X": ["a"]}"#, "invalid_header"),
        (r#"{"X": "1", "x": "2"}"#, "duplicate_header"),
        (r#"{"${name}": "1"}"#, "invalid_template"),
    ] {
        assert_eq!(codes(json!({"headers": bad})), [code], "{bad}");
    }
}

#[test]
fn secrets_may_occur_in_header_values_only() {
    let call = params(
        json!({"headers": r#"{"Authorization": "Bearer ${secret.API_KEY}", "X": "${secretive}"}"#}),
    )
    .compile();
    assert_eq!(
        call.unwrap().headers.secrets().collect::<Vec<_>>(),
        ["API_KEY"]
    );
    for bad in [
        "${secret}",
        "${secret.a}",
        "${secret.A.B}",
        "${secret.A[0]}",
        "x ${secret.Ä}",
    ] {
        assert_eq!(
            codes(json!({"headers": json!({"X": bad}).to_string()})),
            ["invalid_secret"],
            "{bad}"
        );
    }
    for misplaced in [
        json!({"url": "https://api.example.com/?key=${secret.KEY}"}),
        json!({"url": "${secret.URL}"}),
        json!({"method": "POST", "body": r#"{"key": "${secret.KEY}"}"#}),
        json!({"output": r#"{"key": "${secret.KEY}"}"#}),
    ] {
        assert_eq!(
            codes(misplaced.clone()),
            ["misplaced_secret"],
            "{misplaced}"
        );
    }
}

#[test]
fn a_result_that_reads_the_body_needs_it() {
    for (more, needs) in [
        (json!({"outputKey": "r"}), true),
        (json!({"output": r#"{"s": ${status}}"#}), false),
        (
            json!({"outputKey": "r", "output": "${headers.etag}"}),
            false,
        ),
        (json!({"outputKey": "r", "output": "${body}"}), true),
        (json!({"output": r#"{"x": "${body[0].y}"}"#}), true),
        (json!({"output": r#"{"x": "${bodyguard}"}"#}), false),
    ] {
        assert_eq!(
            params(more.clone()).compile().unwrap().needs_body(),
            needs,
            "{more}"
        );
    }
}
