//! The OpenAPI document against the route table, and against what a server answers.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use stepwire::web::{openapi, routes};

use super::shape::Shapes;
use crate::{
    support,
    web::http::{Answer, User, details, send},
};

/// Pages for people, which are no part of the API.
const PAGES: [&str; 7] = [
    "/demo",
    "/sign-in",
    "/sign-out",
    "/admin",
    "/assets/",
    "/docs",
    "/llms.txt",
];

fn document() -> Value {
    openapi::document()
}

/// Every operation with its method and path.
fn operations(document: &Value) -> impl Iterator<Item = (String, &str, &Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(path, item)| {
        item.as_object()
            .into_iter()
            .flatten()
            .map(move |(method, documented)| (method.to_uppercase(), path.as_str(), documented))
    })
}

#[test]
fn the_document_has_the_routes_of_the_route_table() {
    let document = document();
    let is_page = |path: &str| path == "/" || PAGES.iter().any(|page| path.starts_with(page));
    let table = routes::table().methods_and_paths();
    let served: BTreeSet<String> = table
        .iter()
        .filter(|(method, path)| *method != "HEAD" && !is_page(path))
        .map(|(method, path)| format!("{method} {path}"))
        .collect();
    let documented: BTreeSet<String> = operations(&document)
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
        one.difference(other).cloned().collect::<Vec<_>>()
    };
    assert_eq!(
        only(&served, &documented),
        Vec::<String>::new(),
        "served, but not in the list of src/web/openapi.rs"
    );
    assert_eq!(
        only(&documented, &served),
        Vec::<String>::new(),
        "in the document, but not in src/web/routes.rs"
    );
}

#[test]
fn operations_are_distinct_and_their_links_resolve() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let mut ids = BTreeMap::new();
    let tags: BTreeSet<&str> = document["tags"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|tag| tag["name"].as_str())
        .collect();
    for (method, path, documented) in operations(&document) {
        let id = documented["operationId"].as_str().unwrap_or_default();
        assert_eq!(
            ids.insert(id.to_owned(), path),
            None,
            "the operation id {id} is there twice"
        );
        let tag = documented["tags"][0].as_str().unwrap_or_default();
        assert!(
            tags.contains(tag),
            "{method} {path} has the tag {tag}, which the document does not explain"
        );
        assert!(
            id.starts_with(|first: char| first.is_ascii_lowercase())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            "{id}"
        );
        let text = documented["summary"].as_str().unwrap_or_default();
        assert!(
            text.starts_with(char::is_uppercase) && !text.contains("{}"),
            "{method} {path} has no summary: {text}"
        );
        let parameters = documented["parameters"].as_array().into_iter().flatten();
        let in_path: Vec<&str> = parameters
            .filter(|one| one["in"] == "path")
            .filter_map(|one| one["name"].as_str())
            .collect();
        let wanted: Vec<&str> = path
            .split('{')
            .skip(1)
            .filter_map(|part| Some(part.split_once('}')?.0))
            .collect();
        assert_eq!(in_path, wanted, "{method} {path}");
        for scheme in documented["security"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|one| one.as_object().into_iter().flatten())
        {
            assert!(
                document["components"]["securitySchemes"][scheme.0].is_object(),
                "{method} {path}: {}",
                scheme.0
            );
        }
    }
}

#[test]
fn every_reference_leads_to_a_schema() {
    let document = document();
    let mut left = vec![&document];
    while let Some(value) = left.pop() {
        if let Some(place) = value["$ref"].as_str() {
            assert!(
                document.pointer(place.trim_start_matches('#')).is_some(),
                "{place} leads nowhere"
            );
        }
        left.extend(
            value
                .as_object()
                .into_iter()
                .flat_map(|object| object.values()),
        );
        left.extend(value.as_array().into_iter().flatten());
    }
}

#[test]
fn every_part_has_a_description_for_users_of_the_api() {
    let document = document();
    #[track_caller]
    fn check(what: &str, documented: &Value) {
        let text = documented["description"]
            .as_str()
            .unwrap_or_default()
            .trim();
        assert!(!text.is_empty(), "{what} has no description");
        // Comments that are meant only for readers of the source.
        let is_for_others = ["::", "Debug", "pub ", "TODO"]
            .iter()
            .any(|word| text.contains(word));
        assert!(
            !is_for_others,
            "{what} is described for readers of the source: {text}"
        );
    }
    for (method, path, documented) in operations(&document) {
        for (status, answer) in documented["responses"].as_object().into_iter().flatten() {
            check(&format!("the answer {status} of {method} {path}"), answer);
        }
        for parameter in documented["parameters"].as_array().into_iter().flatten() {
            check(
                &format!("the parameter {} of {method} {path}", parameter["name"]),
                parameter,
            );
        }
    }
    for (name, schema) in document["components"]["schemas"]
        .as_object()
        .into_iter()
        .flatten()
    {
        check(&format!("the schema {name}"), schema);
    }
}

