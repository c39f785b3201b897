//! Reads the schedule of a start event: its timer, or its `stepwire:onStartup`.

use roxmltree::Node;
use serde_json::{Map, Value};

use super::{
    assignments, events, is_bpmn,
    reader::{Reader, own},
    xml::text,
};
use crate::model::{
    definition::ElementType,
    plain_expression::quoted_text,
    schedule::{MisfirePolicy, Overlap, Schedule, When},
};

/// The extension element with its start data.
pub(super) const START_DATA: &str = "startData";

/// A child of a `bpmn:timerEventDefinition`, and its meaning.
type TimeElement = (&'static str, fn(String) -> When);
const TIMES: [TimeElement; 3] = [
    ("timeCycle", When::Cycle),
    ("timeDate", When::Date),
    ("timeDuration", When::Duration),
];

/// The schedule of a start event, without its start data. A timer beside `onStartup` is reported.
pub(super) fn read(
    node: Node<'_, '_>,
    kind: ElementType,
    id: &str,
    reader: &mut Reader<'_>,
) -> Option<Schedule> {
    if kind != ElementType::StartEvent {
        return None;
    }
    let timers = events::definitions_of(node, reader.index);
    let timers = timers.filter(|child| is_bpmn(*child, events::TIMER));
    let timers: Vec<Node<'_, '_>> = timers.collect();
    let mut when: Vec<When> = timers
        .into_iter()
        .filter_map(|definition| read_timer(definition, id, reader))
        .collect();
    let on_startup = reader.own_flag(node, id, "onStartup", false);
    if !when.is_empty() && on_startup {
        let message = "expected a timer or onStartup on a start event, but it has both; draw a \
            start event for each";
        reader.error(id, "several_triggers", message);
    }
    let rules = [
        ("once", MisfirePolicy::Once),
        ("skip", MisfirePolicy::Skip),
        ("all", MisfirePolicy::All),
    ];
    let missed = reader.word(
        id,
        "stepwire:missed",
        own(node, "missed"),
        &rules,
        MisfirePolicy::default(),
    );
    let rules = [("allow", Overlap::Allow), ("skip", Overlap::Skip)];
    let overlap = reader.word(
        id,
        "stepwire:overlap",
        own(node, "overlap"),
        &rules,
        Overlap::default(),
    );
    if when.is_empty() && on_startup {
        when.push(When::Startup);
    }
    if when.is_empty() {
        for name in ["timeZone", "missed", "overlap"]
            .into_iter()
            .filter(|name| own(node, name).is_some())
        {
            let message = format!(
                "expected `stepwire:{name}` beside a timer, but there is none; it is ignored"
            );
            reader.warning(id, "no_effect", message);
        }
        return None;
    }
    let time_zone = own(node, "timeZone").map(str::to_owned);
    Some(Schedule {
        when,
        time_zone,
        missed,
        overlap,
        start_data: Map::new(),
    })
}

/// The time of a `timerEventDefinition`.
pub(super) fn read_timer(
    definition: Node<'_, '_>,
    id: &str,
    reader: &mut Reader<'_>,
) -> Option<When> {
    reader.check_attributes(definition, id, &["id"], &["timeZone"]);
    reader.refuse_other_children(definition, id, &TIMES.map(|(name, _)| name));
    let meaning = |child: Node<'_, '_>| {
        TIMES
            .into_iter()
            .find(|(name, _)| is_bpmn(child, name))
            .map(|(_, when)| when(time(&text(child))))
    };
    let times: Vec<Node<'_, '_>> = definition
        .children()
        .filter(|child| meaning(*child).is_some())
        .collect();
    if times.len() != 1 {
        let place = |child: &Node<'_, '_>| {
            format!(
                "a {} in line {}",
                child.tag_name().name(),
                reader.line(*child)
            )
        };
        let found = times
            .iter()
            .take(3)
            .map(place)
            .collect::<Vec<_>>()
            .join(" and ");
        let found = if found.is_empty() {
            "there is none; add one".to_owned()
        } else {
            format!("there is {found}; keep one")
        };
        let message = format!(
            "expected one of timeCycle, timeDate and timeDuration in the timerEventDefinition, \
            but {found}"
        );
        if reader.left_open(id, "invalid_schedule", message) && times.is_empty() {
            return Some(When::Duration("PT1H".to_owned()));
        }
    }
    times.first().and_then(|child| meaning(*child))
}

/// The text of a time. A text in quotes, also in an expression, is the text itself, also one of FEEL's `duration`
/// and `date and time`; `#{path}` and FEEL's `= path` become `${path}`.
pub(super) fn time(written: &str) -> String {
    if let Some(feel) = written.strip_prefix('=').map(str::trim) {
        let argument = ["duration(", "date and time("]
            .into_iter()
            .find_map(|function| feel.strip_prefix(function)?.strip_suffix(')'));
        if let Some(text) = quoted_text(argument.unwrap_or(feel)) {
            return text.to_owned();
        }
        if let Some(text) = argument.and_then(|it| assignments::template(&format!("={it}"))) {
            return text;
        }
    }
    let expression = ["${", "#{"]
        .into_iter()
        .find_map(|open| written.strip_prefix(open)?.strip_suffix('}'));
    if let Some(text) = quoted_text(expression.unwrap_or(written)) {
        return text.to_owned();
    }
    assignments::template(written).unwrap_or_else(|| written.replace("#{", "${"))
}

/// The members of a `stepwire:startData` element; anything but a JSON object is reported.
pub(super) fn read_start_data(
    node: Node<'_, '_>,
    id: &str,
    reader: &mut Reader<'_>,
) -> Map<String, Value> {
    reader.check_attributes(node, id, &[], &[]);
    match reader.json(id, "stepwire:startData", &text(node)) {
        Some(Value::Object(members)) => return members,
        Some(other) => {
            let message = format!(
                "expected a JSON object in `stepwire:startData`, but got {other}; write one"
            );
            reader.error(id, "invalid_value", message);
        }
        None => {}
    }
    Map::new()
}
