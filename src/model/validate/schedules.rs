//! Schedules of start events: where they are allowed, and that their times and start data are
//! valid.
//!
//! Not here: whether a start event's keys accept the start data
//! (`runtime::definitions::start_data`, which has their schemas).

use serde_json::Value;

use super::Report;
use crate::{
    limits,
    model::{
        cron,
        deep_merge::exceeds_depth,
        definition::{ElementType, FlowNode},
        schedule::{MisfirePolicy, Schedule, When},
        timer_cycle::Occurrences,
    },
};

pub(super) fn check(node: &FlowNode, report: &mut Report) {
    let Some(schedule) = &node.schedule else {
        return;
    };
    let id = &node.id;
    if node.kind != ElementType::StartEvent {
        let kind = node.kind.bpmn_name();
        let message = format!(
            "expected a schedule on start events only, but this is a {kind}; move it to one"
        );
        report.error(id, "misplaced_schedule", message);
        return;
    }
    if node.start_condition.is_some() {
        let message = "expected no start condition together with a schedule, because clients \
            cannot start here, but there is one; draw another start event for them";
        report.error(id, "misplaced_start_condition", message);
    }
    if let Err(sentence) = Occurrences::compile(schedule) {
        report.error(id, "invalid_schedule", sentence);
    }
    for when in &schedule.when {
        if let When::Cycle(text) = when
            && let Some(sentence) = cron::read(text).ok().and_then(|reading| reading.warning)
        {
            report.warning(id, "ambiguous_weekday", sentence);
        }
    }
    if schedule.when.len() > 1 && schedule.when.contains(&When::Startup) {
        let message = "expected times, or a start when the server starts, but there are both; draw \
            a start event for each";
        report.error(id, "several_triggers", message);
    }
    if schedule.when == [When::Startup]
        && (schedule.time_zone.is_some() || schedule.missed != MisfirePolicy::default())
    {
        let message = "expected no time zone and no rule for missed times when the process starts \
            with the server, but there is one: it has no effect";
        report.warning(id, "no_effect", message);
    }
    check_start_data(id, schedule, report);
}

fn check_start_data(id: &str, schedule: &Schedule, report: &mut Report) {
    let data = Value::Object(schedule.start_data.clone());
    let bytes = data.to_string().len();
    let (max_bytes, max_levels) = (limits::START_DATA_BYTES, limits::JSON_DEPTH);
    if bytes > max_bytes || exceeds_depth(&data, max_levels) {
        let message = format!(
            "expected start data of at most {max_bytes} bytes and {max_levels} levels, but \
            these have {bytes} bytes or are nested deeper; shorten them"
        );
        report.error(id, "start_data_too_large", message);
    }
}
