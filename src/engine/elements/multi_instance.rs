//! Multi-instance call activity: one child per item of a collection, all at the same time; their
//! results land in the order of the items.
//!
//! The collection is looked at once, on entering: what becomes of it meanwhile changes nothing, in
//! a retry neither. One step starts so many items and no more, as a step holds up whatever else is
//! on its thread, and its row whatever is written after it. How an item's child ends: `engine::subprocess`.

use serde_json::Value;

use crate::{
    engine::{
        context::Step,
        instance_message::InstanceMessage,
        quotas,
        record::Record,
        state::{Call, Item, ItemRun},
        subprocess::start,
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
    match items(step, key, called, collection) {
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

/// Starts what is open, as much as one step may: every item at first, the failed ones in a retry.
/// `true` once all are done and their results merged.
pub(super) fn go_on(step: &mut Step<'_>, key: ElementKey, called: &Subprocess) -> bool {
    start_open(step, key, called);
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

/// Starts what is open, as much as one step may; a message to the instance itself brings the next
/// step, so that others have their turn in between.
pub(super) fn start_open(step: &mut Step<'_>, key: ElementKey, called: &Subprocess) {
    let is_open = |item: &Item| item.run == ItemRun::Open;
    let open = taken(step, key).iter().filter(|item| is_open(item)).count();
    if open == 0 {
        return;
    }
    if let Err(sentence) = quotas::for_children(step, open) {
        return step.incident(key, quotas::CHILDREN, sentence, None);
    }
    let copied = start::called_data(step, called, key).to_string().len();
    let (mut bytes, mut next) = (0, Vec::new());
    for (index, item) in (0..)
        .zip(taken(step, key))
        .filter(|(_, item)| is_open(item))
    {
        bytes += copied + item.value.to_string().len();
        let is_full =
            next.len() >= step.limits.starts_per_step || bytes > step.limits.start_bytes_per_step;
        if is_full && !next.is_empty() {
            break;
        }
        next.push((index, item.value.clone()));
    }
    let is_all = next.len() == open;
    for (index, item) in next {
        start::start_item(step, called, key, index, item);
    }
    if !is_all {
        step.send(
            step.state.key(),
            InstanceMessage::StartMore { element: key },
        );
    }
}

fn taken<'a>(step: &'a Step<'_>, key: ElementKey) -> &'a [Item] {
    match step.state.element(key).and_then(|element| element.call()) {
        Some(Call::Items(items)) => items,
        _ => &[],
    }
}

fn items(
    step: &Step<'_>,
    key: ElementKey,
    called: &Subprocess,
    collection: &DataPath,
) -> Result<Vec<Value>, String> {
    let items = match step.variables(key).at(collection) {
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
    let copied = start::called_data(step, called, key).to_string().len();
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
