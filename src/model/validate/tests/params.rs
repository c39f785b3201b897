//! The parameters of actions, by type.

use super::*;

#[test]
fn params_are_what_the_type_needs() {
    check(with_push(json!({"message": "{\"a\": \"${b.c}\"}"})), &[]);
    check(with_push(json!({"message": "${a}"})), &[]);
    check(with_push(json!({"message": ""})), &["t missing_param"]);
    check(
        with_push(json!({"message": "{\"a\": \"${b.}\"}"})),
        &["t invalid_template"],
    );
    check(
        with_push(json!({"message": "[1]"})),
        &["t message_not_object"],
    );
    check(
        with_push(json!({"message": "[1]", "messageType": "action"})),
        &[],
    );
    check(
        with_action(
            json!({"type": "appendToParent", "params": {"message": "1", "destination": "a.b"}}),
        ),
        &[],
    );
    check(
        with_action(
            json!({"type": "appendToParent", "params": {"message": "x", "destination": "a[0]"}}),
        ),
        &["t invalid_template", "t invalid_path"],
    );
    check(
        with_action(json!({"type": "startSubprocess", "params": {"process": ""}})),
        &["t missing_param"],
    );
    check(
        with_action(
            json!({"type": "startSubprocess", "params": {"process": "q", "withoutParams": [""], "outputKey": "."}}),
        ),
        &["t invalid_path", "t invalid_path"],
    );
}

#[test]
fn rules_have_a_script_in_a_supported_language() {
    let rule = |params: Value| {
        with_action(json!({"type": "businessRule", "trigger": "automatic", "params": params}))
    };
    check(rule(json!({"script": "output.a = 1"})), &[]);
    check(
        rule(json!({"script": "output.a = 1", "language": "text/JavaScript"})),
        &[],
    );
    check(rule(json!({"script": " "})), &["t missing_param"]);
    check(
        rule(json!({"script": "output.put('a', 1)", "language": "mvel"})),
        &["t unsupported_language"],
    );
}

#[test]
fn uploads_are_manual_and_have_rules() {
    let upload = |params: Value| with_action(json!({"type": "uploadFile", "params": params}));
    check(upload(json!({"destination": "application.document"})), &[]);
    check(
        upload(
            json!({"destination": "a", "maxBytes": 104_857_600, "types": ["application/pdf", "image/*"]}),
        ),
        &[],
    );
    check(upload(json!({"destination": ""})), &["t missing_param"]);
    check(upload(json!({"destination": "a[0]"})), &["t invalid_path"]);
    check(
        upload(json!({"destination": "a", "maxBytes": 0})),
        &["t invalid_value"],
    );
    check(
        upload(json!({"destination": "a", "maxBytes": 104_857_601})),
        &["t invalid_value"],
    );
    check(
        upload(json!({"destination": "a", "types": []})),
        &["t invalid_value"],
    );
    check(
        upload(json!({"destination": "a", "types": ["pdf"]})),
        &["t invalid_value"],
    );
    let automatic =
        json!({"type": "uploadFile", "trigger": "automatic", "params": {"destination": "a"}});
    check(with_action(automatic), &["t automatic_upload"]);
}

#[test]
fn messages_that_start_a_process_have_their_form() {
    let check_message = |message: Value, expected: &[&str]| {
        check(
            with_push(json!({"messageType": "action", "message": message.to_string()})),
            expected,
        );
    };
    let form = "START_PROCESS_INHERIT";
    check_message(
        json!({"processName": "q", "type": form, "clientDataKeys": ["a"],
            "params": {"startCondition": "${x}", "paramsToCopy": ["a.b"], "withoutParams": [], "startOn": "server"}}),
        &[],
    );
    check_message(
        json!({"processName": "${q}", "type": form, "clientDataKeys": "${x}", "params": "${y}"}),
        &[],
    );
    check_message(
        json!({"type": "openUrl", "processName": 1, "params": 2}),
        &[],
    );
    check_message(json!({"processName": 1}), &["t invalid_start_message"]);
    check_message(json!({"type": form}), &["t invalid_start_message"]);
    check_message(
        json!({"processName": "q", "clientDataKeys": "a"}),
        &["t invalid_start_message"],
    );
    for params in [
        json!([]),
        json!({"paramsToCopy": "a"}),
        json!({"withoutParams": ["a b"]}),
        json!({"startCondition": 1}),
        json!({"startOn": "x"}),
    ] {
        check_message(
            json!({"processName": "q", "params": params}),
            &["t invalid_start_message"],
        );
    }
}
