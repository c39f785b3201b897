//! `/v1/users` and `/v1/tokens`: changes by an admin take effect at once, and only in the admin's
//! tenant.

use reqwest::Method;
use serde_json::{Value, json};
use stepwire::web::http::server::Running;

use super::http::{Answer, User, send};
use crate::support;

async fn patch(user: &User<'_>, path: &str, body: Value) -> Answer {
    send(user.request(Method::PATCH, path).json(&body)).await
}

async fn put(user: &User<'_>, path: &str, body: Value) -> Answer {
    send(user.request(Method::PUT, path).json(&body)).await
}

async fn delete(user: &User<'_>, path: &str) -> Answer {
    send(user.request(Method::DELETE, path)).await
}

async fn login(server: &Running, name: &str, password: &str) -> Answer {
    let body = json!({"username": name, "password": password});
    User::with_token(server, None).post("/v1/login", body).await
}

fn bearer<'a>(server: &'a Running, answer: &Answer) -> User<'a> {
    User::with_token(
        server,
        answer.json()["access_token"].as_str().map(str::to_owned),
    )
}

fn ada() -> Value {
    json!({"name": "ada", "password": "right", "roles": ["clerk"]})
}

#[actix_web::test]
async fn an_admin_adds_changes_and_removes_users() {
    let server = support::server().await;
    let root = User::new(&server, "root", &["admin"]);
    let added = root.post("/v1/users", ada()).await;
    assert_eq!(added.status, 201, "{added:?}");
    let body = added.json();
    assert_eq!(
        (&body["name"], &body["roles"], &body["tenant"]),
        (&json!("ada"), &json!(["clerk"]), &json!("default"))
    );
    assert!(
        !added.text.contains("argon2") && !added.text.contains("right"),
        "{added:?}"
    );
    root.post("/v1/users", ada())
        .await
        .is_problem(409, "conflict", "'ada'");

    let first = bearer(&server, &login(&server, "ada", "right").await);
    assert_eq!(first.get("/v1/instances").await.status, 200);
    let changed = patch(&root, "/v1/users/ada", json!({"roles": ["admin"]})).await;
    assert_eq!(
        (changed.status.as_u16(), &changed.json()["roles"]),
        (200, &json!(["admin"]))
    );
    first
        .get("/v1/users")
        .await
        .is_problem(403, "forbidden", "admin");
    let second = bearer(&server, &login(&server, "ada", "right").await);
    assert_eq!(second.get("/v1/users").await.status, 200);

    let both = patch(
        &root,
        "/v1/users/ada",
        json!({"roles": [], "password": "other"}),
    )
    .await;
    assert_eq!(
        (both.status.as_u16(), &both.json()["roles"]),
        (200, &json!([]))
    );
    second
        .get("/v1/users")
        .await
        .is_problem(401, "unauthenticated", "revoked");
    login(&server, "ada", "right")
        .await
        .is_problem(401, "unauthenticated", "wrong");
    let third = bearer(&server, &login(&server, "ada", "other").await);
    assert_eq!(
        send(root.request(Method::POST, "/v1/users/ada/revoke"))
            .await
            .status,
        204
    );
    third
        .get("/v1/instances")
        .await
        .is_problem(401, "unauthenticated", "revoked");

    assert_eq!(delete(&root, "/v1/users/ada").await.status, 204);
    delete(&root, "/v1/users/ada")
        .await
        .is_problem(404, "not_found", "'ada'");
    login(&server, "ada", "other")
        .await
        .is_problem(401, "unauthenticated", "wrong");
    assert_eq!(
        root.get("/v1/users").await.json(),
        json!({"users": [], "next": null})
    );
    server.stop().await;
}

