//! The rules of a definition. All problems are listed at once, with what was expected and how to
//! fix it.
//!
//! `nodes` checks each node by itself; `actions`, `effects`, `params` and `inherit` its actions;
//! `keys` the data that clients may send; `task_settings` user tasks; `graph` how nodes and flows
//! are connected; `scopes` embedded subprocesses; `events` event definitions; `lanes` lanes;
//! `mappings` declarations of variables; `boundary` boundary events; `loops` multi-instance and
//! loops; `ad_hoc` ad-hoc subprocesses; `schedules` schedules; `event_gateways` and
//! `complex_gateways` these gateways; `instantiation` what starts a process besides start events;
//! `event_subprocesses` their starts. Not here: whether BPMN can be read at all (`bpmn_xml`);
//! whether conditions, rules and schemas compile (`expression`).

mod actions;
mod ad_hoc;
mod back_steps;
mod boundary;
mod compensation;
mod complex_gateways;
mod effects;
mod event_gateways;
mod event_subprocesses;
mod events;
mod graph;
mod inherit;
mod instantiation;
mod keys;
mod lanes;
mod links;
mod loops;
mod mappings;
mod messages;
mod nodes;
mod params;
mod quantities;
mod same_event;
mod schedules;
mod scopes;
mod task_settings;

use self::event_subprocesses::EventSubprocesses;
use super::{
    compile::compile_expiry, cron, definition::ProcessDefinition, ids::Time, problem::Problem,
};
use crate::{duration, limits};

/// Longest id or name that others refer to, in bytes.
pub(super) const MAX_NAME_BYTES: usize = 128;

/// All problems of a definition: errors and warnings.
pub fn validate(definition: &ProcessDefinition) -> Vec<Problem> {
    let mut report = Report::default();
    let elements = definition.nodes.len() + definition.flows.len();
    if elements > limits::DEFINITION_ELEMENTS {
        let maximum = limits::DEFINITION_ELEMENTS;
        let message = format!(
            "expected at most {maximum} flow nodes and sequence flows, but there are {elements}; \
            split the process"
        );
        report.error(&definition.id, "too_large", message);
        return report.problems;
    }
    report.process(definition);
    graph::check(definition, &mut report);
    scopes::check(definition, &mut report);
    links::check(definition, &mut report);
    compensation::check(definition, &mut report);
    lanes::check(definition, &mut report);
    mappings::check_data_objects(definition, &mut report);
    boundary::check(definition, &mut report);
    complex_gateways::check(definition, &mut report);
    quantities::check(definition, &mut report);
    event_gateways::check(definition, &mut report);
    instantiation::check(definition, &mut report);
    event_subprocesses::check(definition, &mut report);
    same_event::check(definition, &mut report);
    loops::check(definition, &mut report);
    ad_hoc::check(definition, &mut report);
    report.problems.extend(validate_nodes(definition));
    // Only for elements that were read completely: a placeholder for an unreadable one may have no
    // effect.
    let event_subprocesses = EventSubprocesses::of(definition);
    definition.nodes.iter().for_each(|node| {
        effects::check(node, &mut report);
        events::check_definition(node, event_subprocesses.is_begun_by(node), &mut report);
    });
    report.problems
}

/// The problems of each node by itself, which can be found even if flows or other nodes could not
/// be read.
pub(super) fn validate_nodes(definition: &ProcessDefinition) -> Vec<Problem> {
    let mut report = Report::default();
    let event_subprocesses = EventSubprocesses::of(definition);
    for node in &definition.nodes {
        nodes::check(
            node,
            definition.anonymous_start,
            &event_subprocesses,
            &mut report,
        );
        schedules::check(node, &mut report);
        loops::check_node(node, &mut report);
        ad_hoc::check_node(node, &mut report);
        mappings::check(node, &mut report);
    }
    report.problems
}

/// The mistake in an invalid expiry: the expected and the given text.
fn wrong_expiry(text: &str) -> Option<String> {
    match compile_expiry(text).map(|expiry| expiry.due(Time(0))) {
        None => Some(format!(
            "an expiry as ISO 8601 duration such as P7D, or as cron expression such as `0 18 * * \
            FRI`, but got `{text}`"
        )),
        Some(None) => Some(format!("an expiry that comes, but `{text}` never does")),
        Some(Some(due)) => {
            (due <= Time(0)).then(|| format!("an expiry after the start, but `{text}` is not"))
        }
    }
}