#[test]
fn refusals_are_problems() {
    let document = document();
    let schema = json!({"$ref": "#/components/schemas/Problem"});
    for (method, path, documented) in
        operations(&document).filter(|(_, path, _)| path.starts_with("/v1/"))
    {
        for (status, answer) in documented["responses"].as_object().into_iter().flatten() {
            let is_refusal = status.starts_with(['4', '5']);
            if is_refusal {
                assert_eq!(
                    answer["content"]["application/problem+json"]["schema"], schema,
                    "{method} {path}: {status}"
                );
            }
        }
    }
}

#[actix_web::test]
async fn the_document_is_served_with_an_etag() {
    let server = support::server().await;
    let stranger = User::with_token(&server, None);
    for path in ["/openapi.json", "/asyncapi.json"] {
        let answer = stranger.get(path).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (StatusCode::OK, "application/json"),
            "{path}"
        );
        let again = send(
            stranger
                .request(Method::GET, path)
                .header("if-none-match", answer.header("etag")),
        )
        .await;
        assert_eq!(
            (again.status, again.text.as_str()),
            (StatusCode::NOT_MODIFIED, ""),
            "{path}"
        );
    }
    assert_eq!(stranger.get("/openapi.json").await.json(), document());
    server.stop().await;
}

/// Holds answers against the document.
struct Held {
    document: Value,
    shapes: Shapes,
}

impl Held {
    fn new() -> Self {
        let document = document();
        let shapes = Shapes::of(&document);
        Self { document, shapes }
    }

    /// Asserts that the document reports this answer of an operation; the answer's body.
    #[track_caller]
    fn documented(&self, method: &str, path: &str, answer: &Answer) -> Value {
        let status = answer.status.as_u16().to_string();
        let documented = &self.document["paths"][path][method]["responses"][&status];
        assert!(
            documented.is_object(),
            "{method} {path} answers {status}, of which the document does not tell: {answer:?}"
        );
        let media_type = answer
            .header("content-type")
            .split(';')
            .next()
            .unwrap_or_default();
        if answer.text.is_empty() && documented["content"].is_null() {
            return Value::Null;
        }
        let content = &documented["content"][media_type];
        assert!(
            content.is_object(),
            "{method} {path} answers {status} in {media_type}, of which the document does not tell"
        );
        if media_type.ends_with("json") {
            self.shapes.check(
                &format!("{status} of {method} {path}"),
                &content["schema"],
                &answer.json(),
            );
        }
        answer.json()
    }
}

