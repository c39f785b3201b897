//! `stepwire approve`: finds the waiting approval, and approves or rejects it.
//!
//! An approval is a user task with the manual actions `approve` and `reject`; one that waits in a
//! subprocess is found, too.

use std::collections::VecDeque;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    access::Access,
    exit::{Exit, Failure},
    followed::is_live,
    in_time, payload,
    print::{Printer, list, node_text},
    rest::Rest,
    run::{ActionToRun, act},
};
use crate::config::ApproveArguments;

/// Number of instances of one tree that are searched.
const INSTANCES_SEARCHED: usize = 100;

/// A waiting approval.
struct OpenApproval {
    instance: String,
    element: String,
}

/// Approves or rejects, and waits if requested.
///
/// # Errors
/// There is no waiting approval, or more than one; the server refuses; no server.
pub async fn approve(
    approve: ApproveArguments,
    access: Access,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let mut data = payload::read(approve.payload.data_json.as_deref())?;
    if let Some(comment) = &approve.comment {
        data["comment"] = json!(comment);
    }
    let mut rest = Rest::new(access)?;
    let found = in_time(printer.timeout, find(&mut rest, approve.instance)).await?;
    let OpenApproval { instance, element } = choose(found, approve.element.as_deref())?;
    let frame = json!({
        "type": "run",
        "id": approve.payload.id.unwrap_or_else(Uuid::now_v7).to_string(),
        "instance": instance,
        "action": if approve.reject { "reject" } else { "approve" },
        "element": element,
        "data": data,
    });
    act(
        ActionToRun {
            frame,
            root: approve.instance,
            waiting: approve.waiting,
        },
        rest.into_access(),
        printer,
    )
    .await
}

/// The waiting approvals of the tree, and the positions of its instances.
struct Found {
    approvals: Vec<OpenApproval>,
    positions: Vec<String>,
}

async fn find(rest: &mut Rest, root: Uuid) -> Result<Found, Failure> {
    let mut found = Found {
        approvals: Vec::new(),
        positions: Vec::new(),
    };
    let mut left = VecDeque::from([root.to_string()]);
    for _ in 0..INSTANCES_SEARCHED {
        let Some(key) = left.pop_front() else { break };
        let instance = rest.get(&format!("/v1/instances/{key}")).await?;
        let offered = |name: &str| -> Vec<&str> {
            let actions = list(&instance["actions"])
                .iter()
                .filter(|action| action["name"] == name && action["back"] != true);
            actions
                .filter_map(|action| action["element"].as_str())
                .collect()
        };
        let rejects = offered("reject");
        for element in offered("approve")
            .into_iter()
            .filter(|element| rejects.contains(element))
        {
            found.approvals.push(OpenApproval {
                instance: key.clone(),
                element: element.to_owned(),
            });
        }
        let status = instance["status"].as_str().unwrap_or_default();
        let nodes: Vec<String> = list(&instance["nodes"]).iter().map(node_text).collect();
        found.positions.push(if nodes.is_empty() {
            format!("is {status}")
        } else {
            format!("is at {}", nodes.join(", "))
        });
        let live = |child: &&Value| child["status"].as_str().is_some_and(is_live);
        left.extend(
            list(&instance["children"])
                .iter()
                .filter(live)
                .filter_map(|child| child["instance"].as_str())
                .map(str::to_owned),
        );
    }
    Ok(found)
}

fn choose(found: Found, wanted: Option<&str>) -> Result<OpenApproval, Failure> {
    let Found {
        mut approvals,
        positions,
    } = found;
    if let Some(wanted) = wanted {
        approvals.retain(|approval| approval.element == wanted);
    }
    let all: Vec<String> = approvals
        .iter()
        .map(|approval| format!("\n  --element {}", approval.element))
        .collect();
    let sentence = match approvals.len() {
        1 => return Ok(approvals.remove(0)),
        0 => format!(
            "expected an instance that waits for your approval, but it {}: 'stepwire show' lists \
            the available actions",
            positions.join(", and one of its subprocesses ")
        ),
        count => format!(
            "expected one waiting approval, but there are {count}: name one of{}",
            all.concat()
        ),
    };
    Err(Failure::new(Exit::Refused, sentence))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(elements: &[&str]) -> Found {
        let approvals = elements
            .iter()
            .map(|element| OpenApproval {
                instance: "k".into(),
                element: (*element).into(),
            })
            .collect();
        Found {
            approvals,
            positions: vec!["is at Review (review)".into()],
        }
    }

    #[test]
    fn a_single_approval_is_chosen_and_one_of_several_must_be_named() {
        assert_eq!(
            choose(waiting(&["k-1"]), None)
                .ok()
                .map(|found| found.element)
                .as_deref(),
            Some("k-1")
        );
        assert_eq!(
            choose(waiting(&["k-1", "k-2"]), Some("k-2"))
                .ok()
                .map(|found| found.element)
                .as_deref(),
            Some("k-2")
        );
        let refused = |elements: &[&str], wanted| {
            choose(waiting(elements), wanted)
                .err()
                .map(|failure| failure.message)
                .unwrap()
        };
        assert!(refused(&["k-1", "k-2"], None).contains("--element k-2"));
        assert!(refused(&[], None).contains("but it is at Review"));
        assert!(refused(&["k-1"], Some("k-9")).starts_with("expected "));
    }
}
