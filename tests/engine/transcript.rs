//! The notation in which a case writes the records of an instance: short, but exact where it
//! matters.
//!
//! `node/2` is the second visit of a node, `node[1]` its first iteration, `child1` the first child;
//! times are relative to the step.

mod migrated;
mod peers;
mod thrown;
mod words;

use std::collections::HashMap;

use serde_json::{Map, Value};
use stepwire::{
    engine::{
        Effect, Record, RecordBatch, Rejection, StepOutcome,
        command::{TimerKey, TimerKind},
        correlation::{Correlation, CorrelationNote},
        http_call::{CallKey, HttpCallRecord},
        instance_message::InstanceMessage,
        next_step::NextStep,
        permissions::Permissions,
        record::{Push, Remember, Status, Subscriber},
        rejection::{RejectionKind, Unavailable},
    },
    model::{
        action::MessageType,
        ids::{ElementKey, InstanceKey, Time},
    },
};

pub use words::rejection;
use words::*;

const WIDTH: usize = 130;

/// The names of a case: visits of nodes and other instances, in the order of their appearance.
#[derive(Default)]
pub struct Names {
    elements: HashMap<ElementKey, String>,
    visits: HashMap<String, Vec<ElementKey>>,
    pub children: Vec<InstanceKey>,
}

impl Names {
    /// Adds the names in a row.
    pub fn learn(&mut self, row: &RecordBatch) {
        for (seq, record) in row.numbered() {
            match record {
                Record::ElementActivated {
                    scope: Some(whole),
                    loop_counter: Some(nr),
                    ..
                } => {
                    let whole = self.element(*whole);
                    self.elements
                        .insert(ElementKey(seq), format!("{whole}[{nr}]"));
                }
                Record::ElementActivated { node, .. } | Record::Returned { node, .. } => {
                    let visits = self.visits.entry(node.to_string()).or_default();
                    visits.push(ElementKey(seq));
                    let name = if visits.len() == 1 {
                        node.to_string()
                    } else {
                        format!("{node}/{}", visits.len())
                    };
                    self.elements.insert(ElementKey(seq), name);
                }
                Record::ChildStarted(start) if start.element.is_some() => {
                    self.children.push(start.child)
                }
                _ => {}
            }
        }
    }

    pub fn element(&self, key: ElementKey) -> &str {
        self.elements.get(&key).map_or("?", String::as_str)
    }

    /// The element of a command: `node` (its latest visit), `node/2`, `node[1]`, `#17`.
    pub fn find(&self, text: &str) -> ElementKey {
        if let Some(number) = text.strip_prefix('#') {
            return ElementKey(number.parse().expect("a number"));
        }
        if text.ends_with(']') {
            let named = self.elements.iter().find(|(_, name)| *name == text);
            return *named.expect("an iteration that has begun").0;
        }
        let (node, visit) = text
            .split_once('/')
            .map_or((text, None), |(node, visit)| (node, Some(visit)));
        let visits = self
            .visits
            .get(node)
            .unwrap_or_else(|| panic!("no visit of {node} yet"));
        visit.map_or(visits[visits.len() - 1], |visit| {
            visits[visit.parse::<usize>().expect("a number") - 1]
        })
    }

