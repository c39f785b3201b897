//! `types.d.ts` of definitions, checked by the compiler of the TypeScript client.
//!
//! Needs Node; without it the test reports by name that it was skipped, unless `STEPWIRE_TEST=all`.

use std::{fs, process::Command};

use serde_json::{Value, json};

use super::http::User;
use crate::support::{self, node};

/// Names and schemas that could break a file.
fn hostile() -> Value {
    let person = json!({"type": "object", "required": ["name"], "properties": {"name": {"type": "string"},
        "tags": {"type": "array", "items": {"enum": ["a", "b", 3]}}, "boss": {"$ref": "#/$defs/boss"}},
        "$defs": {"boss": {"type": "object", "properties": {"name": {"type": "string"}}}}});
    let keys = json!([{"path": "people.first", "required": true, "schema": person}, {"path": "people", "schema": {"type": "object"}},
        {"path": "größe-in-cm", "schema": {"type": ["number", "null"]}}, {"path": "*/"}, {"path": "class", "schema": false},
        {"path": "both", "schema": {"allOf": [{"type": "object", "properties": {"a": {"type": "number"}}, "additionalProperties": true},
            {"oneOf": [{"type": "string"}, {"type": "object"}]}]}}]);
    let message = r#"{"*/ 'x' \" \\ \n": "${people}", "list": [1, {"deep": []}, "${now}"], "parent": "${parentProcessInstanceId}"}"#;
    let save = |name: &str, order: u8| json!({"name": name, "order": order, "type": "saveData", "trigger": "manual", "keys": keys});
    let show = json!({"name": "show", "order": 0, "type": "websocketSend", "params": {"message": message}});
    json!({
        "id": "hostile", "name": "*/ export const x = 1; /*",
        "nodes": [
            {"id": "start", "type": "startEvent", "keys": [{"path": "amount", "required": true, "schema": {"type": "number"}}]},
            {"id": "1.é", "type": "userTask", "actions": [show, save("a.b", 1), save("a-b", 2), save("délai", 3)]},
            {"id": "plain", "type": "userTask"},
            {"id": "end", "type": "endEvent"}],
        "flows": [{"id": "f1", "source": "start", "target": "1.é"}, {"id": "f2", "source": "1.é", "target": "plain"},
            {"id": "f3", "source": "plain", "target": "end"}],
    })
}

/// A frontend that keeps to the types, and says where it does not.
const USE: &str = r#"
import type { ActionName, DataBodies, Json, NodeId, Payloads, StartData } from './hostile';
const node: NodeId = 'plain';
const action: ActionName = 'complete';
const start: StartData = { amount: 7 };
// @ts-expect-error: a text is no amount
const wrong: StartData = { amount: '7' };
const payload: Payloads['1.é']['a.b'] = { people: { first: { name: 'Ada', tags: ['a', 3] } }, 'größe-in-cm': null };
// @ts-expect-error: a name is required
const nameless: Payloads['1.é']['a-b'] = { people: { first: {} } };
const free: Payloads['plain']['complete'] = { anything: [1, { goes: true }] };
const deep = (body: DataBodies['1.é']['show']): [] => body.list[1].deep;
const parent = (body: DataBodies['1.é']['show']): string | null => body.parent;
const json: Json = { a: [null, 'b'] };
export { node, action, start, wrong, payload, nameless, free, deep, parent, json };
"#;

/// The same with the client, which takes the exported types as they are.
const USE_CLIENT: &str = r#"
import { connect, type Instance } from '@stepwire/client';
import type { Processes as Cards } from './cardOrder';
import type { Processes } from './hostile';
import type { Processes as Onboarding } from './onboarding';

export async function play(): Promise<Instance<Processes['hostile']>> {
  const client = connect<Processes & Onboarding & Cards>({ url: 'ws://127.0.0.1/v1/ws' });
  const instance = await client.start('hostile', { data: { amount: 7 } });
  // @ts-expect-error: a text is no amount
  await client.start('hostile', { data: { amount: '7' } });
  // @ts-expect-error: there is no such process
  await client.start('nowhere');
  await instance.run('a.b', { people: { first: { name: 'Ada' } } });
  await instance.run('complete', { anything: [1, { goes: true }] });
  // @ts-expect-error: a name is required
  await instance.run('délai', { people: { first: {} } });
  // @ts-expect-error: there is no such action
  await instance.run('nothing', {});
  const list: [1, { "deep": [] }, string] | undefined = instance.view.get().list;
  // @ts-expect-error: no message holds that
  instance.view.get().unheard;
  const onboarding = client.instance('onboarding', 'key');
  await onboarding.run('save', { client: { firstName: 'Ada', lastName: 'L', email: 'a@b.example', age: 36, income: 1 } });
  const name: 'details' | 'review' | 'done' | 'rejected' | undefined = onboarding.view.get().form;
  const fromChildren: unknown = onboarding.view.get().card;
  instance.actions.get().map(({ name }) => name === 'a-b');
  // @ts-expect-error: there is no such action
  instance.actions.get().map(({ name }) => name === 'unheard');
  return connect<Processes>({ url: [list, name, fromChildren].join() }).instance('hostile', 'key');
}
"#;

