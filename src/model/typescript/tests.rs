use serde_json::{Value, json};

use super::*;
use crate::model::compile::compile;

/// The declarations of a process whose one user task has these actions.
fn declared(actions: Value) -> String {
    let definition = json!({
        "id": "p", "nodes": [{"id": "s", "type": "startEvent"}, {"id": "ask-me", "type": "userTask", "actions": actions},
            {"id": "e", "type": "endEvent"}],
        "flows": [{"id": "f1", "source": "s", "target": "ask-me"}, {"id": "f2", "source": "ask-me", "target": "e"}],
    });
    let definition = serde_json::from_value(definition).expect("the test's definition can be read");
    let (process, _) = compile(definition).expect("the test's definition compiles");
    declarations(&process, 3, Constants::Literal)
}

/// The declaration of a payload whose one key has this schema.
#[track_caller]
fn check_schema(schema: Value, expected: &str) {
    let text = declared(
        json!([{"name": "save", "type": "saveData", "trigger": "manual",
        "keys": [{"path": "x", "schema": schema}]}]),
    );
    let found = text
        .split("AskMeSavePayload {\n  \"x\"?: ")
        .nth(1)
        .and_then(|rest| rest.split(";\n}\n").next());
    assert_eq!(found, Some(expected), "{text}");
}

