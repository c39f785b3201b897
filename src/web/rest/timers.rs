//! Armed timers of a tenant, the next one first: delayed actions, reminders, and the expiries of
//! instances. For operators. Schedules are not timers of an instance.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use serde::Serialize;
use utoipa::ToSchema;

use super::{json, query};
use crate::{
    engine::command::TimerKind,
    journal::{ListedTimer, TimerRow, TimerRowKey},
    model::ids::{ElementKey, InstanceKey, Time},
    web::{
        http::{app::App, problem::HttpProblem},
        rest::listing::{PlaceQuery, bad_cursor, cut, part_length, require_operator},
    },
};

/// A part of a list of timers, by due time.
#[derive(Serialize, ToSchema)]
#[schema(as = TimerList)]
struct Timers<'a> {
    timers: Vec<Timer<'a>>,
    /// The `cursor` of the next part, if there is one.
    next: Option<String>,
}

/// A timer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Timer<'a> {
    instance: InstanceKey,
    process: &'a str,
    kind: TimerUse,
    /// The element whose action is delayed, that waits for the event, or that reminds; absent for
    /// the expiry and for event subprocesses of the process itself.
    element: Option<String>,
    /// The action that is delayed.
    action: Option<&'a str>,
    /// The timer event: the element's node itself, a boundary event of it, an event behind it, or the
    /// start event of an event subprocess in it.
    node: Option<&'a str>,
    /// The index of the event definition at the node, from 0 in document order; absent for the
    /// first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    definition: Option<u8>,
    /// The number, from 1, of the action's triggering in its visit, of the reminder, or of the
    /// occurrence.
    occurrence: Option<u32>,
    #[schema(format = DateTime)]
    due_at: String,
}

/// The effect of a timer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum TimerUse {
    /// Does the work of an action.
    Action,
    /// Triggers a timer event.
    Event,
    /// Sends a reminder of a user task.
    Reminder,
    /// Ends its instance.
    Expiry,
}

impl<'a> From<&'a ListedTimer> for Timer<'a> {
    fn from(listed: &'a ListedTimer) -> Self {
        let TimerRow {
            due,
            key:
                TimerRowKey {
                    instance,
                    element,
                    kind,
                    occurrence,
                },
        } = &listed.timer;
        let definition = match kind {
            TimerKind::Event(event) => Some(event.definition).filter(|place| *place > 0),
            TimerKind::Action(_) | TimerKind::Reminder | TimerKind::Expiry => None,
        };
        let (kind, action, node) = match kind {
            TimerKind::Action(action) => (TimerUse::Action, Some(action.as_str()), None),
            TimerKind::Event(event) => (TimerUse::Event, None, Some(&*event.node)),
            TimerKind::Reminder => (TimerUse::Reminder, None, None),
            TimerKind::Expiry => (TimerUse::Expiry, None, None),
        };
        let expires = matches!(kind, TimerUse::Expiry);
        Self {
            instance: *instance,
            process: &listed.process,
            kind,
            element: element.map(|element| element.wire(*instance)),
            action,
            node,
            definition,
            occurrence: (!expires).then_some(*occurrence),
            due_at: due.to_string(),
        }
    }
}

/// `GET /v1/timers?process=&instance=&limit=&cursor=` → `{"timers","next"}`.
///
/// # Errors
/// 400, 401, 403 without role operator or admin.
#[utoipa::path(get, path = "/v1/timers", tag = "timers", operation_id = "listTimers", summary = "List \
    armed timers", params(PlaceQuery),
    responses((status = 200, body = Timers), (status = 403)))]
pub async fn list(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, HttpProblem> {
    let (principal, _) = app.user(&request)?;
    require_operator(&principal.caller)?;
    let parameters: PlaceQuery = query(request.query_string())?;
    let after = parameters
        .cursor
        .as_deref()
        .map(read_timer_cursor)
        .transpose()?;
    let limit = part_length(parameters.limit)?;
    let filter = parameters.filter(principal.caller.tenant.clone())?;
    let mut rows = app
        .read(&principal.caller, move |reader| {
            reader.timers(&filter, after.as_ref(), limit + 1)
        })
        .await?;
    let next = cut(&mut rows, limit).map(|listed| write_timer_cursor(&listed.timer));
    Ok(json(
        StatusCode::OK,
        &Timers {
            timers: rows.iter().map(Timer::from).collect(),
            next,
        },
    ))
}

/// The name comes last, because it may contain the separators.
fn write_timer_cursor(timer: &TimerRow) -> String {
    let TimerRowKey {
        instance,
        element,
        kind,
        occurrence,
    } = &timer.key;
    let (kind, name) = kind.parts();
    format!(
        "{}_{instance}_{}_{occurrence}_{kind}_{name}",
        timer.due.0,
        element.map_or(String::new(), |element| element.0.to_string())
    )
}

fn read_timer_cursor(text: &str) -> Result<TimerRow, HttpProblem> {
    let parse = || {
        let mut parts = text.splitn(6, '_');
        let mut part = || parts.next();
        let due = Time(part()?.parse().ok()?);
        let instance = part()?.parse().ok()?;
        let element = match part()? {
            "" => None,
            number => Some(ElementKey(number.parse().ok()?)),
        };
        let occurrence = part()?.parse().ok()?;
        let kind = TimerKind::from_parts(part()?, part()?)?;
        Some(TimerRow {
            due,
            key: TimerRowKey {
                instance,
                element,
                kind,
                occurrence,
            },
        })
    };
    parse().ok_or_else(bad_cursor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back() {
        let instance = InstanceKey(uuid::Uuid::from_u128(7));
        for element in [Some(ElementKey(12)), None] {
            let key = TimerRowKey {
                instance,
                element,
                kind: TimerKind::Action("re_mind.me".into()),
                occurrence: 3,
            };
            let timer = TimerRow { due: Time(-5), key };
            assert_eq!(
                read_timer_cursor(&write_timer_cursor(&timer)).unwrap(),
                timer
            );
        }
        for text in ["", "1", "____", "1_2_3_4_5_6"] {
            assert!(read_timer_cursor(text).is_err(), "{text}");
        }
    }
}