#[actix_web::test]
async fn users_are_listed_in_pages_and_by_tenant() {
    let server = support::server().await;
    let (root, zoe) = (
        User::new(&server, "root", &["admin"]),
        User::elsewhere(&server, "zoo", "zoe", &["admin"]),
    );
    for name in ["bob", "ada", "c%/d ä"] {
        root.post("/v1/users", json!({"name": name, "password": "x"}))
            .await;
    }
    zoe.post("/v1/users", ada()).await;
    assert_eq!(
        root.whole("/v1/users?limit=1", "users", "name").await,
        ["ada", "bob", "c%/d ä"]
    );
    assert_eq!(
        zoe.get("/v1/users").await.json()["users"][0]["tenant"],
        "zoo"
    );
    delete(&zoe, "/v1/users/bob")
        .await
        .is_problem(404, "not_found", "'bob'");
    patch(&zoe, "/v1/users/bob", json!({"roles": []}))
        .await
        .is_problem(404, "not_found", "'bob'");
    assert_eq!(delete(&zoe, "/v1/users/ada").await.status, 204);
    assert_eq!(
        delete(&root, "/v1/users/c%25%2Fd%20%C3%A4").await.status,
        204
    );
    assert_eq!(
        root.whole("/v1/users", "users", "name").await,
        ["ada", "bob"]
    );
    server.stop().await;
}

#[actix_web::test]
async fn invalid_user_changes_are_refused() {
    let server = support::server().await;
    let (root, ada) = (
        User::new(&server, "root", &["admin"]),
        User::new(&server, "ada", &["operator", "designer"]),
    );
    for (path, body) in [
        ("/v1/users", self::ada()),
        ("/v1/users/ada/revoke", json!({})),
        ("/v1/tokens", json!({})),
    ] {
        ada.post(path, body.clone())
            .await
            .is_problem(403, "forbidden", "admin");
        User::with_token(&server, None)
            .post(path, body)
            .await
            .is_problem(401, "unauthenticated", "token");
    }
    ada.get("/v1/users")
        .await
        .is_problem(403, "forbidden", "admin");
    let bad = [
        json!({"name": "x"}),
        json!({"name": 7, "password": "x"}),
        json!([]),
        json!({"name": "x", "password": "x", "admin": true}),
    ];
    for body in bad {
        let refused = root.post("/v1/users", body).await;
        refused.is_problem(400, "bad_request", "\"password\"");
    }
    let long = "x".repeat(300);
    for (name, password, role) in [
        ("", "x", "r"),
        (" a", "x", "r"),
        (&*long, "x", "r"),
        ("a", "", "r"),
        ("a", "x", "r r"),
    ] {
        let refused = root
            .post(
                "/v1/users",
                json!({"name": name, "password": password, "roles": [role]}),
            )
            .await;
        refused.is_problem(422, "invalid_data", "");
    }
    root.post("/v1/users", self::ada()).await;
    patch(&root, "/v1/users/ada", json!({})).await.is_problem(
        400,
        "bad_request",
        "nothing to change",
    );
    patch(&root, "/v1/users/ada", json!({"roles": "admin"}))
        .await
        .is_problem(400, "bad_request", "\"roles\"");
    let both = json!({"roles": ["admin"], "password": "x".repeat(1025)});
    patch(&root, "/v1/users/ada", both)
        .await
        .is_problem(422, "invalid_data", "1024");
    assert_eq!(
        root.get("/v1/users").await.json()["users"][0]["roles"],
        json!(["clerk"]),
        "all or nothing"
    );
    patch(&root, "/v1/users/bob", json!({"roles": []}))
        .await
        .is_problem(404, "not_found", "'bob'");
    root.get("/v1/users?limit=0")
        .await
        .is_problem(400, "bad_request", "1 to 100");
    let put = put(&root, "/v1/users/ada", json!({})).await;
    assert_eq!(
        put.is_problem(405, "bad_request", "PATCH").header("allow"),
        "PATCH, DELETE"
    );
    delete(&root, &format!("/v1/users/{}", "x".repeat(5_000)))
        .await
        .is_problem(404, "not_found", "no user");
    server.stop().await;
}

#[actix_web::test]
async fn users_change_their_own_password() {
    let server = support::server().await;
    User::new(&server, "root", &["admin"])
        .post("/v1/users", ada())
        .await;
    let signed_in = bearer(&server, &login(&server, "ada", "right").await);
    let path = "/v1/users/me/password";
    put(&signed_in, path, json!({"old": "wrong", "new": "n"}))
        .await
        .is_problem(403, "forbidden", "present password");
    put(&signed_in, path, json!({"old": "right"}))
        .await
        .is_problem(400, "bad_request", "\"new\"");
    put(&signed_in, path, json!({"old": "right", "new": ""}))
        .await
        .is_problem(422, "invalid_data", "1024");
    let changed = put(&signed_in, path, json!({"old": "right", "new": "newer"})).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert!(changed.header("set-cookie").contains("HttpOnly"));
    signed_in
        .get("/v1/instances")
        .await
        .is_problem(401, "unauthenticated", "revoked");
    assert_eq!(
        bearer(&server, &changed).get("/v1/instances").await.status,
        200
    );
    login(&server, "ada", "right")
        .await
        .is_problem(401, "unauthenticated", "wrong");
    assert_eq!(login(&server, "ada", "newer").await.status, 200);
    let issued = User::new(&server, "nobody here", &[]);
    put(&issued, path, json!({"old": "x", "new": "y"}))
        .await
        .is_problem(403, "forbidden", "user of this server");
    server.stop().await;
}

