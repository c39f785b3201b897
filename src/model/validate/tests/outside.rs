//! What leaves the server: calls of actions, and webhooks.

use serde_json::{Value, json};

use super::{check, with_action, with_actions, with_task};

#[test]
fn webhooks_name_url_and_statuses() {
    let with = |webhook: Value| {
        let mut definition = with_task(json!({}));
        definition["webhooks"] = json!([webhook]);
        definition
    };
    let url = "https://hooks.example.com/x";
    for good in [
        json!({"url": url}),
        json!({"url": url, "on": ["finished", "failed"], "include": "data"}),
    ] {
        check(with(good), &[]);
    }
    check(with(json!({"url": ""})), &["p missing_param"]);
    check(
        with(json!({"url": "https://hooks.example.com/${id}"})),
        &["p invalid_url"],
    );
    check(
        with(json!({"url": "ftp://hooks.example.com/"})),
        &["p invalid_url"],
    );
    check(
        with(json!({"url": "https://ada:pw@hooks.example.com/"})),
        &["p invalid_url"],
    );
    check(
        with(json!({"url": url, "on": ["done", "started"], "include": "all"})),
        &["p invalid_value"; 3],
    );
    check(with(json!({"url": url, "on": []})), &["p invalid_value"]);
    let mut many = with_task(json!({}));
    many["webhooks"] = json!(vec![json!({"url": url}); 9]);
    check(many, &["p too_many_webhooks"]);
}

#[test]
fn http_calls_have_their_params() {
    let with = |params: Value| with_action(json!({"type": "httpRequest", "params": params}));
    check(with(json!({"url": "https://api.example.com/"})), &[]);
    check(
        with(json!({"url": "api.example.com", "method": "CONNECT", "headers": "1"})),
        &["t invalid_value", "t invalid_url", "t invalid_value"],
    );
    // An automatic one holds the token, so what is optional beside it can be run meanwhile.
    let call = json!({"name": "b", "type": "httpRequest", "trigger": "automatic", "params": {"url": "https://api.example.com/"}, "order": 1});
    check(with_actions(&[json!({"required": "optional"}), call]), &[]);
}
