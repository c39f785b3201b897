//! What follows an attempt: the response goes to the instance, or the next attempt is scheduled, or
//! the call is given up.
//!
//! The place of a call is given back when the result is durable, so no call is begun twice.

use std::{sync::Arc, time::Duration};

use super::{
    RunningCall,
    retry::{WEBHOOK_PAUSES, after, pause},
    sender::Failed,
};
use crate::{
    engine::{
        Command,
        http_call::{CallAnswer, CallFailure, HttpCallRequest, Response},
    },
    journal::{Busy, CallAttempts, CallChange, HttpCallRow, NotWritten, StoreError, Written},
    runtime::{
        QUEUE_AGAIN, ROOM_AGAIN, Runtime,
        instance_request::{Envelope, InstanceRequest, InstanceResponse, ReplyTo},
    },
};

/// The pause before a response that could not be taken is handed over again.
const AGAIN: Duration = Duration::from_millis(50);
/// How often a response is handed over to an instance whose steps fail.
const HAND_OVERS: u32 = 8;
/// The pause before a call is made again because its instance could not take the response: it
/// cannot be loaded, or its steps fail.
const UNTAKEN_PAUSE: Duration = Duration::from_secs(60);
/// The status with which a receiver of webhooks asks to get no more.
const NO_MORE_STATUS: u16 = 410;

/// Decides the consequence of an attempt.
pub(super) fn conclude(
    running: RunningCall,
    row: &HttpCallRow,
    request: &HttpCallRequest,
    tried: Result<Response, Failed>,
) {
    let attempts = row.tried.attempts.saturating_add(1);
    let now = running.runtime.clock.now();
    match (request, tried) {
        (HttpCallRequest::Webhook(_), Ok(_)) => note(running, CallChange::Forgotten),
        (HttpCallRequest::Webhook(_), Err(failed)) => retry_webhook(running, row, failed),
        (HttpCallRequest::Http(http), Err(failed))
            if failed.again && row.tried.attempts < http.retries =>
        {
            let due = Some(after(now, pause(http.backoff_ms, attempts, failed.wait)));
            note(
                running,
                CallChange::Attempted(CallAttempts {
                    attempts,
                    due,
                    problem: Some(failed.message),
                }),
            );
        }
        (HttpCallRequest::Http(_), Err(failed)) => {
            let tries = if attempts > 1 {
                format!(" (after {attempts} tries)")
            } else {
                String::new()
            };
            let message = format!("{}{tries}; retry sends it again", failed.message);
            deliver(
                running,
                row,
                CallAnswer::Failed {
                    failure: failed.failure,
                    status: failed.status,
                    message,
                },
            );
        }
        (HttpCallRequest::Http(_), Ok(response)) => {
            deliver(running, row, CallAnswer::Answered(response))
        }
    }
}

/// Repeats a failed notification of a webhook after a pause, or gives it up.
fn retry_webhook(running: RunningCall, row: &HttpCallRow, failed: Failed) {
    let attempts = row.tried.attempts.saturating_add(1);
    let pause = WEBHOOK_PAUSES
        .get(row.tried.attempts as usize)
        .filter(|_| failed.status != Some(NO_MORE_STATUS));
    let Some(pause) = pause else {
        log::warn!(
            "instance {}: the webhook to {} is given up after {attempts} tries",
            row.instance,
            row.host
        );
        return give_up(running, attempts, failed.message);
    };
    let now = running.runtime.clock.now();
    let due = after(now, failed.wait.unwrap_or_default().max(*pause));
    note(
        running,
        CallChange::Attempted(CallAttempts {
            attempts,
            due: Some(due),
            problem: Some(failed.message),
        }),
    );
}

/// A call whose row cannot be read has failed, for the instance that waits for it; if none waits,
/// it is given up.
pub(super) fn unreadable(running: RunningCall, row: &HttpCallRow, error: &StoreError) {
    match row.action {
        Some(_) => deliver(
            running,
            row,
            CallAnswer::Failed {
                failure: CallFailure::Failed,
                status: None,
                message: error.to_string(),
            },
        ),
        None => give_up(running, row.tried.attempts, error.to_string()),
    }
}

/// Keeps a call that was given up in the table, for operators.
fn give_up(running: RunningCall, attempts: u32, problem: String) {
    note(
        running,
        CallChange::Attempted(CallAttempts {
            attempts,
            due: None,
            problem: Some(problem),
        }),
    );
}

/// Hands a response to its instance until that has taken it or no longer needs it. If the steps of
/// the instance fail, the call is made again later, so that it does not occupy a place.
fn deliver(running: RunningCall, row: &HttpCallRow, answer: CallAnswer) {
    hand_over(running, row.tried.attempts, answer, HAND_OVERS);
}

fn hand_over(running: RunningCall, attempts: u32, answer: CallAnswer, left: u32) {
    let runtime = running.runtime.clone();
    let (instance, number) = running.id;
    let command = Box::new(Command::TakeAnswer {
        number,
        answer: Box::new(answer.clone()),
        trace: running.trace.clone(),
    });
    let later = runtime.clone();
    let reply = ReplyTo::to(move |answered| match answered {
        InstanceResponse::Refused(refusal) if refusal.is_breakage() && left == 0 => {
            let due = Some(after(running.runtime.clock.now(), UNTAKEN_PAUSE));
            let problem = Some(
                "expected the instance to take the answer, but it failed with an internal error: \
                the log says why"
                    .to_owned(),
            );
            note(
                running,
                CallChange::Attempted(CallAttempts {
                    attempts,
                    due,
                    problem,
                }),
            );
        }
        // Its row has removed the call from the table.
        InstanceResponse::Applied(_) => drop(running),
        answered => match &answered {
            InstanceResponse::Refused(refusal) if let Some(pause) = refusal.again_after(AGAIN) => {
                let left = left - u32::from(refusal.is_breakage());
                later.later(pause, move || hand_over(running, attempts, answer, left));
            }
            // No instance waits for it.
            _ => note(running, CallChange::Forgotten),
        },
    });
    runtime.dispatch(
        instance,
        Envelope {
            caller: None,
            request: InstanceRequest::Apply {
                command,
                tag: None,
                if_seq: None,
            },
            reply,
        },
    );
}

/// Updates the table for a call.
fn note(running: RunningCall, change: CallChange) {
    let runtime: Arc<Runtime> = running.runtime.clone();
    let active = runtime.active();
    match runtime.journal.reserve() {
        Ok(slot) => {
            let (instance, seq) = running.id;
            let again = (runtime.clone(), change.clone());
            let noted = move |written: Written| {
                if written == Err(NotWritten::NoRoom) {
                    let (runtime, change) = again;
                    runtime.later(ROOM_AGAIN, move || note(running, change));
                } else {
                    drop(running);
                }
                drop(active);
            };
            slot.http_call(instance, seq, change, Box::new(noted));
        }
        Err(Busy) => runtime.later(QUEUE_AGAIN, move || note(running, change)),
    }
}