    fn record(&self, seq: u64, record: &Record, now: Time) -> String {
        let at = |element: &ElementKey| self.element(*element);
        match record {
            Record::Created(created) if is_empty(&created.data) => "created".to_owned(),
            Record::Created(created) => format!("created {}", created.data),
            Record::DataMerged {
                scope: Some(scope),
                by: Some(by),
                patch,
                ..
            } => format!("merged {patch} into {} by {}", at(scope), at(by)),
            Record::DataMerged {
                by: Some(by),
                patch,
                ..
            } => format!("merged {patch} by {}", at(by)),
            Record::VariablesDeclared { element, variables } => {
                format!(
                    "declared {} {}",
                    at(element),
                    Value::Object(variables.clone())
                )
            }
            Record::DataPatched { scope, patch } => {
                let of = scope.map(|scope| format!(" in {}", self.element(scope)));
                format!("patched {patch}{}", of.unwrap_or_default())
            }
            Record::DataMerged {
                by: None, patch, ..
            } => format!("merged {patch}"),
            Record::DataReplaced {
                scope: Some(scope),
                data,
            } => format!("replaced {data} of {}", at(scope)),
            Record::DataReplaced { scope: None, data } => format!("replaced {data}"),
            Record::FileStored(file) => format!(
                "stored {} {} ({} bytes)",
                file.name, file.media_type, file.size
            ),
            Record::FlowArrived { node, arrival, .. } => {
                format!("arrived {node} by {}", arrival.flow)
            }
            Record::ElementActivated {
                scope,
                loop_counter: nr,
                ..
            } => {
                let inside = scope
                    .as_ref()
                    .filter(|_| nr.is_none())
                    .map_or(String::new(), |scope| format!(" in {}", at(scope)));
                format!("activated {}{inside}", self.element(ElementKey(seq)))
            }
            Record::SubscriptionsOpened { by, subscriptions } => {
                let waits = waits(subscriptions, now);
                format!("{} waits for {waits}", self.subscriber(*by))
            }
            Record::SubscriptionTriggered { by, event, remains } => {
                let again = remains.as_ref().map_or(String::new(), |remains| {
                    format!(", again{}", waits_for(remains, now))
                });
                format!("triggered @{event} of {}{again}", self.subscriber(*by))
            }
            Record::Multiple(record) => self.several(record, now),
            Record::DeliveryHeld(delivery) => format!(
                "held back {} for @{} of {}",
                delivery.data,
                delivery.event,
                self.subscriber(delivery.by)
            ),
            Record::CorrelationNotified { correlation, note } => {
                format!("{} {}", named(correlation), self.noted(note, now))
            }
            Record::ErrorThrown { .. }
            | Record::EscalationThrown { .. }
            | Record::CompensationThrown { .. }
            | Record::CompensationStarted { .. }
            | Record::CompensationCompleted { .. }
            | Record::TransactionCancelled { .. }
            | Record::ScopeInterrupted { .. } => thrown::written(record, at),
            Record::ConditionReset { by, event } => {
                format!("@{event} of {} is false", self.subscriber(*by))
            }
            Record::WaitingFlowsCleared { scope } => {
                let scope = scope.as_ref().map_or("the instance", at);
                format!("cleared the joins of {scope}")
            }
            Record::GatewayStateChanged { node, taken, .. } => match taken {
                Some(_) => format!("{node} waits for its other flows"),
                None => format!("{node} has reset"),
            },
            Record::ElementCompleted {
                element,
                keep,
                closes,
                compensable,
                ..
            } => {
                let compensable = if *compensable { " compensable" } else { "" };
                let left = if *keep { " kept" } else { "" };
                let closed = if *closes { " closing" } else { "" };
                format!("completed {}{left}{closed}{compensable}", at(element))
            }
            Record::ElementTerminated { element, .. } => format!("terminated {}", at(element)),
            Record::ActionStarted {
                element,
                action,
                due,
                remember,
            } => {
                let due = due.map_or(String::new(), |due| {
                    format!(" due +{}s", (due.0 - now.0) / 1000)
                });
                let remember = match remember {
                    Remember::Nothing => "",
                    Remember::Actions => " (for back)",
                    Remember::Snapshot => " (for restore)",
                };
                format!("started {}.{action}{due}{remember}", at(element))
            }
            Record::ActionCompleted {
                element,
                action,
                occurrence: 1,
            } => format!("ran {}.{action}", at(element)),
            Record::ActionCompleted {
                element,
                action,
                occurrence,
            } => format!("ran {}.{action}:{occurrence}", at(element)),
            Record::Pushed(push) => self.push(seq, push),
            Record::OfferClosed { seq } => format!("closed {seq}"),
            Record::ViewReplaced { body } => format!("view {body}"),
            Record::Returned { to, action, .. } => {
                format!(
                    "returned {} from {} for {action}",
                    self.element(ElementKey(seq)),
                    at(to)
                )
            }
            Record::ChildStarted(start) => {
                let element = start.element.as_ref().map_or("a client", at);
                let awaited = if start.awaited { ", awaited" } else { "" };
                format!(
                    "{} {} of {element}{awaited}",
                    self.peer(start.child),
                    start.process
                )
            }
            Record::Loop(record) => looped(record, at),
            Record::AdHoc(record) => ad_hoc(record, at),
            Record::OutputsWritten { element } => format!("{} wrote its outputs", at(element)),
            Record::MessageReceived { from, number } => {
                format!("received {} {number}", self.peer(*from))
            }
            Record::ChildEnded { child, status, .. } => {
                format!("{} {}", self.peer(*child), status.name())
            }
            Record::ParentFinished => "the parent finished".to_owned(),
            Record::DescendantsEnded => "ended its descendants".to_owned(),
            Record::MessageSent { target, message } => {
                format!("sent {} {}", self.peer(*target), said(message))
            }
            Record::HttpCall(record) => self.http_calls(seq, record),
            Record::IncidentRaised { element, incident } => {
                let action = incident
                    .action
                    .as_ref()
                    .map_or(String::new(), |(action, nr)| format!(" .{action}:{nr}"));
                format!("incident {} {}{action}", at(element), incident.code)
            }
            Record::Assigned {
                element,
                user: Some(user),
            } => format!("assigned {} to {user}", at(element)),
            Record::Assigned {
                element,
                user: None,
            } => format!("released {}", at(element)),
            Record::TaskScheduled {
                element,
                due,
                remind,
            } => {
                let remind = remind.map_or(String::new(), |remind| {
                    format!(", reminds {}", later(remind, now))
                });
                format!("scheduled {} {}{remind}", at(element), later(*due, now))
            }
            Record::Reminded { element, again } => {
                let again = again.map_or(String::new(), |again| {
                    format!(", again {}", later(again, now))
                });
                format!("reminded of {}{again}", at(element))
            }
            Record::Decided {
                element,
                approved,
                comment,
            } => {
                let decision = if *approved { "approved" } else { "rejected" };
                let comment = comment
                    .as_ref()
                    .map_or(String::new(), |comment| format!(" {comment:?}"));
                format!("{decision} {}{comment}", at(element))
            }
            Record::ActionSkipped {
                element,
                action,
                occurrence,
            } => format!("skipped {}.{action}:{occurrence}", at(element)),
            Record::CallSkipped { element } => format!("skipped the call of {}", at(element)),
            Record::Migrated(_) | Record::SubscriptionsRenewed { .. } => {
                migrated::written(record, self, now)
            }
            Record::TokenMoved { element, node } => format!("moved {} to {node}", at(element)),
            Record::Held => "held".to_owned(),
            Record::Unheld => "unheld".to_owned(),
            Record::IncidentsResolved { element, .. } => format!("resolved {}", at(element)),
            Record::Ended { status } => format!("ended {}", status.name()),
        }
    }

