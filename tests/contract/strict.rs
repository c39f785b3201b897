//! What a request brings and its route does not read is refused and named: every operation of the
//! document is tried with a name behind `?` and with a member that it does not know.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use stepwire::web::openapi;

use crate::{
    support,
    web::http::{Answer, User, send},
};

/// Something that no operation knows.
const ODD: &str = "oddOne";

/// An operation of the document.
struct Operation {
    method: Method,
    /// Its address, with names in place of its parts.
    path: String,
    /// The media types of its body; none when it has none.
    bodies: Vec<String>,
    /// What its body has to hold, if it is JSON.
    needed: Value,
    /// Whether its body may hold nothing but what the document names; without one, too.
    is_closed: bool,
    /// Whether it is a websocket's.
    upgrades: bool,
}

/// Whether a schema allows no members but those it names.
fn closed(document: &Value, schema: &Value) -> bool {
    let named = schema["$ref"].as_str();
    let named = named.and_then(|place| document.pointer(place.trim_start_matches('#')));
    named.unwrap_or(schema)["additionalProperties"] == false
}

/// Some value of a schema.
fn some(document: &Value, schema: &Value) -> Value {
    if let Some(place) = schema["$ref"].as_str() {
        let named = document.pointer(place.trim_start_matches('#'));
        return some(document, named.unwrap_or(&Value::Null));
    }
    if let Some(one) = schema["oneOf"].get(0).or(schema["allOf"].get(0)) {
        return some(document, one);
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds[0].as_str(),
        kind => kind.as_str(),
    };
    match kind {
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(true),
        Some("array") => json!([]),
        Some("string") => schema["enum"].get(0).cloned().unwrap_or(json!("x")),
        _ => {
            let needed = schema["required"].as_array().into_iter().flatten();
            needed
                .filter_map(|name| name.as_str())
                .map(|name| (name.to_owned(), some(document, &schema["properties"][name])))
                .collect()
        }
    }
}

fn operations() -> Vec<Operation> {
    let document = openapi::document();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, told) in item.as_object().unwrap() {
            let content = told["requestBody"]["content"].as_object();
            let schema = &told["requestBody"]["content"]["application/json"]["schema"];
            found.push(Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                bodies: content
                    .into_iter()
                    .flat_map(|it| it.keys().cloned())
                    .collect(),
                needed: some(&document, schema),
                is_closed: told["requestBody"].is_null() || closed(&document, schema),
                upgrades: told["responses"]["101"].is_object(),
            });
        }
    }
    found.retain(|one| one.path.starts_with("/v1/"));
    assert!(found.len() > 60, "{}", found.len());
    found
}

impl Operation {
    fn request(&self, user: &User<'_>, instance: &str, query: &str) -> reqwest::RequestBuilder {
        let mut path = self.path.clone();
        for (part, value) in [
            ("{key}", instance),
            ("{id}", "onboarding"),
            ("{version}", "1"),
            ("{element}", "1"),
        ] {
            path = path.replace(part, value);
        }
        let parts = path.split('/').map(|part| match part.strip_prefix('{') {
            Some(name) => name.trim_end_matches('}'),
            None => part,
        });
        let path = parts.collect::<Vec<_>>().join("/");
        let mut request = user.request(self.method.clone(), &format!("{path}{query}"));
        if self.upgrades {
            for (name, value) in [
                ("connection", "upgrade"),
                ("upgrade", "websocket"),
                ("sec-websocket-version", "13"),
                ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
                ("sec-websocket-protocol", "stepwire.v1.json"),
            ] {
                request = request.header(name, value);
            }
        }
        request
    }

    #[track_caller]
    fn names_it(&self, answer: &Answer) {
        let what = format!("{} {}: {answer:?}", self.method, self.path);
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{what}");
        let detail = answer.json()["detail"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert!(
            detail.starts_with("expected ") && detail.contains(ODD),
            "{what}"
        );
    }
}

#[actix_web::test]
async fn names_behind_the_address_that_nobody_reads_are_refused() {
    let server = support::server().await;
    let admin = User::new(&server, "root", &["admin"]);
    let instance = admin.start("onboarding", json!({})).await;
    for one in operations() {
        let mut request = one.request(&admin, &instance, &format!("?{ODD}=1"));
        if let Some(media_type) = one.bodies.first() {
            request = request.header("content-type", media_type).body("{}");
        }
        one.names_it(&send(request).await);
    }
    server.stop().await;
}

/// The member that an answer says is missing.
fn missing(answer: &Answer) -> Option<String> {
    let problem = answer.json();
    let detail = problem["detail"].as_str()?;
    let (before, _) = detail.split_once("is missing")?;
    Some(before.rsplit('\'').nth(1)?.to_owned())
}

#[actix_web::test]
async fn members_that_nobody_reads_are_refused() {
    let server = support::server().await;
    let admin = User::new(&server, "root", &["admin"]);
    let instance = admin.start("onboarding", json!({})).await;
    let mut reached = 0;
    let operations = operations();
    for one in operations
        .iter()
        .filter(|one| one.is_closed && !one.upgrades)
    {
        let mut odd = one.needed.clone();
        odd[ODD] = json!(1);
        let mut answer = send(one.request(&admin, &instance, "").json(&odd)).await;
        // What one of several members has to be there is not told by a schema.
        if let Some(name) = missing(&answer) {
            odd[name] = json!("x");
            answer = send(one.request(&admin, &instance, "").json(&odd)).await;
        }
        // Where there is nothing, that is what is told.
        if answer.status != StatusCode::NOT_FOUND {
            one.names_it(&answer);
            reached += 1;
        }
    }
    assert!(reached > 50, "{reached}");
    server.stop().await;
}

#[actix_web::test]
async fn an_empty_object_is_as_good_as_no_body() {
    let server = support::server().await;
    let admin = User::new(&server, "root", &["admin"]);
    for body in ["", " ", "{}", " { }\n"] {
        let disable = admin.request(Method::POST, "/v1/definitions/onboarding/disable");
        let answer = send(disable.body(body)).await;
        assert_eq!(answer.status, StatusCode::OK, "{body:?} {answer:?}");
    }
    for body in ["[]", "1", "{", "x", &"x".repeat(10_000)] {
        let enable = admin.request(Method::POST, "/v1/definitions/onboarding/enable");
        send(enable.body(body.to_owned()))
            .await
            .is_problem(400, "bad_request", "no body");
    }
    let listed: Value = admin.get("/v1/definitions/onboarding").await.json();
    assert_eq!(listed["versions"][0]["state"], "disabled", "{listed}");
    server.stop().await;
}