#[test]
fn a_process_is_declared() {
    let text = declared(json!([
        {"name": "show", "order": 1, "type": "websocketSend",
            "params": {"message": r#"{"form": "a", "who": "${client.name}", "text": "Hello ${client.name}", "at": "${now}", "n": [1, null]}"#}},
        {"name": "save", "order": 2, "type": "saveData", "trigger": "manual", "keys": [
            {"path": "client.name", "required": true, "schema": {"type": "string"}}, {"path": "client.age"}, {"path": "note"}]},
        {"name": "undo", "order": 3, "type": "saveData", "trigger": "manual", "required": "optional"},
    ]));
    let expected = r#"// Types of the process 'p', version 3. Stepwire made them from its definition: not to be edited.

/** Any JSON. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** The ids of its nodes. */
export type NodeId = "s" | "ask-me" | "e";

/** The names of its actions. */
export type ActionName = "save" | "show" | "undo";

/** What a start at 's' takes. */
export interface SStart { [name: string]: Json }

/** What a start takes. */
export type StartData = SStart;

/** What the action 'save' of 'ask-me' takes. */
export interface AskMeSavePayload {
  "client": {
    "name": string;
    "age"?: Json;
  };
  "note"?: Json;
}

/** What the action 'undo' of 'ask-me' takes. */
export interface AskMeUndoPayload { [name: string]: never }

/** What `run` takes as `data`, by node and action. */
export interface Payloads {
  "ask-me": {
    "save": AskMeSavePayload;
    "undo": AskMeUndoPayload;
  };
}

/** What Data messages hold, by node and action. */
export interface DataBodies {
  "ask-me": {
    "show": {
      "form": "a";
      "who": Json;
      "text": string;
      "at": string;
      "n": [1, null];
    };
  };
}

/** What the view holds, each part once its Data message has come. */
export type View = {
  "form"?: "a";
  "who"?: Json;
  "text"?: string;
  "at"?: string;
  "n"?: [1, null];
};

/** What `connect` of the TypeScript client takes: `connect<Processes>(…)`; for several processes `connect<A & B>(…)`. */
export interface Processes {
  "p": {
    "start": StartData;
    "view": View;
    "actions": {
      "save": AskMeSavePayload;
      "undo": AskMeUndoPayload;
    };
  };
}
"#;
    assert_eq!(text, expected);
}

#[test]
fn schemas_become_types() {
    check_schema(json!(true), "Json");
    check_schema(json!(false), "never");
    check_schema(json!({"minLength": 3}), "Json");
    check_schema(json!({"type": "integer", "minimum": 0}), "number");
    check_schema(json!({"type": ["string", "null"]}), "string | null");
    check_schema(
        json!({"enum": ["a\"b", 1.5, -2, null, true]}),
        r#""a\"b" | 1.5 | -2 | null | true"#,
    );
    check_schema(json!({"const": "x"}), r#""x""#);
    check_schema(json!({"type": "array"}), "Json[]");
    check_schema(
        json!({"type": "array", "items": {"type": ["string", "number"]}}),
        "(string | number)[]",
    );
    check_schema(json!({"type": "object"}), "{ [name: string]: Json }");
    check_schema(
        json!({"type": "object", "additionalProperties": {"type": "number"}}),
        "{ [name: string]: number }",
    );
    check_schema(
        json!({"type": "object", "additionalProperties": false}),
        "{ [name: string]: never }",
    );
    let object = json!({"type": "object", "properties": {"a": {"type": "string"}, "b-c": {}}, "required": ["a"]});
    check_schema(
        object.clone(),
        "{\n    \"a\": string;\n    \"b-c\"?: Json;\n  }",
    );
    check_schema(
        json!({"anyOf": [object, {"type": "null"}]}),
        "{\n    \"a\": string;\n    \"b-c\"?: Json;\n  } | null",
    );
    check_schema(
        json!({"allOf": [{"type": "string"}, {"minLength": 1}]}),
        "string & Json",
    );
    check_schema(
        json!({"$ref": "#/$defs/n", "$defs": {"n": {"type": "number"}}}),
        "number",
    );
    check_schema(json!({"$ref": "elsewhere.json"}), "Json");
}

/// The declared view of a process whose one user task sends these messages.
#[track_caller]
fn check_view(messages: &[&str], expected: &str) {
    let send = |(order, message): (usize, &&str)| json!({"name": format!("send{order}"), "order": order, "type": "websocketSend", "params": {"message": message}});
    let text = declared(messages.iter().enumerate().map(send).collect());
    let found = text
        .split("export type View = ")
        .nth(1)
        .and_then(|rest| rest.split(";\n\n").next());
    assert_eq!(found, Some(expected), "{text}");
}

#[test]
fn the_type_of_a_view_combines_its_messages() {
    check_view(&[], r"{ [name: string]: never }");
    check_view(
        &[r#"{"form": "a"}"#, r#"{"form": "b"}"#, r#"{"form": "a"}"#],
        "{\n  \"form\"?: \"a\" | \"b\";\n}",
    );
    check_view(
        &[
            r#"{"who": {"name": "${n}", "age": 1}}"#,
            r#"{"who": {"name": "Ada"}, "more": [1]}"#,
        ],
        "{\n  \"who\"?: {\n    \"name\": Json;\n    \"age\"?: 1;\n  };\n  \"more\"?: [1];\n}",
    );
    check_view(
        &[r#"{"x": {"y": 1}}"#, r#"{"x": null}"#],
        "{\n  \"x\"?: {\n    \"y\": 1;\n  } | null;\n}",
    );
    check_view(
        &[r#"{"x": "${a}"}"#, r#"{"x": {"y": 1}}"#],
        "{\n  \"x\"?: Json;\n}",
    );
}

#[test]
fn a_process_with_children_has_an_open_view() {
    let start =
        json!({"name": "go", "order": 0, "type": "startSubprocess", "params": {"process": "q"}});
    let send = json!({"name": "send", "order": 1, "type": "websocketSend", "params": {"message": r#"{"a": 1}"#}});
    let ask = json!({"name": "ask", "order": 0, "type": "websocketSend", "params": {"messageType": "action", "message": r#"{"processName": "q"}"#}});
    assert!(declared(json!([start])).contains("export type View = { [name: string]: unknown };"));
    for opening in [start, ask] {
        let text = declared(json!([opening, send]));
        assert!(
            text.contains("export type View = {\n  \"a\"?: 1;\n} & { [name: string]: unknown };"),
            "{text}"
        );
    }
}

#[test]
fn an_action_of_several_nodes_accepts_the_union_of_their_data() {
    let definition = json!({
        "id": "p", "nodes": [{"id": "s", "type": "startEvent"}, {"id": "a", "type": "userTask"}, {"id": "b", "type": "userTask"},
            {"id": "e", "type": "endEvent"}],
        "flows": [{"id": "f1", "source": "s", "target": "a"}, {"id": "f2", "source": "a", "target": "b"},
            {"id": "f3", "source": "b", "target": "e"}],
    });
    let (process, _) =
        compile(serde_json::from_value(definition).expect("it can be read")).expect("it compiles");
    let text = declarations(&process, 1, Constants::Literal);
    assert!(
        text.contains(
            "\"actions\": {\n      \"complete\": ACompletePayload | BCompletePayload;\n    };"
        ),
        "{text}"
    );
    let (process, _) = compile(
        serde_json::from_value(json!({"id": "p", "nodes": [{"id": "s", "type": "startEvent"}, {"id": "e", "type": "endEvent"}],
        "flows": [{"id": "f1", "source": "s", "target": "e"}]}))
        .expect("it can be read"),
    )
    .expect("it compiles");
    assert!(
        declarations(&process, 1, Constants::Literal)
            .contains("\"actions\": Record<never, never>;")
    );
}

#[test]
fn a_schema_that_refers_to_itself_ends() {
    let text = declared(
        json!([{"name": "save", "type": "saveData", "trigger": "manual", "keys": [{"path": "x", "schema":
        {"type": "object", "properties": {"next": {"$ref": "#"}}}}]}]),
    );
    assert!(
        text.contains("\"next\"?: {") && text.contains("\"next\"?: Json;"),
        "{text}"
    );
}

#[test]
fn type_names_are_unique_and_keys_may_overlap() {
    let text = declared(json!([
        {"name": "a.b", "order": 1, "type": "saveData", "trigger": "manual", "keys": [{"path": "x"}, {"path": "x.y", "required": true}]},
        {"name": "a-b", "order": 2, "type": "saveData", "trigger": "manual"},
    ]));
    assert!(
        text.contains("interface AskMeABPayload {") && text.contains("interface AskMeABPayload2 {"),
        "{text}"
    );
    assert!(
        text.contains("\"x\": Json & {\n    \"y\": NonNullable<Json>;\n  };"),
        "{text}"
    );
    let mut names = Names::default();
    let given: Vec<String> = [["Json"], ["1st"], ["größe"], ["*/"]]
        .iter()
        .map(|parts| names.give(parts))
        .collect();
    assert_eq!(given[..3], ["Json2", "N1st", "GrE"]);
    assert_eq!(
        (names.give(&["é"]), comment("a*/\nb")),
        ("2".to_owned(), "'a* / b'".to_owned())
    );
}
