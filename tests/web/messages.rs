//! `/v1/messages`, `/v1/signals` and `/v1/conditions`.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::http::{Answer, User, send};
use crate::{engine::sketch, support};

const WAITER: &str = "process waiter\nstart -> c -> t -> end\ncatch c message=paid key=${k}\nuser t\n\
    boundary b at=t signal=go beside\nb -> endb";
const ORDERED: &str = "process ordered\nstart s message=order\ns -> t -> end\nuser t";

pub(super) async fn deploy(designer: &User<'_>, text: &str) {
    let definition = serde_json::to_value(sketch::definition(text)).unwrap();
    designer.publish(definition).await;
}

async fn nodes(user: &User<'_>, key: &str) -> Vec<String> {
    let body = user.get(&format!("/v1/instances/{key}")).await.json();
    let nodes = body["nodes"].as_array().cloned().unwrap_or_default();
    let ids = nodes
        .iter()
        .map(|node| node["node"].as_str().unwrap_or_default());
    ids.map(str::to_owned).collect()
}

pub(super) async fn publish(user: &User<'_>, path: &str, body: &Value, id: Uuid) -> Answer {
    let request = user.request(Method::POST, path).json(body);
    send(request.header("idempotency-key", id.to_string())).await
}

#[actix_web::test]
async fn a_message_goes_to_the_longest_waiting_instance_which_the_reply_names() {
    let server = support::server().await;
    let (dora, olga, alice) = (
        User::new(&server, "dora", &["designer"]),
        User::new(&server, "olga", &["operator"]),
        User::new(&server, "alice", &[]),
    );
    deploy(&dora, WAITER).await;
    let first = alice.start("waiter", json!({"k": 7})).await;
    // The subscriber that is known first has waited longest.
    while server.runtime().messages_in_progress() > 0 {
        tokio::task::yield_now().await;
    }
    let second = alice.start("waiter", json!({"k": 7})).await;
    let observed = olga.get(&format!("/v1/instances/{first}")).await.json();
    let [waits] = &observed["subscriptions"].as_array().unwrap()[..] else {
        panic!("{observed}");
    };
    assert_eq!(
        (
            &waits["kind"],
            &waits["node"],
            &waits["name"],
            &waits["correlationKey"]
        ),
        (&json!("message"), &json!("c"), &json!("paid"), &json!("7"))
    );
    assert_eq!(waits["element"], observed["nodes"][0]["element"]);
    let observed = alice.get(&format!("/v1/instances/{first}")).await.json();
    assert!(
        observed["subscriptions"].is_null(),
        "for operators: {observed}"
    );
    let paid = json!({"name": "paid", "correlationKey": "7", "data": {"amount": 5}});
    let id = Uuid::now_v7();
    let answer = publish(&olga, "/v1/messages", &paid, id).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let got = json!({"instances": [first], "started": []});
    assert_eq!(answer.json(), got);
    assert_eq!(nodes(&olga, &first).await, ["t"]);
    assert_eq!(nodes(&olga, &second).await, ["c"]);
    let data = olga.get(&format!("/v1/instances/{first}")).await.json();
    assert_eq!(data["data"], json!({"k": 7, "amount": 5}));
    let again = publish(&olga, "/v1/messages", &paid, id).await;
    assert_eq!(again.json(), got, "the same id has no second effect");
    assert_eq!(nodes(&olga, &second).await, ["c"]);
    let other = json!({"name": "paid", "correlationKey": "7", "data": {"amount": 6}});
    publish(&olga, "/v1/messages", &other, id)
        .await
        .is_problem(422, "id_reused", "another body");
    let kept = json!({"name": "paid", "correlationKey": "8", "ttl": "PT1H"});
    let answer = publish(&olga, "/v1/messages", &kept, Uuid::now_v7()).await;
    assert!(answer.json()["bufferedUntil"].is_string(), "{answer:?}");
    let third = alice.start("waiter", json!({"k": 8})).await;
    while nodes(&olga, &third).await != ["t"] {}
    let nobody = json!({"name": "paid", "correlationKey": "9"});
    let answer = publish(&olga, "/v1/messages", &nobody, Uuid::now_v7()).await;
    assert_eq!(answer.json(), json!({"instances": [], "started": []}));
    let go = publish(&olga, "/v1/signals", &json!({"name": "go"}), Uuid::now_v7()).await;
    assert_eq!(
        go.json()["instances"].as_array().map(Vec::len),
        Some(2),
        "{go:?}"
    );
    server.stop().await;
}

