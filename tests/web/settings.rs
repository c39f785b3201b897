//! `/v1/settings`: every option, for server operators, without secrets.

use serde_json::json;

use super::http::User;
use crate::support::{self, SECRET};

#[actix_web::test]
async fn the_server_operator_reads_every_option_and_no_secret() {
    let server = support::start(support::config(&["--rate-burst", "77"])).await;
    let sam = User::elsewhere(&server, "zoo", "sam", &["server-operator"]);
    let reported = sam.get("/v1/settings").await;
    let settings = reported.json()["settings"].as_array().cloned().unwrap();
    let named = |name: &str| {
        let found = settings.iter().find(|one| one["name"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {settings:?}"))
    };
    let burst = named("rate-burst");
    assert_eq!(
        (&burst["value"], &burst["source"], &burst["variable"]),
        (
            &json!("77"),
            &json!("commandLine"),
            &json!("STEPWIRE_RATE_BURST")
        )
    );
    assert_eq!(named("jwt-secret")["secret"], json!(true));
    assert_eq!(named("jwt-secret")["value"], json!(null));
    assert!(!reported.text.contains(SECRET), "{}", reported.text);
    User::new(&server, "root", &["admin"])
        .get("/v1/settings")
        .await
        .json()["settings"]
        .as_array()
        .expect("the admin of the first tenant looks after the server, too");
    for user in [
        User::elsewhere(&server, "zoo", "zoe", &["admin"]),
        User::new(&server, "olga", &["operator"]),
    ] {
        user.get("/v1/settings")
            .await
            .is_problem(403, "forbidden", "server-operator");
    }
    server.stop().await;
}