    fn http_calls(&self, seq: u64, record: &HttpCallRecord) -> String {
        let status =
            |status: &Option<u16>| status.map_or("-".to_owned(), |status| status.to_string());
        match record {
            HttpCallRecord::CallPlaced { call, request } => {
                let body = request
                    .body
                    .as_ref()
                    .map_or(String::new(), |body| format!(" {body}"));
                format!(
                    "placed {} {} {}{body}",
                    self.call(call),
                    request.method,
                    request.url
                )
            }
            HttpCallRecord::CallRepeated { call } => format!("placed {} again", self.call(call)),
            HttpCallRecord::CallAnswered {
                call,
                status: answered,
            } => {
                format!("answered {} {}", self.call(call), status(answered))
            }
            HttpCallRecord::WebhookPlaced { url } => format!("webhook[{seq}] {url}"),
        }
    }

    fn call(&self, call: &CallKey) -> String {
        let occurrence = if call.occurrence == 1 {
            String::new()
        } else {
            format!(":{}", call.occurrence)
        };
        format!("{}.{}{occurrence}", self.element(call.element), call.action)
    }

    fn push(&self, seq: u64, push: &Push) -> String {
        let body = self.peers_named(push.body.to_string());
        let origin = push.origin.map_or(String::new(), |origin| {
            format!(" from {}", self.peer(origin))
        });
        match push.kind {
            MessageType::Default => {
                format!("pushed {}.{} {}{origin}", push.node, push.action, body)
            }
            MessageType::Action => format!(
                "asked[{seq}] {}.{} {}{origin}",
                push.node, push.action, body
            ),
        }
    }

