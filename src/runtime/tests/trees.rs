//! Trees that grow: limited, ended at once, and no burden on others; the same after a restart. The
//! starts that their instances ask clients for: `open_messages`.

mod open_messages;

use serde_json::json;

use super::*;
use crate::{
    engine::{record::Status, rejection::RejectionKind},
    journal::{InstanceFilter, InstanceRow, MemoryStore, PlaceFilter, SqliteStore},
    limits::TREE_LEVELS,
    model::copying::CopyList,
    runtime::{Inherit, instance_request::Refusal},
};

const PROCESSES: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:stepwire="https://stepwire.dev/schema/bpmn/1.0" targetNamespace="http://example.org">
<process id="itself" isExecutable="true">
  <startEvent id="itself-s"/><sequenceFlow id="itself-f" sourceRef="itself-s" targetRef="itself-c"/>
  <callActivity id="itself-c" calledElement="itself"/><sequenceFlow id="itself-g" sourceRef="itself-c" targetRef="itself-e"/><endEvent id="itself-e"/>
</process>
<process id="spawner" isExecutable="true">
  <startEvent id="spawner-s"/><sequenceFlow id="spawner-f" sourceRef="spawner-s" targetRef="spawner-t"/>
  <userTask id="spawner-t"><extensionElements><stepwire:actions>
    <stepwire:action name="one" order="1" type="startSubprocess" trigger="automatic"><stepwire:param name="process">spawner</stepwire:param></stepwire:action>
    <stepwire:action name="two" order="2" type="startSubprocess" trigger="automatic"><stepwire:param name="process">spawner</stepwire:param></stepwire:action>
    <stepwire:action name="go" order="3" type="saveData" trigger="manual"/>
  </stepwire:actions></extensionElements></userTask>
  <sequenceFlow id="spawner-g" sourceRef="spawner-t" targetRef="spawner-e"/><endEvent id="spawner-e"/>
</process>
<process id="top" isExecutable="true">
  <startEvent id="top-s"/><sequenceFlow id="top-f" sourceRef="top-s" targetRef="top-t"/>
  <userTask id="top-t"><extensionElements><stepwire:actions>
    <stepwire:action name="sub" order="1" type="startSubprocess" trigger="automatic"><stepwire:param name="process">between</stepwire:param></stepwire:action>
    <stepwire:action name="go" order="2" type="saveData" trigger="manual"/>
  </stepwire:actions></extensionElements></userTask>
  <sequenceFlow id="top-g" sourceRef="top-t" targetRef="top-e"/><endEvent id="top-e"/>
</process>
<process id="between" isExecutable="true">
  <startEvent id="between-s"/><sequenceFlow id="between-f" sourceRef="between-s" targetRef="between-t"/>
  <task id="between-t"><extensionElements><stepwire:actions>
    <stepwire:action name="sub" order="1" type="startSubprocess" trigger="automatic"><stepwire:param name="process">leaf</stepwire:param></stepwire:action>
  </stepwire:actions></extensionElements></task>
  <sequenceFlow id="between-g" sourceRef="between-t" targetRef="between-e"/><endEvent id="between-e"/>
</process>
<process id="asking" isExecutable="true">
  <startEvent id="asking-s"/><sequenceFlow id="asking-f" sourceRef="asking-s" targetRef="asking-t"/>
  <task id="asking-t"><extensionElements><stepwire:actions>
    <stepwire:action name="ask" order="1" type="websocketSend" trigger="automatic">
      <stepwire:param name="messageType">action</stepwire:param>
      <stepwire:param name="message">{"processName":"leaf"}</stepwire:param>
    </stepwire:action>
    <stepwire:action name="sub" order="2" type="startSubprocess" trigger="automatic"><stepwire:param name="process">leaf</stepwire:param></stepwire:action>
  </stepwire:actions></extensionElements></task>
  <sequenceFlow id="asking-g" sourceRef="asking-t" targetRef="asking-e"/><endEvent id="asking-e"/>
</process>
<process id="above" isExecutable="true">
  <startEvent id="above-s"/><sequenceFlow id="above-f" sourceRef="above-s" targetRef="above-t"/>
  <userTask id="above-t"><extensionElements><stepwire:actions>
    <stepwire:action name="sub" order="1" type="startSubprocess" trigger="automatic"><stepwire:param name="process">asking</stepwire:param></stepwire:action>
    <stepwire:action name="go" order="2" type="saveData" trigger="manual"/>
  </stepwire:actions></extensionElements></userTask>
  <sequenceFlow id="above-g" sourceRef="above-t" targetRef="above-e"/><endEvent id="above-e"/>
</process>
<process id="leaf" isExecutable="true">
  <startEvent id="leaf-s"/><sequenceFlow id="leaf-f" sourceRef="leaf-s" targetRef="leaf-t"/>
  <userTask id="leaf-t"/><sequenceFlow id="leaf-g" sourceRef="leaf-t" targetRef="leaf-e"/><endEvent id="leaf-e"/>
</process>
</definitions>"#;

