//! Multi-instance call activity: one child per item of a collection, all at the same time; their
//! results land in the order of the items.
//!
//! The collection is looked at once, on entering: what becomes of it meanwhile changes nothing, in
//! a retry neither. How an item's child ends: `engine::subprocess`.

use serde_json::Value;

use crate::{
    engine::{
        record::Record,
        room,
        state::{Call, Item, ItemRun},
        step::Step,
        subprocess,
    },
    limits,
    model::{executable::Subprocess, ids::ElementKey, path::DataPath},
};

/// Takes the items and starts their children. `true` when there is nothing to wait for.
pub(super) fn begin(
    step: &mut Step<'_>,
    key: ElementKey,
    called: &Subprocess,
    collection: &DataPath,
) -> bool {
    match items(step, called, collection) {
        Ok(items) => {
            step.record(Record::ItemsTaken {
                element: key,
                items,
            });
            go_on(step, key, called)
        }
        Err(sentence) => {
            step.incident(key, "collection_error", sentence, None);
            false
        }
    }
}

/// Starts what is open: every item at first, the failed ones in a retry. `true` once all are done
/// and their results merged.
pub(super) fn go_on(step: &mut Step<'_>, key: ElementKey, called: &Subprocess) -> bool {
    let open: Vec<(u32, Value)> = (0..)
        .zip(taken(step, key))
        .filter(|(_, item)| item.run == ItemRun::Open)
        .map(|(index, item)| (index, item.value.clone()))
        .collect();
    if let Err(sentence) = room::for_children(step, open.len()) {
        step.incident(key, room::CHILDREN, sentence, None);
        return false;
    }
    for (index, item) in open {
        subprocess::start_item(step, called, key, index, item);
    }
    if !taken(step, key).iter().all(|item| item.result().is_some()) {
        return false;
    }
    if let Some(path) = &called.output_key {
        let results = taken(step, key)
            .iter()
            .filter_map(Item::result)
            .cloned()
            .collect();
        step.merge(Some(key), path.nest(Value::Array(results)));
    }
    true
}

fn taken<'a>(step: &'a Step<'_>, key: ElementKey) -> &'a [Item] {
    match step.state.element(key).and_then(|element| element.call()) {
        Some(Call::Items(items)) => items,
        _ => &[],
    }
}

fn items(
    step: &Step<'_>,
    called: &Subprocess,
    collection: &DataPath,
) -> Result<Vec<Value>, String> {
    let items = match collection.get(step.state.data()) {
        Some(Value::Array(items)) => items,
        Some(other) => {
            return Err(format!(
                "expected a list at '{collection}', but there is {}; write one there",
                kind(other)
            ));
        }
        None => {
            return Err(format!(
                "expected a list at '{collection}', but there is nothing; write one there, [] \
                for no item"
            ));
        }
    };
    if items.len() > limits::ITEMS {
        return Err(format!(
            "expected at most {} items at '{collection}', but there are {}; call for a part of \
            them at a time",
            limits::ITEMS,
            items.len()
        ));
    }
    let copied = called.copy.apply(step.state.data()).to_string().len();
    let bytes = items
        .iter()
        .map(|item| copied + item.to_string().len())
        .sum::<usize>();
    if bytes > limits::ITEM_DATA_BYTES {
        return Err(format!(
            "expected at most {} bytes of start data for all items of '{collection}' together, \
            but these are {bytes}; copy less by paramsToCopy",
            limits::ITEM_DATA_BYTES
        ));
    }
    Ok(items.clone())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