#[actix_web::test]
async fn a_token_for_a_program_is_valid_until_revoked() {
    let server = support::server().await;
    let root = User::new(&server, "root", &["admin"]);
    root.post(
        "/v1/users",
        json!({"name": "robot", "password": "long and never used", "roles": ["operator"]}),
    )
    .await;
    let issue = async |user: &str, seconds: Value| {
        root.post(
            "/v1/tokens",
            json!({"user": user, "expiresInSeconds": seconds}),
        )
        .await
    };
    let issued = issue("robot", json!(7_776_000)).await;
    assert_eq!(
        (issued.status.as_u16(), &issued.json()["token_type"]),
        (201, &json!("Bearer")),
        "{issued:?}"
    );
    let robot = bearer(&server, &issued);
    assert_eq!(robot.get("/v1/incidents").await.status, 200);
    for seconds in [
        json!(0),
        json!(7_776_001),
        json!(-1),
        json!("60"),
        json!(1.5),
    ] {
        issue("robot", seconds)
            .await
            .is_problem(400, "bad_request", "expiresInSeconds");
    }
    issue("nobody", json!(60))
        .await
        .is_problem(404, "not_found", "'nobody'");
    let zoe = User::elsewhere(&server, "zoo", "zoe", &["admin"]);
    zoe.post(
        "/v1/tokens",
        json!({"user": "robot", "expiresInSeconds": 60}),
    )
    .await
    .is_problem(404, "not_found", "'robot'");
    root.request(Method::POST, "/v1/users/robot/revoke")
        .send()
        .await
        .unwrap();
    robot
        .get("/v1/incidents")
        .await
        .is_problem(401, "unauthenticated", "revoked");
    server.stop().await;
}

#[actix_web::test]
async fn an_admin_of_a_tenant_gets_no_rights_over_the_server() {
    let server = support::server().await;
    let ann = User::elsewhere(&server, "acme", "ann", &["admin"]);
    let otto = User::elsewhere(&server, "acme", "otto", &["admin", "server-operator"]);
    let user =
        |name: &str, roles: Value| json!({"name": name, "password": "secret one", "roles": roles});
    let whole = json!(["server-operator"]);
    let refused = |answer: &Answer| {
        answer.is_problem(403, "forbidden", "role server-operator");
    };
    refused(&ann.post("/v1/users", user("mia", whole.clone())).await);
    let added = ann.post("/v1/users", user("mia", json!(["clerk"]))).await;
    assert_eq!(added.status, 201);
    refused(&patch(&ann, "/v1/users/mia", json!({"roles": whole})).await);
    // Users with these roles must not be taken over.
    let given = patch(&otto, "/v1/users/mia", json!({"roles": whole})).await;
    assert_eq!(given.json()["roles"], whole);
    refused(&patch(&ann, "/v1/users/mia", json!({"password": "secret two"})).await);
    refused(&patch(&ann, "/v1/users/mia", json!({"roles": []})).await);
    refused(&ann.post("/v1/users/mia/revoke", json!({})).await);
    refused(&delete(&ann, "/v1/users/mia").await);
    let token = json!({"user": "mia", "expiresInSeconds": 60});
    refused(&ann.post("/v1/tokens", token.clone()).await);
    let issued = otto.post("/v1/tokens", token).await;
    assert_eq!(issued.status, 201);
    let mia = bearer(&server, &issued);
    let metrics = mia.get("/metrics").await;
    assert!(
        metrics.text.contains("stepwire_writer_queue"),
        "{metrics:?}"
    );
    mia.get("/v1/incidents")
        .await
        .is_problem(403, "forbidden", "operator");
    assert_eq!(delete(&otto, "/v1/users/mia").await.status, 204);
    server.stop().await;
}
