//! Business keys of what is published and thrown.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    http::User,
    messages::{deploy, publish},
};
use crate::support;

#[actix_web::test]
async fn a_thrown_signal_gives_the_business_key_of_what_it_starts() {
    let server = support::server().await;
    let (dora, alice) = (
        User::new(&server, "dora", &["designer"]),
        User::new(&server, "alice", &[]),
    );
    deploy(
        &dora,
        "process started\nstart s signal=go\ns -> t -> end\nuser t",
    )
    .await;
    deploy(
        &dora,
        "process thrower\nstart -> e\nend e signal=go startkey=order-${id} payload={\"n\":1}",
    )
    .await;
    let key_of = async |data: Value| {
        alice.start("thrower", data).await;
        while server.runtime().messages_in_progress() > 0 {
            tokio::task::yield_now().await;
        }
        let olga = User::new(&server, "olga", &["operator"]);
        let all = olga
            .get("/v1/instances?process=started&limit=1")
            .await
            .json();
        all["instances"][0]["businessKey"].clone()
    };
    assert_eq!(key_of(json!({"id": 7})).await, "order-7");
    assert_eq!(key_of(json!({"id": "x"})).await, "order-x");
    server.stop().await;
}

#[actix_web::test]
async fn a_published_business_key_chooses_the_receiver_or_is_that_of_what_is_started() {
    let server = support::server().await;
    let (dora, olga) = (
        User::new(&server, "dora", &["designer"]),
        User::new(&server, "olga", &["operator"]),
    );
    deploy(
        &dora,
        "process waiter\nstart -> c -> end\ncatch c message=paid",
    )
    .await;
    let starts = "start s message=order\nstart g signal=go\ns -> c -> end\ng -> c\n\
        catch c message=paid";
    deploy(&dora, &format!("process started\n{starts}")).await;
    let start = async |key: &str| {
        let body = json!({"process": "waiter", "businessKey": key});
        let started = dora.post("/v1/instances", body).await.json();
        // The one that is known first has waited longest.
        while server.runtime().messages_in_progress() > 0 {
            tokio::task::yield_now().await;
        }
        started["instance"].clone()
    };
    let (first, second) = (start("a").await, start("b").await);
    let send = async |path: &str, body: Value| {
        let answer = publish(&olga, path, &body, Uuid::now_v7()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        while server.runtime().messages_in_progress() > 0 {
            tokio::task::yield_now().await;
        }
        answer.json()
    };
    let of_b = json!({"name": "paid", "businessKey": "b"});
    assert_eq!(
        send("/v1/messages", of_b.clone()).await,
        json!({"instances": [second], "started": []})
    );
    assert_eq!(
        send("/v1/messages", of_b.clone()).await,
        json!({"instances": [], "started": []})
    );
    let order = json!({"name": "order", "businessKey": "b"});
    let by_message = send("/v1/messages", order).await["started"][0].clone();
    let go = json!({"name": "go", "businessKey": "c"});
    let by_signal = send("/v1/signals", go).await["started"][0].clone();
    for (instance, key) in [(&by_message, "b"), (&by_signal, "c")] {
        let path = format!("/v1/instances/{}", instance.as_str().unwrap_or_default());
        assert_eq!(olga.get(&path).await.json()["businessKey"], key);
    }
    assert_eq!(
        send("/v1/messages", of_b).await,
        json!({"instances": [by_message], "started": []})
    );
    // A message that is kept waits for an instance with its key.
    let kept = json!({"name": "paid", "businessKey": "d", "ttl": "PT1H"});
    let kept = send("/v1/messages", kept).await;
    assert_eq!(kept["instances"], json!([]));
    let (other, fourth) = (start("e").await, start("d").await);
    let status = async |instance: &Value| {
        let path = format!("/v1/instances/{}", instance.as_str().unwrap_or_default());
        olga.get(&path).await.json()["status"].clone()
    };
    assert_eq!(
        (status(&other).await, status(&fourth).await),
        (json!("started"), json!("finished"))
    );
    // A message without a key goes to the instance of each process that has waited longest.
    let any = send("/v1/messages", json!({"name": "paid"})).await;
    assert_eq!(any["instances"], json!([by_signal, first]));
    for (body, part) in [
        (json!({"name": "paid", "businessKey": ""}), "'businessKey'"),
        (
            json!({"name": "paid", "businessKey": "a", "instance": other}),
            "no 'businessKey'",
        ),
    ] {
        publish(&olga, "/v1/messages", &body, Uuid::now_v7())
            .await
            .is_problem(400, "bad_request", part);
    }
    server.stop().await;
}

#[actix_web::test]
async fn messages_with_other_business_keys_start_another_instance_at_a_parallel_gateway() {
    let server = support::server().await;
    let (dora, olga) = (
        User::new(&server, "dora", &["designer"]),
        User::new(&server, "olga", &["operator"]),
    );
    deploy(
        &dora,
        "process p\nevents g starts parallel\ng -> form -> a -> end\ng -> photo -> b -> end\n\
            catch form message=form\ncatch photo message=photo\nuser a\nuser b",
    )
    .await;
    let send = async |name: &str, key: &str| {
        let body = json!({"name": name, "businessKey": key});
        let answer = publish(&olga, "/v1/messages", &body, Uuid::now_v7())
            .await
            .json();
        while server.runtime().messages_in_progress() > 0 {
            tokio::task::yield_now().await;
        }
        (answer["instances"].clone(), answer["started"].clone())
    };
    let (_, of_a) = send("form", "a").await;
    let (nobody, of_b) = send("photo", "b").await;
    assert_eq!(nobody, json!([]));
    assert_ne!(of_a, of_b);
    assert_eq!(send("form", "b").await, (of_b, json!([])));
    assert_eq!(send("photo", "a").await, (of_a, json!([])));
    server.stop().await;
}
