//! Parameters and members that a route does not read are rejected by name: every operation of the
//! document is tried with an unknown query parameter, and those without a body with one.

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
    /// Whether it is a websocket's.
    upgrades: bool,
}

fn operations() -> Vec<Operation> {
    let document = openapi::document();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, documented) in item.as_object().unwrap() {
            let content = documented["requestBody"]["content"].as_object();
            found.push(Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                bodies: content
                    .into_iter()
                    .flat_map(|it| it.keys().cloned())
                    .collect(),
                upgrades: documented["responses"]["101"].is_object(),
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
async fn unknown_query_parameters_are_refused() {
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

#[actix_web::test]
async fn unexpected_bodies_are_refused() {
    let server = support::server().await;
    let admin = User::new(&server, "root", &["admin"]);
    let instance = admin.start("onboarding", json!({})).await;
    let odd = json!({ODD: 1});
    // Members of the bodies that are read: `web::mistyped`.
    let operations = operations();
    for one in operations
        .iter()
        .filter(|one| one.bodies.is_empty() && !one.upgrades)
    {
        let answer = send(one.request(&admin, &instance, "").json(&odd)).await;
        one.names_it(&answer);
    }
    server.stop().await;
}

#[actix_web::test]
async fn an_empty_object_counts_as_no_body() {
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
