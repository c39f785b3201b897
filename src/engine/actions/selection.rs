//! Finds the element of a run, and checks whether the action may run there now.

use crate::{
    engine::{
        command::RunAction,
        context::Step,
        elements::ad_hoc,
        guards::{require_execute, require_moving, require_participant},
        instance_outcome::other_decision,
        quotas,
        rejection::{Rejection, RejectionKind, Unavailable},
        state::{ElementInstance, InstanceState},
    },
    model::{
        action::Trigger,
        executable::{ActionWork, ExecutableAction, ExecutableNode, ExecutableProcess},
        ids::ElementKey,
    },
};

/// The element and the action of a run, after all checks except that of the payload.
pub(in crate::engine) fn target<'a>(
    step: &Step<'a>,
    run: &RunAction,
) -> Result<(ElementKey, &'a ExecutableAction), Rejection> {
    require_participant(step)?;
    require_moving(step)?;
    require_manual(step.process, step.state, run)?;
    let key = find(step, run)?;
    require_execute(step, key)?;
    let (Some(element), Some(node)) = (step.state.element(key), step.node_of(key)) else {
        return Err(not_active(step, &run.action));
    };
    let Some(action) = node.action(&run.action) else {
        return Err(not_active(step, &run.action));
    };
    if element.is_active() {
        can_run(element, node, action)?;
    }
    if action.timer.is_some() {
        quotas::for_delay(step)
            .map_err(|sentence| Rejection::new(RejectionKind::Conflict, sentence))?;
    }
    if matches!(action.work, ActionWork::StartActivity { .. }) {
        quotas::for_activity(step)
            .map_err(|sentence| Rejection::new(RejectionKind::Conflict, sentence))?;
    }
    Ok((key, action))
}

/// Whether an action of an active element may run now.
pub(in crate::engine) fn can_run(
    element: &ElementInstance,
    node: &ExecutableNode,
    action: &ExecutableAction,
) -> Result<(), Rejection> {
    if element.is_undoing() && !node.for_compensation {
        let sentence = format!(
            "expected an active element, but '{}' has completed and is being compensated",
            element.node()
        );
        return Err(unavailable(Unavailable::NotEnabled, sentence));
    }
    if !action.repeatable && element.counts(&action.name).0 > 0 {
        let sentence = format!(
            "expected an action that has not run yet, but '{}' ran already and is not repeatable",
            action.name
        );
        return Err(Rejection::new(RejectionKind::AlreadyExecuted, sentence));
    }
    if let Some(other) = other_decision(node, action).filter(|other| is_at_work(element, other)) {
        let sentence = format!(
            "expected an approval that is not decided yet, but '{}' ran already and its work is in \
            progress; wait for its end",
            other.name
        );
        return Err(Rejection::new(RejectionKind::AlreadyExecuted, sentence));
    }
    if let Some(incident) = element.incidents().first() {
        // The incident's message quotes the definition, which not every caller may read.
        let sentence = format!(
            "expected an element without incident, but '{}' waits for a retry after a {}",
            element.node(),
            incident.code
        );
        return Err(unavailable(Unavailable::Incident, sentence));
    }
    if let ActionWork::StartActivity { activity } = &action.work
        && let Err(found) = ad_hoc::can_start(element, node)
    {
        let sentence = format!(
            "expected to start '{activity}' in '{}', but {found}",
            node.id
        );
        return Err(unavailable(Unavailable::NotEnabled, sentence));
    }
    if let Some(parent) = &action.parent
        && element.counts(parent).1 == 0
    {
        let sentence = format!(
            "expected the parent action '{parent}' to have run, but it has not; run it first"
        );
        return Err(unavailable(Unavailable::ParentNotRun, sentence));
    }
    Ok(())
}

/// Whether the work of an action, or of a child of it, has begun and is not done.
fn is_at_work(element: &ElementInstance, action: &ExecutableAction) -> bool {
    std::iter::once(action)
        .chain(&action.children)
        .any(|action| element.action(&action.name).at_work() > 0)
}