async fn runtime_with(store: Box<dyn Store>) -> (Arc<Runtime>, Journal) {
    let (runtime, journal) = runtime_over(store).await;
    let (source, format) = (PROCESSES.as_bytes(), SourceFormat::BpmnXml);
    let deploy = published(source, format);
    runtime.definitions.deploy_if_unknown(deploy).await.unwrap();
    (runtime, journal)
}

async fn start_root(runtime: &Arc<Runtime>, process: &str) -> InstanceKey {
    applied(answer(|reply| runtime.start_instance(start_of(process, json!({})), reply)).await)
        .instance
}

/// The instances of a tree, without the root.
async fn below(runtime: &Arc<Runtime>, root: InstanceKey) -> Vec<InstanceRow> {
    let filter = InstanceFilter {
        root: Some(root),
        ..InstanceFilter::default()
    };
    runtime
        .journal
        .read(move |reader| reader.instances(&filter, None, usize::MAX))
        .await
        .unwrap()
        .unwrap()
}

async fn until(
    runtime: &Arc<Runtime>,
    root: InstanceKey,
    reached: impl Fn(&[InstanceRow]) -> bool,
) -> Vec<InstanceRow> {
    loop {
        let rows = below(runtime, root).await;
        if reached(&rows) {
            return rows;
        }
        tokio::task::yield_now().await;
    }
}

async fn until_all_is_delivered(runtime: &Arc<Runtime>) {
    // The effects of a row are posted after its answer, and before the queue releases the next one.
    let mut quiet = 0;
    while quiet < 2 {
        let (sender, passed) = oneshot::channel();
        runtime.pass_the_queue(move || sender.send(()).unwrap());
        passed.await.unwrap();
        quiet = match runtime.messages_in_progress() {
            0 => quiet + 1,
            _ => 0,
        };
    }
}

fn terminate() -> InstanceRequest {
    InstanceRequest::Apply {
        command: Box::new(Command::Terminate),
        tag: None,
        if_seq: None,
    }
}

fn live(rows: &[InstanceRow]) -> usize {
    rows.iter().filter(|row| row.ended_at.is_none()).count()
}

#[actix_web::test]
async fn a_process_that_calls_itself_stops_at_the_last_level_with_an_incident() {
    let (runtime, _) = runtime_with(Box::new(MemoryStore::default())).await;
    let root = start_root(&runtime, "itself").await;
    let rows = until(&runtime, root, |rows| {
        rows.iter().any(|row| row.incidents > 0)
    })
    .await;
    until_all_is_delivered(&runtime).await;
    assert_eq!(rows.len(), TREE_LEVELS - 1);
    assert_eq!(live(&rows), TREE_LEVELS - 1);
    let all = PlaceFilter {
        tenant: "default".to_owned(),
        instance: None,
        process: None,
    };
    let incidents = runtime
        .journal
        .read(move |reader| reader.incidents(&all, None, 9))
        .await
        .unwrap()
        .unwrap();
    let codes: Vec<&str> = incidents.iter().map(|incident| &*incident.code).collect();
    assert!(codes.iter().all(|code| *code == "child_limit"), "{codes:?}");

    applied(send(&runtime, root, terminate()).await);
    let rows = until(&runtime, root, |rows| live(rows) == 0).await;
    assert!(
        rows.iter()
            .all(|row| row.status == Status::Terminated.name())
    );
    until_all_is_delivered(&runtime).await;
    assert!(
        runtime
            .trees
            .get(root)
            .is_none_or(|tree| tree.room() == tree.limits().instances)
    );
}

#[actix_web::test]
async fn a_growing_tree_ends_with_its_root_and_starts_no_more_children() {
    let (runtime, _) = runtime_with(Box::new(MemoryStore::default())).await;
    let root = start_root(&runtime, "spawner").await;
    until(&runtime, root, |rows| rows.len() > 500).await;
    applied(send(&runtime, root, terminate()).await);
    until_all_is_delivered(&runtime).await;
    let rows = below(&runtime, root).await;
    assert_eq!(live(&rows), 0);
    assert!(
        rows.iter()
            .all(|row| row.status == Status::Terminated.name())
    );
    let root_ended = observe(&runtime, root).await.ended_at.unwrap();
    let late = rows
        .iter()
        .filter(|row| row.created_at > root_ended)
        .count();
    assert!(
        late < 128,
        "what was on its way when the root ended, but {late} started after it"
    );
}

