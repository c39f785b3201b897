//! Loops: which elements may have one, and its rules.
//!
//! Not here: whether conditions compile (`expression`).

use super::{Report, back_steps, params};
use crate::{
    limits::ITEMS,
    model::{
        computed_template::ComputedTemplate,
        definition::{FlowNode, ProcessDefinition},
        event_definition::EventDefinition,
        loop_characteristics::{
            COUNTERS, LOOP_COUNTER, LoopCharacteristics, MultiInstance, MultiInstanceBehavior,
            StandardLoop,
        },
        path::DataPath,
    },
};

/// How problems of a loop name it.
const OWNER: &str = "the loop";

/// Checks one node by itself.
pub(super) fn check_node(node: &FlowNode, report: &mut Report) {
    let Some(looping) = &node.looping else { return };
    if !node.kind.is_activity() {
        let message = format!(
            "expected a loop on activities only, but this is a {}; remove it",
            node.kind.bpmn_name()
        );
        return report.error(&node.id, "misplaced_loop", message);
    }
    if looping.condition().is_some_and(is_empty) {
        let message = format!(
            "{OWNER}: expected a condition such as ${{approved == true}}, but it is empty; write \
            one, or remove it"
        );
        report.error(&node.id, "invalid_condition", message);
    }
    match looping {
        LoopCharacteristics::MultiInstance(multiple) => check_multiple(node, multiple, report),
        LoopCharacteristics::Standard(standard) => check_standard(node, standard, report),
    }
}

/// Checks back steps that would lead into a loop.
pub(super) fn check(definition: &ProcessDefinition, report: &mut Report) {
    let found = back_steps::in_closed(definition, |outer, _| outer.looping.is_some());
    for (node, action, outer) in found {
        let message = format!(
            "action `{}`: expected no allowBack in what runs more than once, but `{}` is a loop, \
            and             a step back could mean any of its iterations; remove allowBack",
            action.name, outer.id
        );
        report.error(&node.id, "back_in_loop", message);
    }
}

fn is_empty(condition: &str) -> bool {
    ["", "${}"].contains(&condition.trim())
}

fn check_multiple(node: &FlowNode, multiple: &MultiInstance, report: &mut Report) {
    let error = |report: &mut Report, code, sentence: String| {
        report.error(&node.id, code, format!("{OWNER}{sentence}"));
    };
    match (&multiple.collection, &multiple.cardinality) {
        (None, None) => {
            let sentence = ": expected a `collection` (the path of a list) or a `cardinality` (how \
                many), but there is neither; write one";
            error(report, "missing_collection", sentence.to_owned());
        }
        (Some(_), Some(_)) => {
            let sentence = ": expected a `collection` or a `cardinality`, but there are both; \
                remove one";
            error(report, "ambiguous_loop", sentence.to_owned());
        }
        (Some(path), None) => {
            if let Err(sentence) = DataPath::parse(path) {
                error(report, "invalid_path", format!(", collection: {sentence}"));
            }
        }
        (None, Some(text)) => check_cardinality(text, &error, report),
    }
    check_item(multiple, &error, report);
    check_behavior(multiple, &error, report);
    params::check_output(
        &node.id,
        OWNER,
        multiple.output_key.as_deref(),
        multiple.output.as_deref(),
        report,
    );
    let of_call = node.call.as_ref().map(|call| call.output_key.is_some());
    let has_key = multiple.output_key.is_some() || of_call == Some(true);
    if multiple.output.is_some() && !has_key {
        let sentence = ": expected `outputKey` beside `output`, but there is none: results would \
            be dropped; name the variable for them";
        error(report, "missing_output_key", sentence.to_owned());
    }
    if multiple.output_key.is_some() && multiple.output.is_none() && node.call.is_none() {
        let sentence = ": expected `output` beside `outputKey`, but there is none: the result of \
            an iteration is not defined; write a template such as ${answer}";
        error(report, "missing_output", sentence.to_owned());
    }
}