    /// A text with the names of children in place of their keys.
    fn peers_named(&self, text: String) -> String {
        let named =
            |text: String, &child| text.replace(&InstanceKey::to_string(&child), &self.peer(child));
        self.children.iter().fold(text, named)
    }

    /// The outcome of a step, as lines of a case: `>` records, `!` timers cleared, `?` ignored
    /// paths.
    pub fn outcome(&self, outcome: &StepOutcome) -> Vec<String> {
        let Some(row) = &outcome.row else {
            return vec!["> nothing".to_owned()];
        };
        let mut lines = wrapped(
            row.numbered()
                .map(|(seq, record)| self.record(seq, record, row.time))
                .collect(),
        );
        let cleared: Vec<String> = outcome
            .effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::ClearTimer(timer) => Some(self.timer(timer)),
                _ => None,
            })
            .collect();
        if !cleared.is_empty() {
            lines.push(format!("! cleared {}", cleared.join(", ")));
        }
        // The record of a response already shows that its call has ended.
        let answered = |record: &Record| matches!(record, Record::HttpCall(record) if matches!(**record, HttpCallRecord::CallAnswered { .. }));
        let forgotten = outcome
            .effects
            .iter()
            .filter(|effect| matches!(effect, Effect::ForgetCall(_)))
            .count();
        if forgotten > 0 && !row.records.iter().any(answered) {
            lines.push(format!("! withdrawn {forgotten}"));
        }
        if !row.ignored.is_empty() {
            lines.push(format!("? ignored {}", row.ignored.join(", ")));
        }
        lines
    }

    /// The next step with these permissions: `= node (assignee) read only: offered actions; back
    /// node.action`.
    pub fn next(&self, next: &NextStep, permissions: &Permissions) -> String {
        if !next.status.is_live() {
            let outcome = next
                .outcome
                .map_or(String::new(), |outcome| format!(", {}", outcome.name()));
            return format!("= {}{outcome}", next.status.name());
        }
        let mut parts: Vec<String> = Vec::new();
        if next.status != Status::Started {
            parts.push(next.status.name().to_owned());
        }
        let mine = || {
            next.offers
                .iter()
                .enumerate()
                .filter(|&(index, _)| permissions.offer(next, index))
                .map(|(_, offer)| offer)
        };
        for (index, token) in next.tokens.iter().enumerate() {
            let offers = mine().filter(|offer| offer.element == token.element);
            let offers: Vec<&str> = offers.map(|offer| &*offer.action).collect();
            let assignee = token
                .assignee
                .as_ref()
                .map_or(String::new(), |user| format!(" ({user})"));
            let moment = |name: &str, at: Option<Time>| {
                at.map_or(String::new(), |at| {
                    format!(" {name} {}", later(at, Time(0)))
                })
            };
            let times = format!(
                "{}{}",
                moment("due", token.due),
                moment("reminded", token.reminded)
            );
            let read_only = if permissions.token(index) {
                ""
            } else {
                " read only"
            };
            let incident = token
                .incident
                .as_ref()
                .map_or(String::new(), |incident| format!(" !{}", incident.code));
            let colon = if offers.is_empty() { "" } else { ": " };
            let element = self.element(token.element);
            parts.push(format!(
                "{element}{assignee}{times}{read_only}{incident}{colon}{}",
                offers.join(", ")
            ));
        }
        let back = mine().filter(|offer| offer.back);
        parts.extend(
            back.map(|offer| format!("back {}.{}", self.element(offer.element), offer.action)),
        );
        format!("= {}", parts.join("; "))
    }
}