#[derive(Default)]
struct Report {
    problems: Vec<Problem>,
}

impl Report {
    fn error(&mut self, element: &str, code: &'static str, message: impl Into<String>) {
        self.problems.push(Problem::error(element, code, message));
    }

    fn warning(&mut self, element: &str, code: &'static str, message: impl Into<String>) {
        self.problems.push(Problem::warning(element, code, message));
    }

    /// Warns about a placeholder in another notation, which a template does not replace.
    fn hash_braces(&mut self, element: &str, what: &str, template: &str) {
        let is_placeholder = |rest: &str| {
            rest.starts_with(|c: char| c.is_alphabetic() || c == '_') && rest.contains('}')
        };
        if template.split("#{").skip(1).any(is_placeholder) {
            let message = format!(
                "{what}: expected placeholders as ${{…}}, but there is #{{…}}, which stays as it \
                is; write ${{…}}"
            );
            self.warning(element, "placeholder_not_filled_in", message);
        }
    }

    fn process(&mut self, definition: &ProcessDefinition) {
        self.name(&definition.id, "process id", &definition.id);
        if let Some(expiry) = &definition.expiry
            && let Some(found) = wrong_expiry(expiry)
        {
            self.error(
                &definition.id,
                "invalid_expiry",
                format!("expected {found}; correct it"),
            );
        }
        if let Some(sentence) = definition
            .expiry
            .as_deref()
            .and_then(|text| cron::read(text).ok()?.warning)
        {
            self.warning(&definition.id, "ambiguous_weekday", sentence);
        }
        if let Some(text) = &definition.action_message_expiry
            && !duration::parse(text)
                .is_ok_and(|span| Time(0).plus(&span).is_some_and(|end| end > Time(0)))
        {
            let message = format!(
                "expected the time an Action message stays open as a positive ISO 8601 duration \
                such as P7D, but got `{text}`; correct it"
            );
            self.error(&definition.id, "invalid_action_message_expiry", message);
        }
        for webhook in &definition.webhooks {
            for (code, sentence) in webhook.mistakes() {
                self.error(
                    &definition.id,
                    code,
                    format!("the webhook to `{}`, {sentence}", webhook.url),
                );
            }
        }
        if definition.webhooks.len() > limits::WEBHOOKS {
            let message = format!(
                "expected at most {} webhooks, but there are {}; remove some",
                limits::WEBHOOKS,
                definition.webhooks.len()
            );
            self.error(&definition.id, "too_many_webhooks", message);
        }
        self.search_keys(definition);
    }

    fn search_keys(&mut self, definition: &ProcessDefinition) {
        let (id, paths) = (&definition.id, &definition.search_keys);
        keys::check_paths(
            id,
            &format!("process `{id}`"),
            "searchKeys",
            paths.iter().map(String::as_str),
            self,
        );
        if paths.len() > limits::SEARCH_KEYS {
            let message = format!(
                "expected at most {} search keys, but there are {}; keep those that are searched \
                for",
                limits::SEARCH_KEYS,
                paths.len()
            );
            self.error(id, "too_many_search_keys", message);
        }
    }

    /// Checks an id or name that others refer to.
    fn name(&mut self, element: &str, what: &str, name: &str) {
        let stranger = name
            .chars()
            .find(|c| !c.is_alphanumeric() && !"_-.".contains(*c));
        let found = match (name, stranger) {
            ("", _) => "it is empty".to_owned(),
            ("." | "..", _) => format!("`{name}` is a step in addresses"),
            (_, Some('$' | '#')) if name.contains('{') => {
                format!("`{name}` is an expression, and this is fixed at the deploy")
            }
            (_, Some(c)) => format!("`{name}` has {c:?}"),
            (_, None) if name.len() > MAX_NAME_BYTES => format!("it has {} bytes", name.len()),
            (_, None) => return,
        };
        let message = format!(
            "expected a {what} of letters, digits and `_ - .`, at most {MAX_NAME_BYTES} bytes, \
            but {found}; rename it"
        );
        self.error(element, "invalid_name", message);
    }
}

#[cfg(test)]
mod tests;