fn check_item(
    multiple: &MultiInstance,
    error: &dyn Fn(&mut Report, &'static str, String),
    report: &mut Report,
) {
    let Some(item) = &multiple.item else { return };
    let is_name = DataPath::parse_members(item).is_ok_and(|path| path.depth() == 1);
    let is_taken = item == LOOP_COUNTER || COUNTERS.contains(&item.as_str());
    if !is_name || is_taken {
        let found = if is_taken {
            "is counted by the loop itself"
        } else {
            "is not one"
        };
        let sentence = format!(
            ": expected the name of a variable for the item, but `{item}` {found}; write \
            another"
        );
        error(report, "invalid_name", sentence);
    }
    if multiple.collection.is_none() {
        let sentence = ": expected a variable for the item of a collection only, but there is \
            no collection; remove `item`";
        error(report, "misplaced_item", sentence.to_owned());
    }
}

fn check_behavior(
    multiple: &MultiInstance,
    error: &dyn Fn(&mut Report, &'static str, String),
    report: &mut Report,
) {
    let is_complex = multiple.behavior == MultiInstanceBehavior::Complex;
    if is_complex == multiple.complex_behavior.is_empty() {
        let sentence = ": expected a `complexBehavior` with each `behavior` `complex`, and with no \
            other, but there is only one of the two; write the other, or remove it";
        return error(report, "misplaced_event", sentence.to_owned());
    }
    for complex in &multiple.complex_behavior {
        if complex.condition.trim().is_empty() || complex.events.is_empty() {
            let sentence = ": expected a condition and an event of each complexBehaviorDefinition, \
                but one of them is missing; write it";
            error(report, "invalid_event", sentence.to_owned());
        }
        for event in &complex.events {
            check_event(Some(event), true, error, report);
        }
    }
    let throws = !is_complex && multiple.behavior != MultiInstanceBehavior::All;
    check_event(multiple.event.as_deref(), throws, error, report);
}

fn check_event(
    event: Option<&EventDefinition>,
    throws: bool,
    error: &dyn Fn(&mut Report, &'static str, String),
    report: &mut Report,
) {
    let found = match event {
        None if throws => "there is none",
        Some(_) if !throws => {
            let sentence = ": expected an `event` only with the `behavior` `none` or `one`, but \
                there is neither: nothing throws it; write one, or remove `event`";
            return error(report, "misplaced_event", sentence.to_owned());
        }
        Some(EventDefinition::Signal { data: Some(_), .. }) => "the signal has `data`",
        Some(EventDefinition::Signal {
            business_key: Some(_),
            ..
        }) => "the signal has a `businessKey`",
        Some(EventDefinition::Signal { name, .. }) if name.is_empty() || name.contains("${") => {
            "the signal has no fixed name"
        }
        Some(EventDefinition::Escalation { code: None }) => "the escalation has no code",
        Some(EventDefinition::Signal { .. } | EventDefinition::Escalation { .. }) | None => return,
        Some(
            EventDefinition::Error { .. }
            | EventDefinition::Link { .. }
            | EventDefinition::Compensation { .. }
            | EventDefinition::Cancel
            | EventDefinition::Conditional { .. }
            | EventDefinition::Timer { .. }
            | EventDefinition::Message { .. }
            | EventDefinition::Terminate,
        ) => "it is of another type",
    };
    let sentence = format!(
        ": expected as `event` a signal with a fixed name and without data, or an escalation with \
        a code, but {found}; write one of these"
    );
    error(report, "invalid_event", sentence);
}

fn check_cardinality(
    text: &str,
    error: &dyn Fn(&mut Report, &'static str, String),
    report: &mut Report,
) {
    let expected = format!(
        "expected how many iterations as a whole number of 0 to {ITEMS}, or as one placeholder \
        such as ${{count}}"
    );
    match ComputedTemplate::compile_text(text) {
        Err(problem) => {
            let sentence = format!(", cardinality: {problem}");
            error(report, "invalid_template", sentence);
        }
        Ok(template) if template.constant().is_some() => {
            let fits = text
                .trim()
                .parse::<usize>()
                .is_ok_and(|count| count <= ITEMS);
            if !fits {
                let sentence = format!(": {expected}, but `cardinality` is `{text}`; correct it");
                error(report, "invalid_value", sentence);
            }
        }
        Ok(_) => {}
    }
}

fn check_standard(node: &FlowNode, standard: &StandardLoop, report: &mut Report) {
    if standard.condition.is_none() && standard.maximum.is_none() {
        let message = format!(
            "{OWNER}: expected a condition that ends it or a maximum of iterations, but there is \
            neither, so it would never end; write `loopCondition` or `loopMaximum`"
        );
        report.error(&node.id, "endless_loop", message);
    }
    if standard.maximum == Some(0) {
        let message = format!(
            "{OWNER}: expected a maximum of at least 1 iteration, but it is less; raise or remove it"
        );
        report.error(&node.id, "invalid_value", message);
    }
}
