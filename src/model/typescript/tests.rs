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
    declarations(&process, 3)
}

/// The declaration of a payload whose one key has this schema.
#[track_caller]
fn check_schema(schema: Value, expected: &str) {
    let text = declared(json!([{"name": "save", "type": "saveData", "trigger": "manual",
        "keys": [{"path": "x", "schema": schema}]}]));
    let found = text.split("AskMeSavePayload {\n  \"x\"?: ").nth(1).and_then(|rest| rest.split(";\n}\n").next());
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
    check_schema(json!({"enum": ["a\"b", 1.5, -2, null, true]}), r#""a\"b" | 1.5 | -2 | null | true"#);
    check_schema(json!({"const": "x"}), r#""x""#);
    check_schema(json!({"type": "array"}), "Json[]");
    check_schema(json!({"type": "array", "items": {"type": ["string", "number"]}}), "(string | number)[]");
    check_schema(json!({"type": "object"}), "{ [name: string]: Json }");
    check_schema(json!({"type": "object", "additionalProperties": {"type": "number"}}), "{ [name: string]: number }");
    check_schema(json!({"type": "object", "additionalProperties": false}), "{ [name: string]: never }");
    let object = json!({"type": "object", "properties": {"a": {"type": "string"}, "b-c": {}}, "required": ["a"]});
    check_schema(object.clone(), "{\n    \"a\": string;\n    \"b-c\"?: Json;\n  }");
    check_schema(json!({"anyOf": [object, {"type": "null"}]}), "{\n    \"a\": string;\n    \"b-c\"?: Json;\n  } | null");
    check_schema(json!({"allOf": [{"type": "string"}, {"minLength": 1}]}), "string & Json");
    check_schema(json!({"$ref": "#/$defs/n", "$defs": {"n": {"type": "number"}}}), "number");
    check_schema(json!({"$ref": "elsewhere.json"}), "Json");
}

#[test]
fn a_schema_that_refers_to_itself_ends() {
    let text = declared(json!([{"name": "save", "type": "saveData", "trigger": "manual", "keys": [{"path": "x", "schema":
        {"type": "object", "properties": {"next": {"$ref": "#"}}}}]}]));
    assert!(text.contains("\"next\"?: {") && text.contains("\"next\"?: Json;"), "{text}");
}

#[test]
fn names_differ_and_keys_may_overlap() {
    let text = declared(json!([
        {"name": "a.b", "order": 1, "type": "saveData", "trigger": "manual", "keys": [{"path": "x"}, {"path": "x.y", "required": true}]},
        {"name": "a-b", "order": 2, "type": "saveData", "trigger": "manual"},
    ]));
    assert!(text.contains("interface AskMeABPayload {") && text.contains("interface AskMeABPayload2 {"), "{text}");
    assert!(text.contains("\"x\": Json & {\n    \"y\": NonNullable<Json>;\n  };"), "{text}");
    let mut names = Names::default();
    let given: Vec<String> = [["Json"], ["1st"], ["größe"], ["*/"]].iter().map(|parts| names.give(parts)).collect();
    assert_eq!(given[..3], ["Json2", "N1st", "GrE"]);
    assert_eq!((names.give(&["é"]), comment("a*/\nb")), ("2".to_owned(), "'a* / b'".to_owned()));
}
