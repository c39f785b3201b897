//! The list of processes, the designer's page, and conflicting saves.

use std::fs;

use reqwest::Method;
use serde_json::json;

use super::http::{Answer, User, send};
use crate::support;

const GOOD: &str = include_str!("../../examples/credit-check.bpmn");

/// A page as seen by a user who signed in with these roles.
async fn page(stranger: &User<'_>, roles: &[&str], path: &str) -> Answer {
    let cookie = format!("stepwire-session={}", support::token("dora", roles));
    send(
        stranger
            .request(Method::GET, path)
            .header("cookie", cookie)
            .header("accept", "text/html"),
    )
    .await
}

async fn deploy(user: &User<'_>, path: &str, source: &str) -> Answer {
    send(
        user.request(Method::POST, path)
            .header("content-type", "application/xml")
            .body(source.to_owned()),
    )
    .await
}

#[actix_web::test]
async fn processes_are_listed_for_designers_and_operators() {
    let server = support::server().await;
    let stranger = User::with_token(&server, None);
    User::new(&server, "alice", &[]).start_onboarding().await;
    let list = page(&stranger, &["designer"], "/admin/processes").await;
    for part in [
        "data-process=\"onboarding\"",
        "aria-label=\"1 running instances of Account onboarding\"",
        "data-command=\"deprecate\"",
        "data-command=\"disable\"",
        "data-testid=\"drop\"",
        "<option value=\"wizard\">",
        "aria-current=\"page\"",
    ] {
        assert!(list.text.contains(part), "{part}: {}", list.text);
    }
    let operators = page(&stranger, &["operator"], "/admin/processes").await;
    assert!(
        operators.status == 200
            && operators.text.contains("data-command=\"export\"")
            && operators.text.contains("needs the role designer")
            && !operators.text.contains("data-command=\"deprecate\"")
            && !operators.text.contains("data-testid=\"drop\""),
        "{}",
        operators.text
    );
    for path in ["/admin/processes", "/admin/designer/onboarding"] {
        let refused = page(&stranger, &["clerk"], path).await;
        assert!(
            refused.status == 403 && refused.text.contains("expected role designer"),
            "{refused:?}"
        );
        let unknown = stranger.request(Method::GET, path);
        let unknown = send(unknown.header("accept", "text/html")).await;
        assert_eq!(unknown.header("location"), format!("/sign-in?to={path}"));
    }
    server.stop().await;
}

#[actix_web::test]
async fn the_designer_opens_versions_and_templates() {
    let server = support::server().await;
    let stranger = User::with_token(&server, None);
    for (roles, path, part) in [
        (
            &["designer"][..],
            "/admin/designer/onboarding",
            "data-process=\"onboarding\" data-version=\"1\" data-newest=\"1\"",
        ),
        (&["designer"], "/admin/designer/onboarding", "userTask"),
        (
            &["designer"],
            "/admin/designer/onboarding",
            "data-may-edit=\"true\"",
        ),
        (
            &["operator"],
            "/admin/designer/onboarding",
            "data-may-edit=\"false\"",
        ),
        (
            &["designer"],
            "/admin/designer/new?template=wizard",
            "data-process=\"\" data-version=\"0\" data-newest=\"0\" data-format=\"bpmn\" \
            data-template=\"wizard\"",
        ),
        (
            &["designer"],
            "/admin/designer/new?template=../secret",
            "data-template=\"blank\"",
        ),
    ] {
        let page = page(&stranger, roles, path).await;
        assert!(
            page.status == 200 && page.text.contains(part),
            "{path}, {part}: {}",
            page.text
        );
    }
    for (path, part) in [
        ("/admin/designer/nothing", "none with the id"),
        ("/admin/designer/onboarding?version=7", "no version 7"),
        ("/admin/designer/%3Cscript%3E", "&lt;script&gt;"),
        ("/admin/designer/new?version=1", "none with the id"),
    ] {
        let page = page(&stranger, &["designer"], path).await;
        assert!(
            page.status == 404 && page.text.contains(part),
            "{path}: {page:?}"
        );
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_newer_version_of_another_user_is_not_overwritten() {
    let server = support::server().await;
    let dora = User::new(&server, "dora", &["designer"]);
    let otto = User::new(&server, "otto", &["designer"]);
    let version = |number: u32| {
        GOOD.replace("id=\"creditCheck\"", "id=\"shared\"") + &" ".repeat(number as usize)
    };
    let path = |base: u32| format!("/v1/definitions?base={base}");
    assert_eq!(deploy(&dora, &path(0), &version(1)).await.status, 201);
    assert_eq!(deploy(&otto, &path(1), &version(2)).await.status, 201);
    let late = deploy(&dora, &path(1), &version(3)).await;
    late.is_problem(
        409,
        "conflict",
        "made from version 1, and version 2 was saved by otto",
    );
    deploy(&dora, &path(0), &version(3))
        .await
        .is_problem(409, "conflict", "made as a new process");
    // The same content is no news to anybody.
    assert_eq!(deploy(&dora, &path(1), &version(2)).await.status, 200);
    assert_eq!(deploy(&dora, &path(2), &version(3)).await.status, 201);
    assert_eq!(
        deploy(&dora, "/v1/definitions", &version(4)).await.status,
        201
    );
    let versions = dora.get("/v1/definitions/shared").await.json();
    assert_eq!(versions["versions"].as_array().map(Vec::len), Some(4));
    server.stop().await;
}

#[actix_web::test]
async fn every_template_can_be_deployed() {
    let server = support::server().await;
    let designer = User::new(&server, "dora", &["designer"]);
    let list = page(
        &User::with_token(&server, None),
        &["designer"],
        "/admin/processes",
    )
    .await
    .text;
    let mut found = 0;
    for entry in fs::read_dir("static/src/designer/templates").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            list.contains(&format!("<option value=\"{name}\">")),
            "{name}"
        );
        let source = fs::read_to_string(&path).unwrap();
        let checked = deploy(&designer, "/v1/definition-checks", &source).await;
        let problems = checked.json()["problems"].as_array().cloned();
        let problems = problems.unwrap_or_else(|| panic!("{checked:?}"));
        // Of the empty canvas only the end is missing.
        let expected = usize::from(name == "blank");
        assert_eq!(problems.len(), expected, "{name}: {}", json!(problems));
        assert!(problems.iter().all(|one| one["severity"] == "warning"));
        found += 1;
    }
    assert_eq!(found, 5);
    server.stop().await;
}

