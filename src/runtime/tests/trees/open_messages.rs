//! Action messages of a tree: one answer wins, and whatever is listed as open can be answered,
//! however the tree ends.

use super::*;

/// The only Action message that is open in an instance.
async fn open_in(runtime: &Arc<Runtime>, key: InstanceKey) -> Vec<u64> {
    let observed = observe(runtime, key).await;
    observed
        .whole
        .as_ref()
        .unwrap()
        .open
        .keys()
        .copied()
        .collect()
}

fn from_message(instance: InstanceKey, seq: u64) -> StartRequest {
    let inherit = Some(Inherit {
        instance,
        seq: Some(seq),
        copy: CopyList::parse(None, &[]).unwrap(),
    });
    StartRequest {
        inherit,
        process: None,
        ..start_of("leaf", json!({}))
    }
}

fn done(seq: u64) -> InstanceRequest {
    InstanceRequest::Apply {
        command: Box::new(Command::CloseOffer { seq }),
        tag: None,
        if_seq: None,
    }
}

/// A tree of a live root, a finished child that asks for a start, and its live subprocess.
async fn asking_tree(runtime: &Arc<Runtime>) -> (InstanceKey, InstanceKey) {
    let root = start_root(runtime, "above").await;
    let rows = until(runtime, root, |rows| rows.len() == 2).await;
    until_all_is_delivered(runtime).await;
    let asking = rows.iter().find(|row| row.process == "asking").unwrap().key;
    assert_eq!(open_in(runtime, asking).await.len(), 1);
    (root, asking)
}

#[actix_web::test]
async fn of_a_concurrent_done_and_start_one_takes_effect() {
    let (runtime, _) = runtime_with(Box::new(MemoryStore::default())).await;
    for _ in 0..30 {
        let asking = start_root(&runtime, "asking").await;
        let seq = open_in(&runtime, asking).await[0];
        let request = from_message(asking, seq);
        let (done, started) = tokio::join!(
            send(&runtime, asking, done(seq)),
            answer(|reply| runtime.start_instance(request.clone(), reply))
        );
        let (is_done, is_started) = (
            matches!(done, InstanceResponse::Applied(_)),
            matches!(started, InstanceResponse::Applied(_)),
        );
        assert!(is_done != is_started, "{done:?} {started:?}");
        let child = below(&runtime, asking).await;
        let child = child.iter().find(|row| row.key == request.key());
        assert_eq!(child.is_some(), is_started, "the reported state is right");
    }
}

#[actix_web::test]
async fn a_recorded_child_start_survives_the_end_of_the_server() {
    let directory = tempfile::tempdir().unwrap();
    let (runtime, journal) =
        runtime_with(Box::new(SqliteStore::open(directory.path()).unwrap())).await;
    let asking = start_root(&runtime, "asking").await;
    let seq = open_in(&runtime, asking).await[0];
    let request = from_message(asking, seq);
    // The server ends at the moment when the parent's row is durable.
    let (sender, stopped) = oneshot::channel();
    let (parent, shut) = (runtime.clone(), journal.clone());
    let observed = observe(&runtime, asking).await;
    let started = runtime.inheriting_start(&request, &observed, seq);
    let stop = ReplyTo::to(move |answer| {
        let _ = sender.send(answer);
        std::thread::spawn(move || shut.shutdown());
    });
    parent.dispatch(
        asking,
        Envelope {
            caller: Some(alice()),
            request: InstanceRequest::StartChild {
                start: Box::new(started),
                offer: Some(seq),
            },
            reply: stop,
        },
    );
    applied(stopped.await.unwrap());
    journal.shutdown();
    runtime.stop();

    let (runtime, _) = runtime_with(Box::new(SqliteStore::open(directory.path()).unwrap())).await;
    until_all_is_delivered(&runtime).await;
    let rows = below(&runtime, asking).await;
    assert!(rows.iter().any(|row| row.key == request.key()), "{rows:?}");
    assert!(open_in(&runtime, asking).await.is_empty());
    let again = answer(|reply| runtime.start_instance(request.clone(), reply)).await;
    assert!(
        matches!(&again, InstanceResponse::Duplicate(committed) if committed.cause() == Some(request.command)),
        "the same command finds what it started: {again:?}"
    );
    let refused = send(&runtime, asking, done(seq)).await;
    assert!(
        matches!(refused, InstanceResponse::Refused(_)),
        "{refused:?}"
    );
}

#[actix_web::test]
async fn open_messages_of_a_finished_instance_close_with_an_ancestor() {
    let (runtime, _) = runtime_with(Box::new(MemoryStore::default())).await;
    let (root, asking) = asking_tree(&runtime).await;
    let seq = open_in(&runtime, asking).await[0];
    applied(send(&runtime, root, terminate()).await);
    until_all_is_delivered(&runtime).await;
    assert!(open_in(&runtime, asking).await.is_empty());
    assert_eq!(live(&below(&runtime, root).await), 0);
    refusal(&runtime, from_message(asking, seq)).await;

    let (root, asking) = asking_tree(&runtime).await;
    let seq = open_in(&runtime, asking).await[0];
    applied(send(&runtime, root, run("go", json!({}))).await);
    until_all_is_delivered(&runtime).await;
    let child = answer(|reply| runtime.start_instance(from_message(asking, seq), reply)).await;
    assert!(
        observe(&runtime, applied(child).instance)
            .await
            .next
            .status
            .is_live(),
        "a root that finishes leaves open what is open"
    );
}

#[actix_web::test]
async fn a_finished_root_can_be_terminated_with_its_descendants() {
    let directory = tempfile::tempdir().unwrap();
    let (runtime, journal) =
        runtime_with(Box::new(SqliteStore::open(directory.path()).unwrap())).await;
    let (root, asking) = asking_tree(&runtime).await;
    applied(send(&runtime, root, run("go", json!({}))).await);
    until_all_is_delivered(&runtime).await;
    assert_eq!(live(&below(&runtime, root).await), 1);
    applied(send(&runtime, root, terminate()).await);
    // Instances below may not have ended yet.
    journal.shutdown();
    runtime.stop();

    let (runtime, _) = runtime_with(Box::new(SqliteStore::open(directory.path()).unwrap())).await;
    until_all_is_delivered(&runtime).await;
    assert_eq!(live(&below(&runtime, root).await), 0);
    assert!(open_in(&runtime, asking).await.is_empty());
    let observed = observe(&runtime, root).await;
    assert_eq!(observed.next.status, Status::Finished);
    let again = send(&runtime, root, terminate()).await;
    assert!(matches!(again, InstanceResponse::Unchanged), "{again:?}");
    for above in [root, asking] {
        let sentence = refusal(&runtime, below_an_instance(above)).await;
        assert!(
            sentence.contains("terminated after it had finished"),
            "{sentence}"
        );
    }
}

#[actix_web::test]
async fn a_growing_tree_whose_root_has_finished_ends_and_does_not_grow() {
    let (runtime, _) = runtime_with(Box::new(MemoryStore::default())).await;
    let root = start_root(&runtime, "spawner").await;
    until(&runtime, root, |rows| rows.len() > 500).await;
    applied(send(&runtime, root, run("go", json!({}))).await);
    assert_eq!(observe(&runtime, root).await.next.status, Status::Finished);
    applied(send(&runtime, root, terminate()).await);
    until_all_is_delivered(&runtime).await;
    let rows = below(&runtime, root).await;
    assert_eq!(live(&rows), 0);
}
