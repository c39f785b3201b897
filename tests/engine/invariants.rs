//! Invariants of every instance after every step, for any process and any command. They are checked
//! in each text case and each random run.
//!
//! The checks that compare a step with its records (replay, codec, timers, messages, view) are in
//! [`Subject`] itself.

use serde_json::Value;
use stepwire::{
    engine::{
        InstanceState, Record,
        instance_message::InstanceMessage,
        next_step::{NextStep, Offer},
        record::Status,
        rejection::RejectionKind,
        state::{AdHocState, ElementInstance, Scope},
    },
    model::{
        action::Trigger,
        executable::{ExecutableAction, ExecutableNode},
        ids::Time,
    },
};

use super::subject::Subject;

/// Checks a subject after a step.
pub fn check(subject: &Subject) {
    let next = subject.next();
    assert_eq!(
        next.status.is_live(),
        !next.tokens.is_empty(),
        "a live instance has a token: {next:?}"
    );
    if next.status.is_live() {
        offers_are_true(subject, &next);
        nothing_else_can_be_run(subject, &next);
    } else {
        nothing_is_left(subject, &next);
    }
    children_are_ended_once(subject);
    user_tasks_remind(subject);
    scopes_hold_what_is_in_them(subject.state());
    variables_are_counted(subject.state());
}

/// The variables of elements are objects, and their bytes are counted while they exist or are kept
/// for compensation.
fn variables_are_counted(state: &InstanceState) {
    let elements = || state.active().chain(state.retained());
    let kept = state.scope(None).map_or(0, Scope::remembered_bytes);
    let of_elements = elements().map(|(_, element)| element.bytes());
    let counted = of_elements.sum::<usize>() + kept;
    assert_eq!(state.owned_bytes(), counted, "the bytes of variables");
    for (_, element) in elements() {
        assert!(
            element.variables().is_none_or(Value::is_object),
            "owns no variables: {element:?}"
        );
        assert_eq!(element.variables().is_some(), element.owned_bytes() > 0);
    }
}

/// Every element is in an active scope, which counts its active elements.
fn scopes_hold_what_is_in_them(state: &InstanceState) {
    assert_eq!(state.active_count(), state.active().count());
    let elements = || state.active().chain(state.retained());
    for (key, element) in elements() {
        if let Some(scope) = element.scope() {
            assert!(
                scope < key,
                "a scope begins before what is in it: {element:?}"
            );
            assert!(
                state.element(scope).is_some_and(ElementInstance::is_active),
                "an element outlives its scope: {element:?}"
            );
        }
        assert!(
            element.is_active() || state.scope(Some(key)).is_none(),
            "a passed element is no scope: {element:?}"
        );
        assert!(
            element.is_active() || element.subscriptions().next().is_none(),
            "a passed element waits for nothing: {element:?}"
        );
    }
    let scopes = elements().map(|(key, _)| Some(key)).chain([None]);
    for (scope, held) in scopes.filter_map(|scope| Some((scope, state.scope(scope)?))) {
        let live = state
            .active()
            .filter(|(_, element)| element.scope() == scope)
            .count();
        assert_eq!(held.live() as usize, live, "{scope:?} counts wrong");
        // A loop may begin its next iteration in the next step, and an ad-hoc subprocess waits for
        // its users.
        let waits = scope
            .and_then(|key| state.element(key))
            .is_none_or(|element| {
                !element.incidents().is_empty()
                    || element.ad_hoc() == Some(AdHocState::Open)
                    || element.looping().is_some_and(|looping| looping.open() > 0)
            });
        assert!(
            live > 0 || waits || state.status() == Status::OnHold,
            "{scope:?} is complete and does not go on"
        );
    }
}

/// Only user tasks have a due date, and only with a due date reminders; an assignee is a
/// participant.
fn user_tasks_remind(subject: &Subject) {
    let state = subject.state();
    for (_, element) in state.active().chain(state.retained()) {
        let is_task = subject
            .process
            .node(element.node())
            .is_some_and(|node| node.user_task().is_some());
        assert!(
            is_task || (element.due().is_none() && element.assignee().is_none()),
            "no user task: {element:?}"
        );
        assert!(
            element.due().is_some()
                || (element.reminder().is_none() && element.reminded().is_none()),
            "{element:?}"
        );
        assert!(
            element.is_active() || element.due().is_none(),
            "a passed element is due: {element:?}"
        );
        let participants = state.members().participants;
        assert!(
            element
                .assignee()
                .is_none_or(|user| participants.contains(user)),
            "takes no part: {element:?}"
        );
    }
}