#[actix_web::test]
async fn the_types_of_definitions_are_typescript() {
    if let Err(missing) = node::prepare("sdk") {
        return node::skip("types of definitions", &missing);
    }
    let server = support::server().await;
    let dora = User::new(&server, "dora", &["designer"]);
    dora.publish(hostile()).await;
    let folder = tempfile::tempdir().unwrap();
    let definitions = dora.get("/v1/definitions").await.json();
    let mut files = vec!["use.ts".to_owned(), "use-client.ts".to_owned()];
    for definition in definitions["definitions"].as_array().unwrap() {
        let (id, version) = (definition["id"].as_str().unwrap(), &definition["version"]);
        let path = format!("/v1/definitions/{id}/{version}/types.d.ts");
        let (first, second) = (dora.get(&path).await, dora.get(&path).await);
        assert_eq!(
            (first.status.as_u16(), first.header("content-type")),
            (200, "text/plain; charset=utf-8")
        );
        assert_eq!(first.text, second.text);
        files.push(format!("{id}.d.ts"));
        fs::write(folder.path().join(format!("{id}.d.ts")), first.text).unwrap();
    }
    fs::write(folder.path().join("use.ts"), USE).unwrap();
    fs::write(folder.path().join("use-client.ts"), USE_CLIENT).unwrap();
    let options = json!({
        "compilerOptions": {"noEmit": true, "strict": true, "noUncheckedIndexedAccess": true, "exactOptionalPropertyTypes": true,
            "target": "es2022", "lib": ["es2022", "dom"], "module": "preserve", "types": [],
            "paths": {"@stepwire/client": [node::folder("sdk/src/index.ts")]}},
        "files": files,
    });
    fs::write(folder.path().join("tsconfig.json"), options.to_string()).unwrap();
    let compiler = node::folder("sdk/node_modules/typescript/bin/tsc");
    let output = Command::new("node")
        .arg(compiler)
        .args(["-p", "tsconfig.json"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let reported = String::from_utf8_lossy(&output.stdout);
    let written = fs::read_to_string(folder.path().join("hostile.d.ts")).unwrap();
    assert!(output.status.success(), "{reported}\n{written}");
    server.stop().await;
}

#[actix_web::test]
async fn types_exist_for_existing_versions_only() {
    let server = support::server().await;
    let ada = User::new(&server, "ada", &[]);
    assert_eq!(
        ada.get("/v1/definitions/onboarding/1/types.d.ts")
            .await
            .status,
        200
    );
    for path in [
        "onboarding/9",
        "onboarding/x",
        "nowhere/1",
        "onboarding/99999999999",
    ] {
        ada.get(&format!("/v1/definitions/{path}/types.d.ts"))
            .await
            .is_problem(404, "not_found", "definition");
    }
    User::with_token(&server, None)
        .get("/v1/definitions/onboarding/1/types.d.ts")
        .await
        .is_problem(401, "unauthenticated", "");
    server.stop().await;
}

#[actix_web::test]
async fn schemas_named_by_actions_are_served() {
    let server = support::server().await;
    let ada = User::new(&server, "ada", &[]);
    let started = ada
        .post("/v1/instances", json!({"process": "onboarding"}))
        .await;
    let name = started.json()["actions"][0]["schema"].clone();
    let schemas = ada.get("/v1/definitions/onboarding/1/schemas").await;
    assert_eq!(schemas.status, 200);
    let reported = schemas.json();
    let schema = &reported["schemas"][name.as_str().expect("a name")];
    assert_eq!(schema["properties"]["client"]["type"], "object", "{schema}");
    ada.get("/v1/definitions/onboarding/9/schemas")
        .await
        .is_problem(404, "not_found", "definition");
    User::with_token(&server, None)
        .get("/v1/definitions/onboarding/1/schemas")
        .await
        .is_problem(401, "unauthenticated", "");
    server.stop().await;
}
