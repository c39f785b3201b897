//! Versions are deleted once no instance uses them.

use super::*;

async fn delete(user: &User<'_>, path: &str) -> Answer {
    send(user.request(Method::DELETE, path)).await
}

#[actix_web::test]
async fn unused_versions_can_be_deleted() {
    let server = support::server().await;
    let designer = User::new(&server, "dora", &["designer"]);
    let draft = |name: &str| {
        let mut draft = small("leave");
        draft["name"] = json!(name);
        draft.to_string()
    };
    let versions = async || {
        let body = designer.get("/v1/definitions/leave").await.json();
        let versions = body["versions"].as_array().cloned().unwrap_or_default();
        versions
            .iter()
            .map(|one| {
                (
                    one["version"].as_u64().unwrap(),
                    one["state"].as_str().unwrap().to_owned(),
                )
            })
            .collect::<Vec<_>>()
    };
    let reported = |version, state: &str| (version, state.to_owned());
    designer.publish(small("leave")).await;
    let running = designer.start("leave", json!({})).await;
    delete(&designer, "/v1/definitions/leave/1")
        .await
        .is_problem(409, "conflict", "deprecate");
    deploy(
        &designer,
        "/v1/definitions",
        "application/json",
        draft("second"),
    )
    .await;
    let tested = designer
        .post("/v1/instances", json!({"process": "leave", "test": true}))
        .await
        .json()["instance"]
        .clone();
    assert_eq!(
        delete(&designer, "/v1/definitions/leave/2").await.status,
        204
    );
    delete(&designer, "/v1/definitions/leave/2")
        .await
        .is_problem(404, "not_found", "version");
    designer
        .get("/v1/definitions/leave/2")
        .await
        .is_problem(404, "not_found", "version");
    designer
        .post("/v1/definitions/leave/2/publish", json!({}))
        .await
        .is_problem(404, "not_found", "version");
    let test = format!("/v1/instances/{}", tested.as_str().unwrap());
    assert_eq!(
        designer
            .post(&format!("{test}/run"), json!({"action": "complete"}))
            .await
            .json()["status"],
        "finished"
    );

    // The number is not used again, and the content is not restored.
    deploy(
        &designer,
        "/v1/definitions?publish=true",
        "application/json",
        draft("second"),
    )
    .await;
    assert_eq!(
        versions().await,
        [reported(1, "deprecated"), reported(3, "published")]
    );
    delete(&designer, "/v1/definitions/leave/1")
        .await
        .is_problem(409, "conflict", "there are 1");
    designer
        .post(&format!("/v1/instances/{running}/terminate"), json!({}))
        .await;
    assert_eq!(
        delete(&designer, "/v1/definitions/leave/1").await.status,
        204
    );
    assert_eq!(versions().await, [reported(3, "published")]);
    let history = designer
        .get(&format!("/v1/instances/{running}/history"))
        .await
        .json();
    assert_eq!(history["elements"][1]["name"], "ask", "{history}");

    designer
        .post("/v1/definitions/leave/disable", json!({}))
        .await;
    delete(&designer, "/v1/definitions/leave/3")
        .await
        .is_problem(409, "conflict", "publish another");
    designer
        .post("/v1/definitions/leave/3/deprecate", json!({}))
        .await;
    delete(&User::new(&server, "ada", &[]), "/v1/definitions/leave/3")
        .await
        .is_problem(403, "forbidden", "designer");
    delete(
        &User::elsewhere(&server, "zoo", "zoe", &["admin"]),
        "/v1/definitions/leave/3",
    )
    .await
    .is_problem(404, "not_found", "");
    assert_eq!(
        delete(&designer, "/v1/definitions/leave/3").await.status,
        204
    );
    designer
        .get("/v1/definitions/leave")
        .await
        .is_problem(404, "not_found", "definition");
    designer
        .post("/v1/definitions/leave/enable", json!({}))
        .await
        .is_problem(404, "not_found", "definition");
    let post = send(designer.request(Method::POST, "/v1/definitions/leave/3")).await;
    assert_eq!(
        post.is_problem(405, "bad_request", "DELETE")
            .header("allow"),
        "GET, HEAD, DELETE"
    );
    server.stop().await;
}