fn nothing_is_left(subject: &Subject, next: &NextStep) {
    let state = subject.state();
    assert!(
        next.offers.is_empty(),
        "an ended instance offers nothing: {next:?}"
    );
    assert!(
        state.active().next().is_none() && state.retained().next().is_none(),
        "an ended instance has no element"
    );
    assert!(
        state
            .scope(None)
            .is_some_and(|scope| scope.waiting().next().is_none()),
        "nothing waits in an ended instance"
    );
    assert!(
        state.all_subscriptions().next().is_none() && subject.waits.is_empty(),
        "an ended instance waits for nothing"
    );
    assert!(
        state.timers().next().is_none() && subject.timers.is_empty(),
        "an ended instance has no timer: {:?}",
        subject.timers
    );
    assert!(
        state.held_deliveries().is_empty(),
        "an ended instance keeps nothing for later"
    );
    awaited_children_end(subject);
    let offers = state.open(Time(0)).count();
    assert!(
        offers == 0 || state.status() == Status::Finished,
        "only a finished instance leaves what it offered open"
    );
}

/// When the instance has ended, an awaited child has ended or has received an end message. After an
/// end other than by finishing, the instance sends itself the message that ends all others below
/// it.
fn awaited_children_end(subject: &Subject) {
    let state = subject.state();
    if state.status() != Status::Finished {
        return;
    }
    for child in state.children().values() {
        assert!(
            !child.start.awaited || !child.status.is_live() || child.ending,
            "nobody waits for it any more, and it goes on: {child:?}"
        );
    }
}

fn children_are_ended_once(subject: &Subject) {
    let records = subject.rows.iter().flat_map(|row| &row.records);
    let reported = records.filter_map(|record| match record {
        Record::MessageSent { target, message }
            if matches!(**message, InstanceMessage::End { .. }) =>
        {
            Some(target)
        }
        _ => None,
    });
    let mut reported: Vec<_> = reported.collect();
    let all = reported.len();
    reported.sort();
    reported.dedup();
    assert_eq!(reported.len(), all, "a child is told to end once");
}

/// Every offer can be run, if the data are valid. A restore that is repeated leads to the same data
/// and view.
fn offers_are_true(subject: &Subject, next: &NextStep) {
    for offer in &next.offers {
        let state = subject.state();
        let mut after = state.clone();
        if let Err(rejection) = subject.run_on(&mut after, offer.element, &offer.action) {
            let delayed: usize = state
                .active()
                .map(|(_, element)| element.delayed().count())
                .sum();
            let full = rejection.kind == RejectionKind::Conflict
                && (delayed >= subject.limits.delayed
                    || state.active_count() >= subject.limits.active_elements);
            assert!(
                full || rejection.kind == RejectionKind::InvalidData,
                "an offer is refused: {offer:?} {rejection:?}"
            );
        } else if offer.back
            && restores(state, offer)
            && let Some(again) = same_offer(subject.next_of(&after), offer, (state, &after))
        {
            let mut twice = after.clone();
            subject
                .run_on(&mut twice, again.element, &again.action)
                .expect("what could be run can be run again");
            assert_eq!(
                (twice.data(), twice.view()),
                (after.data(), after.view()),
                "restored twice: {offer:?}"
            );
        }
    }
}

fn restores(state: &InstanceState, offer: &Offer) -> bool {
    let first = state
        .element(offer.element)
        .and_then(|element| element.first_run(&offer.action));
    first.is_some_and(|first| first.view().is_some())
}

/// The offer of the visit that the back step began: of its node in the same scope, if there is
/// exactly one such visit. The restore of another visit has another result.
fn same_offer(
    next: NextStep,
    offer: &Offer,
    (before, after): (&InstanceState, &InstanceState),
) -> Option<Offer> {
    let scope_in = |state: &InstanceState, element| state.element(element).map(|it| it.scope());
    let scope = scope_in(before, offer.element);
    let mut same = next.offers.into_iter().filter(|again| {
        again.back
            && again.action == offer.action
            && again.node == offer.node
            && scope_in(after, again.element) == scope
    });
    same.next().filter(|_| same.next().is_none())
}

/// An action that is not offered is refused, and not because of its data.
fn nothing_else_can_be_run(subject: &Subject, next: &NextStep) {
    let state = subject.state();
    let mut scratch = state.clone();
    for (key, element) in state.active().chain(state.retained()) {
        let offered = |action: &ExecutableAction| {
            next.offers
                .iter()
                .any(|offer| offer.element == key && offer.action == action.name)
        };
        for action in manual_actions(subject, element).filter(|action| !offered(action)) {
            let refusal = subject
                .run_on(&mut scratch, key, &action.name)
                .map_err(|rejection| rejection.kind);
            assert!(
                refusal.is_err_and(|kind| kind != RejectionKind::InvalidData),
                "{key:?}.{} is not offered, but {refusal:?}",
                action.name
            );
        }
    }
}

fn manual_actions<'a>(
    subject: &'a Subject,
    element: &ElementInstance,
) -> impl Iterator<Item = &'a ExecutableAction> {
    let actions = subject
        .process
        .node(element.node())
        .map_or(&[][..], |node: &ExecutableNode| &node.actions);
    actions
        .iter()
        .flat_map(|action| std::iter::once(action).chain(&action.children))
        .filter(|action| action.trigger == Trigger::Manual)
}