fn require_manual(
    process: &ExecutableProcess,
    state: &InstanceState,
    run: &RunAction,
) -> Result<(), Rejection> {
    let named = run
        .element
        .and_then(|key| state.element(key))
        .map(ElementInstance::node);
    let is_manual = |action: &ExecutableAction| action.trigger == Trigger::Manual;
    let here = |element: &ElementInstance| process.node(element.node())?.action(&run.action);
    // If an active element offers the action, the nodes need not be searched.
    let mut offered = state.active().filter_map(|(_, element)| here(element));
    if named.is_none() && offered.any(is_manual) {
        return Ok(());
    }
    let nodes = match named {
        Some(id) => process.node(id).map_or(&[][..], std::slice::from_ref),
        None => process.nodes(),
    };
    let mut actions = nodes
        .iter()
        .filter_map(|node| node.action(&run.action))
        .peekable();
    if actions.peek().is_none() {
        let place = named.map_or_else(
            || format!("process '{}'", process.definition.id),
            |node| format!("node '{node}'"),
        );
        let sentence = format!(
            "expected an action of {place}, but '{}' is none of its actions",
            run.action
        );
        return Err(unavailable(Unavailable::UnknownAction, sentence));
    }
    if !actions.any(is_manual) {
        let sentence = format!(
            "expected a manual action, but '{}' is automatic",
            run.action
        );
        return Err(unavailable(Unavailable::NotManual, sentence));
    }
    Ok(())
}

/// The element of a run: the named one, otherwise the active one that offers the action, otherwise
/// the latest completed one with `allowBack`.
fn find(step: &Step<'_>, run: &RunAction) -> Result<ElementKey, Rejection> {
    if let Some(key) = run.element {
        let fits = step
            .state
            .element(key)
            .is_some_and(|element| element.is_active() || is_open(step, key, &run.action));
        return if fits && !step.is_whole(key) {
            Ok(key)
        } else {
            Err(not_active(step, &run.action))
        };
    }
    let manual = |element: &ElementInstance| {
        let node = step.process.node(element.node())?;
        if element.is_whole(node) {
            return None;
        }
        let action = node
            .action(&run.action)
            .filter(|action| action.trigger == Trigger::Manual)?;
        Some((node, action))
    };
    // Of several elements, those where the caller may act take precedence.
    let may_run = |key: &ElementKey| require_execute(step, *key).is_ok();
    let any_permitted = step
        .state
        .active()
        .any(|(key, element)| manual(element).is_some() && may_run(&key));
    let active: Vec<(ElementKey, bool)> = step
        .state
        .active()
        .filter(|(key, _)| !any_permitted || may_run(key))
        .filter_map(|(key, element)| {
            manual(element).map(|(node, action)| (key, can_run(element, node, action).is_ok()))
        })
        .collect();
    let offering: Vec<ElementKey> = active
        .iter()
        .filter(|(_, offers)| *offers)
        .map(|&(key, _)| key)
        .collect();
    match (&active[..], &offering[..]) {
        ([(only, _)], _) | (_, [only]) => Ok(*only),
        ([], _) => {
            let retained = || {
                let keys = step.state.retained().rev().map(|(key, _)| key);
                keys.filter(|&key| is_open(step, key, &run.action))
            };
            let found = retained().find(may_run).or_else(|| retained().next());
            found.ok_or_else(|| not_active(step, &run.action))
        }
        ([(first, _), ..], []) => Ok(*first),
        (_, several) => Err(ambiguous(step, &run.action, several)),
    }
}

fn ambiguous(step: &Step<'_>, action: &str, elements: &[ElementKey]) -> Rejection {
    let instance = step.state.key();
    let listed: Vec<String> = elements.iter().map(|key| key.wire(instance)).collect();
    let sentence = format!(
        "expected one element that offers '{action}', but there are {}: name one of {} as \
        'element'",
        elements.len(),
        listed.join(", ")
    );
    Rejection {
        elements: listed,
        ..Rejection::new(RejectionKind::Conflict, sentence)
    }
}

/// Whether a back step to a completed element by this action is possible.
fn is_open(step: &Step<'_>, key: ElementKey, action: &str) -> bool {
    let Some(element) = step.state.element(key) else {
        return false;
    };
    let action = step
        .process
        .node(element.node())
        .and_then(|node| node.action(action));
    !element.is_active()
        && action
            .is_some_and(|action| action.allow_back && element.first_run(&action.name).is_some())
}

fn not_active(step: &Step<'_>, action: &str) -> Rejection {
    let places: Vec<&str> = step
        .state
        .active()
        .map(|(_, element)| &**element.node())
        .collect();
    let place = match places[..] {
        [] => "no element is active".to_owned(),
        [only] => format!("the token is at '{only}'"),
        _ => format!("the tokens are at '{}'", places.join("', '")),
    };
    unavailable(
        Unavailable::NotActive,
        format!("expected an active element with action '{action}', but {place}"),
    )
}

fn unavailable(reason: Unavailable, message: String) -> Rejection {
    Rejection::new(RejectionKind::Unavailable(reason), message)
}
