//! Placeholders in a notation that is not replaced.

use serde_json::json;

use super::*;

#[test]
fn the_other_spelling_of_a_placeholder_is_a_warning_wherever_one_may_stand() {
    let warned = &["t placeholder_not_filled_in?"];
    check(
        with_push(json!({"message": r##"{"name": "#{client.name}"}"##})),
        warned,
    );
    check(
        with_push(
            json!({"message": r##"{"name": "${client.name}", "colour": "#fff", "set": "#{}", "text": "# {x}"}"##}),
        ),
        &[],
    );
    check(with_task(json!({"task": {"assignee": "#{chief}"}})), warned);
    let call = |params: Value| {
        let mut params = params;
        deep_merge(&mut params, &json!({"method": "POST"}));
        with_action(json!({"type": "httpRequest", "trigger": "automatic", "params": params}))
    };
    check(
        call(json!({"url": "https://a.example/#{id}"})),
        &["t placeholder_not_filled_in?", "t invalid_url"],
    );
    check(
        call(json!({"url": "https://a.example", "body": r##"{"id": "#{id}"}"##})),
        warned,
    );
    check(
        call(json!({"url": "https://a.example", "headers": r##"{"X-Id": "#{id}"}"##})),
        warned,
    );
}