#[actix_web::test]
async fn answers_have_the_shapes_of_the_document() {
    let server = support::server().await;
    let (held, ada) = (Held::new(), User::new(&server, "ada", &["operator"]));
    let started = ada
        .post(
            "/v1/instances",
            json!({"process": "onboarding", "businessKey": "C-1815"}),
        )
        .await;
    let key = held.documented("post", "/v1/instances", &started)["instance"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let at = |rest: &str| format!("/v1/instances/{key}{rest}");
    held.documented(
        "get",
        "/v1/instances",
        &ada.get("/v1/instances?limit=5").await,
    );
    held.documented(
        "get",
        "/v1/instances",
        &ada.get("/v1/instances?odd=5").await,
    );
    held.documented(
        "post",
        "/v1/instances/{key}/run",
        &ada.post(&at("/run"), json!({"action": "save", "data": {}}))
            .await,
    );
    held.documented(
        "post",
        "/v1/instances/{key}/run",
        &ada.post(&at("/run"), json!({"action": "nothing"})).await,
    );
    held.documented(
        "post",
        "/v1/instances/{key}/run",
        &ada.post(&at("/run"), json!({"action": 1})).await,
    );
    let saved = ada
        .post(&at("/run"), json!({"action": "save", "data": details()}))
        .await;
    held.documented("post", "/v1/instances/{key}/run", &saved);
    for part in ["", "/children", "/history", "/messages"] {
        held.documented(
            "get",
            &format!("/v1/instances/{{key}}{part}"),
            &ada.get(&at(part)).await,
        );
    }
    held.documented(
        "post",
        "/v1/instances/{key}/hold",
        &ada.post(&at("/hold"), json!({})).await,
    );
    held.documented(
        "post",
        "/v1/instances/{key}/hold",
        &ada.post(&at("/hold"), json!({})).await,
    );
    held.documented(
        "post",
        "/v1/instances/{key}/terminate",
        &ada.post(&at("/terminate"), json!({})).await,
    );
    held.documented(
        "post",
        "/v1/instances/{key}/retry",
        &ada.post(&at("/retry"), json!({"element": format!("{key}-3")}))
            .await,
    );
    held.documented(
        "get",
        "/v1/instances/{key}",
        &ada.get("/v1/instances/0").await,
    );
    held.documented(
        "get",
        "/v1/instances/{key}",
        &User::with_token(&server, None).get(&at("")).await,
    );
    held.documented(
        "post",
        "/v1/tickets",
        &ada.post("/v1/tickets", json!({"for": "ws"})).await,
    );
    held.documented(
        "post",
        "/v1/login",
        &ada.post("/v1/login", json!({"username": "nobody", "password": "x"}))
            .await,
    );
    held.documented("get", "/v1/ws", &ada.get("/v1/ws").await);
    server.stop().await;
}

#[actix_web::test]
async fn answers_about_definitions_and_jobs_have_the_shapes_of_the_document() {
    let server = support::server().await;
    let (held, dora) = (Held::new(), User::new(&server, "dora", &["admin"]));
    held.documented("get", "/v1/definitions", &dora.get("/v1/definitions").await);
    held.documented(
        "get",
        "/v1/definitions/{id}",
        &dora.get("/v1/definitions/onboarding").await,
    );
    held.documented(
        "get",
        "/v1/definitions/{id}/{version}",
        &dora.get("/v1/definitions/onboarding/1").await,
    );
    held.documented(
        "post",
        "/v1/definitions",
        &dora.post("/v1/definitions", json!({"id": "p"})).await,
    );
    held.documented(
        "post",
        "/v1/definitions/{id}/disable",
        &dora
            .post("/v1/definitions/onboarding/disable", json!({}))
            .await,
    );
    let publish = "/v1/definitions/onboarding/1/publish";
    held.documented(
        "post",
        "/v1/definitions/{id}/{version}/publish",
        &dora.post(publish, json!({})).await,
    );
    held.documented("get", "/api/v1/hello", &dora.get("/api/v1/hello").await);
    let job = held.documented(
        "post",
        "/api/v1/start",
        &dora.post("/api/v1/start?w=41", json!({})).await,
    );
    let of_job = format!("?w=41&i={}", job.as_str().unwrap_or_default());
    held.documented(
        "get",
        "/api/v1/job",
        &dora.get(&format!("/api/v1/job{of_job}")).await,
    );
    held.documented(
        "post",
        "/api/v1/stop",
        &dora.post(&format!("/api/v1/stop{of_job}"), json!({})).await,
    );
    held.documented(
        "post",
        "/api/v1/stop",
        &dora.post("/api/v1/stop", json!({})).await,
    );
    let lists = [
        "jobs",
        "workflow",
        "search",
        "search-approval-workflows",
        "status-count",
        "entry",
        "entry-status-date-min",
    ];
    let pages = [
        "search-entries-by-page-order-by",
        "search-history-entries-by-page-order-by",
        "entries-count-by-date",
    ];
    for list in lists
        .into_iter()
        .chain(pages)
        .chain(["search-notifications", "has-notifications"])
    {
        let query = "w=41&a=dora&from=0&to=4102444800000&page=1&entriesCount=10&heo=0";
        held.documented(
            "get",
            &format!("/api/v1/{list}"),
            &dora.get(&format!("/api/v1/{list}?{query}")).await,
        );
    }
    held.documented(
        "get",
        "/api/v1/entry",
        &dora.get("/api/v1/entry?w=4711").await,
    );
    let logs = format!("/api/v1/entry-logs?id={}", job.as_str().unwrap_or_default());
    held.documented("get", "/api/v1/entry-logs", &dora.get(&logs).await);
    held.documented(
        "post",
        "/api/v1/disable/{workflow}",
        &dora.post("/api/v1/disable/41", json!({})).await,
    );
    server.stop().await;
}
