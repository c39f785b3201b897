//! The values by which instances are found follow their data: through merges, back steps and the
//! end, and always as their log says.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};

use super::{SourceFormat, answer, applied, published, run, runtime_over, send, start_of};
use crate::{
    engine::{InstanceState, RecordBatch},
    journal::{Entity, InstanceFilter, MemoryStore, ReadModelChange, Store, StoreReader, codec},
    model::{ids::InstanceKey, search_attributes::SearchedTexts},
    runtime::{
        Runtime,
        lists::{ListFollower, Origin},
    },
};

const PATHS: [&str; 2] = ["client.email", "number"];

fn process() -> Value {
    let save = |name: &str, back: bool| {
        json!({"name": name, "type": "saveData", "trigger": "manual", "allowBack": back, "restartFromSnapshot": back,
            "keys": [{"path": "client"}, {"path": "number"}]})
    };
    let task = |id: &str, action: Value| json!({"id": id, "type": "userTask", "actions": [action]});
    let flow = |id: &str, source: &str, target: &str| json!({"id": id, "source": source, "target": target});
    json!({
        "id": "search", "searchKeys": PATHS,
        "nodes": [{"id": "start", "type": "startEvent"}, task("a", save("first", true)), task("b", save("second", false)),
            task("c", save("third", false)), {"id": "end", "type": "endEvent"}],
        "flows": [flow("f1", "start", "a"), flow("f2", "a", "b"), flow("f3", "b", "c"), flow("f4", "c", "end")],
    })
}

async fn deploy(runtime: &Runtime) {
    let source = process().to_string();
    let (source, format) = (source.as_bytes(), SourceFormat::Json);
    let deploy = published(source, format);
    runtime.definitions.deploy(deploy).await.unwrap();
}

/// The texts among these by which the store finds an instance.
fn found(
    reader: &dyn StoreReader,
    key: InstanceKey,
    candidates: &[(&str, &str)],
) -> BTreeMap<String, String> {
    let finds = |&(path, text): &(&str, &str)| {
        let (tenant, searched) = (
            Some("default".into()),
            vec![(path.to_owned(), text.to_owned())],
        );
        let rows = reader
            .instances(
                &InstanceFilter {
                    tenant,
                    searched,
                    ..InstanceFilter::default()
                },
                None,
                9,
            )
            .unwrap();
        rows.iter()
            .any(|row| row.key == key)
            .then(|| (path.to_owned(), text.to_owned()))
    };
    candidates.iter().filter_map(finds).collect()
}

/// The same, computed from the log.
fn replayed(
    runtime: &Runtime,
    reader: &dyn StoreReader,
    key: InstanceKey,
) -> BTreeMap<String, String> {
    let stored = reader.rows(Entity::from(key), 0, usize::MAX).unwrap();
    let rows: Vec<RecordBatch> = stored
        .iter()
        .map(|stored| codec::decode(&stored.row.body).unwrap())
        .collect();
    let state = InstanceState::replay(None, &rows).unwrap();
    let keys = &runtime
        .definitions
        .published("default", &state.head().process.id)
        .unwrap()
        .executable
        .search_keys;
    let texts = keys.texts(state.data());
    let none = SearchedTexts::default();
    let changes = keys.changes(&none, texts);
    changes
        .filter_map(|(path, text)| Some((path.to_owned(), text?)))
        .collect()
}

#[actix_rt::test]
async fn an_instance_is_found_by_its_present_data() {
    let store = MemoryStore::default();
    let reader = store.reader().unwrap();
    let (runtime, journal) = runtime_over(Box::new(store)).await;
    deploy(&runtime).await;
    let key = applied(
        answer(|reply| runtime.start_instance(start_of("search", json!({"number": 7})), reply))
            .await,
    )
    .instance;
    let candidates: Vec<(&str, &str)> = ["a", "b", "7", "8", "true"]
        .into_iter()
        .flat_map(|text| PATHS.map(|path| (path, text)))
        .collect();
    let check = |expected: &[(&str, &str)]| {
        let found = found(reader.as_ref(), key, &candidates);
        let expected = expected
            .iter()
            .map(|&(path, text)| (path.to_owned(), text.to_owned()))
            .collect();
        assert_eq!(
            (&found, &replayed(&runtime, reader.as_ref(), key)),
            (&expected, &found)
        );
    };
    check(&[("number", "7")]);
    let act =
        async |action: &str, data: Value| applied(send(&runtime, key, run(action, data)).await);
    act("first", json!({"client": {"email": "a"}})).await;
    check(&[("client.email", "a"), ("number", "7")]);
    act("second", json!({"client": {"email": "b"}, "number": true})).await;
    check(&[("client.email", "b"), ("number", "true")]);
    // Back to before the first: its merged data are removed, and so are those of the second.
    act("first", json!({})).await;
    check(&[("number", "7")]);
    act(
        "second",
        json!({"client": {"email": {"no": "text"}}, "number": null}),
    )
    .await;
    check(&[]);
    act("third", json!({"client": {"email": "b"}, "number": 8})).await;
    check(&[("client.email", "b"), ("number", "8")]);
    let ended = reader.instance(key).unwrap().unwrap();
    assert_eq!(ended.status, "finished");
    journal.shutdown();
}

#[actix_rt::test]
async fn only_changed_search_attributes_are_written() {
    let (runtime, journal) = runtime_over(Box::new(MemoryStore::default())).await;
    deploy(&runtime).await;
    let notices = Arc::new(CountedNotices::default());
    runtime.lists.join(notices.clone());
    let request = start_of("search", json!({"number": 7, "client": {"email": "a"}}));
    let key = applied(answer(|reply| runtime.start_instance(request, reply)).await).instance;
    assert_eq!(notices.take(), 2);
    applied(
        send(
            &runtime,
            key,
            run(
                "first",
                json!({"client": {"email": "a", "age": 36}, "number": 7}),
            ),
        )
        .await,
    );
    assert_eq!(notices.take(), 0);
    applied(send(&runtime, key, run("second", json!({"number": 8}))).await);
    assert_eq!(notices.take(), 1);
    applied(answer(|reply| runtime.start_instance(start_of("onboarding", json!({})), reply)).await);
    assert_eq!(notices.take(), 0);
    journal.shutdown();
}

/// Counts changes of the values.
#[derive(Default)]
struct CountedNotices(AtomicUsize);

impl CountedNotices {
    fn take(&self) -> usize {
        self.0.swap(0, Ordering::AcqRel)
    }
}

impl ListFollower for CountedNotices {
    fn changed(&self, _: Origin<'_>, changes: &[ReadModelChange]) {
        use ReadModelChange::{SearchedCleared, SearchedSet};
        let count = changes
            .iter()
            .filter(|change| matches!(change, SearchedSet(_) | SearchedCleared(..)))
            .count();
        self.0.fetch_add(count, Ordering::AcqRel);
    }
}