#[actix_web::test]
async fn parts_of_a_model_are_previewed() {
    let server = support::server().await;
    let designer = User::new(&server, "dora", &["designer"]);
    let path = "/v1/definition-previews";
    let data = json!({"amount": 5});
    for (requested, expected) in [
        (
            json!({"message": "{\"a\": ${amount}}", "data": data}),
            json!({"message": {"a": 5}}),
        ),
        (
            json!({"condition": "${amount > 4}", "data": data}),
            json!({"condition": true}),
        ),
        (
            json!({"condition": "amount + 0 > 5", "data": data}),
            json!({"condition": false}),
        ),
    ] {
        let answer = designer.post(path, requested).await;
        assert_eq!(answer.json(), expected, "{answer:?}");
    }
    let schedule =
        json!({"schedule": {"when": {"cycle": "0 9 * * 1-5"}, "timeZone": "Europe/Berlin"}});
    let times = designer.post(path, schedule).await.json();
    assert_eq!(times["times"].as_array().map(Vec::len), Some(3), "{times}");
    for wrong in [
        json!({"condition": "amount = 4", "data": data}),
        json!({"condition": "while (true) {}", "data": data}),
        json!({"message": "{", "data": data}),
        json!({"schedule": {"when": {"cycle": "often"}}}),
    ] {
        let reported = designer.post(path, wrong).await;
        let error = reported.json()["error"].as_str().map(str::to_owned);
        assert!(
            error.is_some_and(|error| error.contains("expected")),
            "{reported:?}"
        );
    }
    for nothing in [
        json!({}),
        json!({"message": "{}", "condition": "true"}),
        json!({"odd": 1}),
    ] {
        designer
            .post(path, nothing)
            .await
            .is_problem(400, "bad_request", "expected");
    }
    User::new(&server, "ada", &["operator"])
        .post(path, json!({"condition": "true"}))
        .await
        .is_problem(403, "forbidden", "designer");
    server.stop().await;
}

#[actix_web::test]
async fn pages_of_operators_require_the_right_to_read_their_data() {
    let server = support::server().await;
    let stranger = User::with_token(&server, None);
    let mut names = vec![
        "dashboard",
        "incidents",
        "schedules",
        "timers",
        "users",
        "connections",
        "settings",
        "about",
    ];
    for name in &names {
        let path = format!("/admin/operations/{name}");
        let shown = page(&stranger, &["admin"], &path).await;
        assert!(
            shown.status == 200 && shown.text.contains(&format!("data-page=\"{name}\"")),
            "{name}: {}",
            shown.text
        );
        let linked = shown.text.contains("href=\"/admin/operations/users\"");
        assert!(linked, "an admin is led to the users");
    }
    names.pop();
    for name in names {
        let path = format!("/admin/operations/{name}");
        assert_eq!(page(&stranger, &[], &path).await.status, 403, "{name}");
    }
    let about = page(&stranger, &[], "/admin/operations/about").await;
    assert_eq!(about.status, 200);
    let none = page(&stranger, &["admin"], "/admin/operations/none").await;
    assert_eq!(none.status, 404);
    server.stop().await;
}