#[actix_web::test]
async fn a_message_starts_one_instance_for_each_key() {
    let server = support::server().await;
    let (dora, olga) = (
        User::new(&server, "dora", &["designer"]),
        User::new(&server, "olga", &["operator"]),
    );
    deploy(&dora, ORDERED).await;
    let order = |ttl: &str| json!({"name": "order", "correlationKey": "a", "ttl": ttl});
    let answer = publish(&olga, "/v1/messages", &order("PT0S"), Uuid::now_v7()).await;
    let started = answer.json()["started"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let [Value::String(first)] = &started[..] else {
        panic!("{answer:?}");
    };
    let body = olga.get(&format!("/v1/instances/{first}")).await.json();
    assert_eq!(
        (&body["startedBy"], &body["status"]),
        (&json!("event:order"), &json!("started"))
    );
    let answer = publish(&olga, "/v1/messages", &order("PT0S"), Uuid::now_v7()).await;
    assert_eq!(answer.json(), json!({"instances": [], "started": []}));
    publish(&olga, "/v1/messages", &order("PT1H"), Uuid::now_v7()).await;
    let done = json!({"action": "complete"});
    olga.post(&format!("/v1/instances/{first}/run"), done).await;
    while olga
        .get("/v1/instances?process=ordered&status=started")
        .await
        .json()["instances"]
        .as_array()
        .is_none_or(Vec::is_empty)
    {}
    olga.post("/v1/instances", json!({"process": "ordered"}))
        .await
        .is_problem(400, "bad_request", "'order'");
    server.stop().await;
}

#[actix_web::test]
async fn operators_and_users_who_may_act_in_the_named_instance_publish() {
    let server = support::server().await;
    let (dora, alice, eve) = (
        User::new(&server, "dora", &["designer"]),
        User::new(&server, "alice", &[]),
        User::new(&server, "eve", &[]),
    );
    deploy(&dora, WAITER).await;
    let key = alice.start("waiter", json!({"k": 7})).await;
    let to_all = json!({"name": "paid", "correlationKey": "7"});
    for (path, user) in [
        ("/v1/messages", &alice),
        ("/v1/signals", &alice),
        ("/v1/messages", &dora),
    ] {
        let body = if path == "/v1/signals" {
            json!({"name": "go"})
        } else {
            to_all.clone()
        };
        user.post(path, body)
            .await
            .is_problem(403, "forbidden", "operator");
    }
    let to_one = json!({"name": "paid", "instance": key, "data": {"by": "alice"}});
    eve.post("/v1/messages", to_one.clone())
        .await
        .is_problem(404, "not_found", "instance");
    let other = json!({"name": "other", "instance": key});
    alice
        .post("/v1/messages", other)
        .await
        .is_problem(409, "conflict", "'other'");
    let answer = alice.post("/v1/messages", to_one).await;
    assert_eq!(answer.json(), json!({"instances": [key], "started": []}));
    assert_eq!(nodes(&alice, &key).await, ["t"]);
    server.stop().await;
}

#[actix_web::test]
async fn an_invalid_message_is_refused() {
    let server = support::server().await;
    let olga = User::new(&server, "olga", &["operator"]);
    for (body, field) in [
        (json!({}), "'name'"),
        (json!({"name": " "}), "'name'"),
        (json!({"name": 7}), "'name'"),
        (json!({"name": "n".repeat(300)}), "'name'"),
        (json!({"name": "a", "data": [1]}), "'data'"),
        (
            json!({"name": "a", "correlationKey": ""}),
            "'correlationKey'",
        ),
        (json!({"name": "a", "ttl": "soon"}), "'ttl'"),
        (json!({"name": "a", "ttl": "P31D"}), "'ttl'"),
        (json!({"name": "a", "instance": "x"}), "'instance'"),
        (json!({"name": "a", "odd": 1}), "odd"),
    ] {
        olga.post("/v1/messages", body)
            .await
            .is_problem(400, "bad_request", field);
    }
    for body in [
        json!({"name": "a", "ttl": "PT1S"}),
        json!({"name": "a", "correlationKey": "b"}),
    ] {
        let answer = olga.post("/v1/signals", body).await;
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_parallel_gateway_waits_for_every_message_of_a_key() {
    let server = support::server().await;
    let (dora, olga) = (
        User::new(&server, "dora", &["designer"]),
        User::new(&server, "olga", &["operator"]),
    );
    deploy(
        &dora,
        "process claim\nevents g starts parallel\ng -> form -> j\ng -> photo -> j\nand j\nj -> t -> end\n\
        catch form message=form\nreceive photo message=photo\nuser t",
    )
    .await;
    let message =
        |name: &str, key: &str| json!({"name": name, "correlationKey": key, "data": {name: key}});
    let mut answers = Vec::new();
    for (name, key) in [("form", "a"), ("photo", "b"), ("photo", "a"), ("form", "b")] {
        let answer = publish(&olga, "/v1/messages", &message(name, key), Uuid::now_v7()).await;
        let answer = answer.json();
        let started = answer["started"][0].as_str().map(str::to_owned);
        let got = answer["instances"][0].as_str().map(str::to_owned);
        answers.push((started, got));
    }
    let [
        (Some(a), None),
        (Some(b), None),
        (None, Some(to_a)),
        (None, Some(to_b)),
    ] = &answers[..]
    else {
        panic!("{answers:?}");
    };
    assert_eq!((a, b), (to_a, to_b));
    assert_eq!(nodes(&olga, a).await, ["t"]);
    let body = olga.get(&format!("/v1/instances/{b}")).await.json();
    assert_eq!(body["data"], json!({"photo": "b", "form": "b"}));
    olga.post("/v1/instances", json!({"process": "claim"}))
        .await
        .is_problem(400, "bad_request", "'form'");
    server.stop().await;
}

#[actix_web::test]
async fn messages_of_a_parallel_gateway_at_the_same_time_start_one_instance() {
    let mut config = support::config(&["--no-examples", "--rate-per-second", "0"]);
    config.workers = 2;
    let server = support::start(config).await;
    let (dora, olga) = (
        User::new(&server, "dora", &["designer"]),
        User::new(&server, "olga", &["operator"]),
    );
    deploy(
        &dora,
        "process claim\nevents g starts parallel\ng -> form -> j\ng -> photo -> j\ng -> sign -> j\nand j\nj -> t -> end\n\
        catch form message=form\nreceive photo message=photo\ncatch sign message=sign\nuser t",
    )
    .await;
    for round in 0..20 {
        let key = format!("k{round}");
        let publish = |name: &'static str| {
            let body = json!({"name": name, "correlationKey": key, "data": {name: round}});
            let olga = &olga;
            async move {
                publish(olga, "/v1/messages", &body, Uuid::now_v7())
                    .await
                    .json()
            }
        };
        let (form, photo, sign) = tokio::join!(publish("form"), publish("photo"), publish("sign"));
        let named = |answer: &Value, part: &str| answer[part][0].as_str().map(str::to_owned);
        let all = [form, photo, sign];
        let started: Vec<String> = all.iter().filter_map(|it| named(it, "started")).collect();
        let joined: Vec<String> = all.iter().filter_map(|it| named(it, "instances")).collect();
        assert_eq!((started.len(), joined.len()), (1, 2), "{all:?}");
        assert!(joined.iter().all(|it| *it == started[0]), "{all:?}");
        assert_eq!(nodes(&olga, &started[0]).await, ["t"]);
        let body = olga
            .get(&format!("/v1/instances/{}", started[0]))
            .await
            .json();
        assert_eq!(
            body["data"],
            json!({"form": round, "photo": round, "sign": round})
        );
    }
    let all = olga.get("/v1/instances?process=claim").await.json();
    assert_eq!(all["instances"].as_array().map(Vec::len), Some(20), "{all}");
    server.stop().await;
}

#[actix_web::test]
async fn conditions_start_the_processes_for_which_they_are_true() {
    let server = support::server().await;
    let (dora, olga, alice) = (
        User::new(&server, "dora", &["designer"]),
        User::new(&server, "olga", &["operator"]),
        User::new(&server, "alice", &[]),
    );
    deploy(
        &dora,
        "process large\nstart s when=\"n > 10\"\nstart odd when=\"n % 2 == 1\"\ns -> t -> end\nodd -> u -> end\nuser t\nuser u",
    )
    .await;
    deploy(
        &dora,
        "process small\nstart s when=\"n < 10\"\ns -> t -> end\nuser t",
    )
    .await;
    deploy(&dora, WAITER).await;
    let path = "/v1/conditions";
    let eleven = json!({"data": {"n": 11}, "businessKey": "b"});
    let id = Uuid::now_v7();
    let answer = publish(&olga, path, &eleven, id).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let started = answer.json()["started"].as_array().cloned().unwrap();
    assert_eq!(
        started.len(),
        2,
        "each true condition starts one: {answer:?}"
    );
    let again = publish(&olga, path, &eleven, id).await;
    assert_eq!(
        again.json()["started"],
        json!(started),
        "the same id has no second effect"
    );
    let mut at = Vec::new();
    for key in &started {
        let body = olga
            .get(&format!("/v1/instances/{}", key.as_str().unwrap()))
            .await
            .json();
        assert_eq!(
            (&body["process"], &body["businessKey"], &body["data"]),
            (&json!("large"), &json!("b"), &json!({"n": 11}))
        );
        at.push(body["nodes"][0]["node"].as_str().unwrap().to_owned());
    }
    at.sort();
    assert_eq!(at, ["t", "u"]);
    let one = json!({"process": "small", "data": {"n": 1}});
    let answer = publish(&alice, path, &one, Uuid::now_v7()).await;
    assert_eq!(
        answer.json()["started"].as_array().map(Vec::len),
        Some(1),
        "{answer:?}"
    );
    let none = publish(&alice, path, &json!({"process": "small"}), Uuid::now_v7()).await;
    assert_eq!(
        none.json(),
        json!({"instances": [], "started": []}),
        "what is not there is false"
    );
    for (user, body, status, code, part) in [
        (&alice, json!({}), 403, "forbidden", "role operator"),
        (
            &alice,
            json!({"process": "other"}),
            404,
            "not_found",
            "'other'",
        ),
        (
            &alice,
            json!({"process": "waiter"}),
            400,
            "bad_request",
            "conditional start event",
        ),
        (
            &alice,
            json!({"process": "small", "data": []}),
            400,
            "bad_request",
            "data",
        ),
    ] {
        let answer = publish(user, path, &body, Uuid::now_v7()).await;
        answer.is_problem(status, code, part);
    }
    olga.post("/v1/instances", json!({"process": "small"}))
        .await
        .is_problem(400, "bad_request", "/v1/conditions");
    server.stop().await;
}

#[actix_web::test]
async fn a_repeated_publication_costs_no_starts_again() {
    let config = support::config(&["--user-starts", "1:5"]);
    let server = support::start(config).await;
    let dora = User::new(&server, "dora", &["designer"]);
    for number in 0..3 {
        let start = format!("process by{number}\nstart s signal=go\ns -> t -> end\nuser t");
        deploy(&dora, &start).await;
    }
    let when = "process when\nstart a when=\"n > 1\"\nstart b when=\"n > 2\"\n\
        start c when=\"n > 3\"\na -> end\nb -> end\nc -> end";
    deploy(&dora, when).await;
    let (signal, conditions) = (json!({"name": "go"}), json!({"data": {"n": 11}}));
    for (user, path, body) in [
        ("olga", "/v1/signals", &signal),
        ("otto", "/v1/conditions", &conditions),
    ] {
        let user = User::new(&server, user, &["operator"]);
        let id = Uuid::now_v7();
        for _ in 0..2 {
            let answer = publish(&user, path, body, id).await;
            let started = answer.json()["started"].as_array().map(Vec::len);
            assert_eq!(started, Some(3), "{answer:?}");
        }
        // Three starts and the repeat leave one.
        let nobodys = json!({"name": "unknown"});
        let answer = publish(&user, "/v1/signals", &nobodys, Uuid::now_v7()).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
    server.stop().await;
}
