//! `stepwire patch`: corrects the data of an instance.

use serde_json::json;
use uuid::Uuid;

use super::{
    access::Access,
    exit::{Exit, Failure},
    payload,
    print::Printer,
    run::{ActionToRun, act},
};
use crate::config::{PatchArguments, Until, WaitArguments};

/// Merges the values into the data.
///
/// # Errors
/// The server refuses, or cannot be reached.
pub async fn patch(
    patch: PatchArguments,
    access: Access,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let mut frame = json!({
        "type": "patch",
        "id": patch.id.unwrap_or_else(Uuid::now_v7).to_string(),
        "instance": patch.instance.to_string(),
        "data": payload::read(Some(&patch.data_json))?,
    });
    if let Some(scope) = patch.scope {
        frame["scope"] = json!(scope);
    }
    if let Some(seq) = patch.if_seq {
        frame["ifSeq"] = json!(seq);
    }
    // A patch does not move the instance, so there is nothing to wait for.
    let waiting = WaitArguments {
        wait: false,
        until: Until::End,
    };
    act(
        ActionToRun {
            frame,
            root: patch.instance,
            waiting,
        },
        access,
        printer,
    )
    .await
}