#[actix_web::test]
async fn an_end_reaches_the_children_of_finished_instances() {
    let (runtime, _) = runtime_with(Box::new(MemoryStore::default())).await;
    let root = start_root(&runtime, "top").await;
    let both = |rows: &[InstanceRow]| rows.len() == 2 && live(rows) == 1;
    until(&runtime, root, both).await;
    until_all_is_delivered(&runtime).await;
    // All of it may have left memory meanwhile.
    runtime.registry.sweep(std::time::Duration::ZERO);
    applied(send(&runtime, root, terminate()).await);
    let rows = until(&runtime, root, |rows| live(rows) == 0).await;
    let status = |process: &str| {
        rows.iter()
            .find(|row| row.process == process)
            .unwrap()
            .status
            .clone()
    };
    assert_eq!(
        (status("between"), status("leaf")),
        ("finished".to_owned(), "terminated".to_owned())
    );

    let root = start_root(&runtime, "top").await;
    until(&runtime, root, both).await;
    applied(send(&runtime, root, run("go", json!({}))).await);
    until_all_is_delivered(&runtime).await;
    assert_eq!(
        live(&below(&runtime, root).await),
        1,
        "a root that finishes leaves it running"
    );
}

fn below_an_instance(instance: InstanceKey) -> StartRequest {
    let inherit = Some(Inherit {
        instance,
        seq: None,
        copy: CopyList::parse(None, &[]).unwrap(),
    });
    StartRequest {
        inherit,
        caller: Caller {
            operator: true,
            ..alice()
        },
        ..start_of("leaf", json!({}))
    }
}

async fn refusal(runtime: &Arc<Runtime>, request: StartRequest) -> String {
    match answer(|reply| runtime.start_instance(request, reply)).await {
        InstanceResponse::Refused(Refusal::Rejected(rejection))
            if rejection.kind == RejectionKind::Conflict =>
        {
            rejection.message
        }
        other => panic!("{other:?}"),
    }
}

#[actix_web::test]
async fn a_start_by_a_client_obeys_the_limits_of_the_tree() {
    let (runtime, _) = runtime_with(Box::new(MemoryStore::default())).await;
    let root = start_root(&runtime, "itself").await;
    let rows = until(&runtime, root, |rows| {
        rows.iter().any(|row| row.incidents > 0)
    })
    .await;
    let last = rows.iter().find(|row| row.incidents > 0).unwrap().key;
    let sentence = refusal(&runtime, below_an_instance(last)).await;
    assert!(sentence.contains("32 levels"), "{sentence}");

    let root = start_root(&runtime, "top").await;
    let rows = until(&runtime, root, |rows| rows.len() == 2 && live(rows) == 1).await;
    let finished = rows.iter().find(|row| row.ended_at.is_some()).unwrap().key;
    let child =
        applied(answer(|reply| runtime.start_instance(below_an_instance(finished), reply)).await)
            .instance;
    // A start that arrives both by the client and by the outbox is counted twice until the second
    // one arrives.
    until_all_is_delivered(&runtime).await;
    let tree = runtime.trees.get(root).unwrap();
    let room = tree.room();
    tree.grow(room);
    let sentence = refusal(&runtime, below_an_instance(root)).await;
    assert!(
        sentence.contains("live instances of one tree"),
        "{sentence}"
    );
    (0..room).for_each(|_| tree.shrink());
    assert_eq!(
        room,
        tree.limits().instances - 3,
        "the root, the leaf and the client's start are live"
    );

    applied(send(&runtime, root, terminate()).await);
    until_all_is_delivered(&runtime).await;
    assert!(!observe(&runtime, child).await.next.status.is_live());
    for above in [root, finished, child] {
        let sentence = refusal(&runtime, below_an_instance(above)).await;
        assert!(sentence.contains("is terminated"), "{sentence}");
    }
}

#[actix_web::test]
async fn after_a_restart_a_tree_with_an_ended_root_ends() {
    let directory = tempfile::tempdir().unwrap();
    let (runtime, journal) =
        runtime_with(Box::new(SqliteStore::open(directory.path()).unwrap())).await;
    let root = start_root(&runtime, "spawner").await;
    until(&runtime, root, |rows| rows.len() > 100).await;
    applied(send(&runtime, root, terminate()).await);
    // Hardly any has ended by now.
    journal.shutdown();
    runtime.stop();

    let (runtime, _) = runtime_with(Box::new(SqliteStore::open(directory.path()).unwrap())).await;
    let before = below(&runtime, root).await;
    until_all_is_delivered(&runtime).await;
    let after = below(&runtime, root).await;
    assert_eq!(live(&after), 0);
    assert_eq!(
        after.len(),
        before.len(),
        "nothing was started after the restart"
    );
}

#[actix_web::test]
async fn others_start_while_a_tree_grows_and_ends() {
    let (runtime, _) = runtime_with(Box::new(MemoryStore::default())).await;
    let root = start_root(&runtime, "spawner").await;
    until(&runtime, root, |rows| rows.len() > 300).await;
    for _ in 0..20 {
        assert!(
            runtime.journal.queued() < limits::WRITER_QUEUE.get() / 4,
            "a tree takes its share of the writer's queue"
        );
        start_root(&runtime, "leaf").await;
    }
    applied(send(&runtime, root, terminate()).await);
    while live(&below(&runtime, root).await) > 0 {
        assert!(
            runtime.journal.queued() < limits::WRITER_QUEUE.get() / 4,
            "an ending tree takes its share, too"
        );
        start_root(&runtime, "leaf").await;
    }
}
