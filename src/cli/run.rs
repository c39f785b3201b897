//! `stepwire run`: runs a manual action.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    access::Access,
    client::Client,
    exit::{Exit, Failure},
    payload,
    print::Printer,
    progress::Progress,
    wait,
};
use crate::config::{RunArguments, WaitArguments};

/// An action to run, and when to stop waiting afterwards.
pub struct ActionToRun {
    /// The command, with its id.
    pub frame: Value,
    /// The instance whose end is waited for; the action may belong to one of its subprocesses.
    pub root: Uuid,
    /// When to stop waiting.
    pub waiting: WaitArguments,
}

/// Runs the action, and waits if requested.
///
/// # Errors
/// The server refuses, or cannot be reached.
pub async fn run(
    run: RunArguments,
    access: Access,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let mut frame = json!({
        "type": "run",
        "id": run.payload.id.unwrap_or_else(Uuid::now_v7).to_string(),
        "instance": run.instance.to_string(),
        "action": run.action,
        "data": payload::read(run.payload.data_json.as_deref())?,
    });
    if let Some(element) = &run.element {
        frame["element"] = json!(element);
    }
    if let Some(seq) = run.if_seq {
        frame["ifSeq"] = json!(seq);
    }
    act(
        ActionToRun {
            frame,
            root: run.instance,
            waiting: run.waiting,
        },
        access,
        printer,
    )
    .await
}

/// Runs an action, and waits if requested.
///
/// # Errors
/// The server refuses, or cannot be reached.
pub async fn act(
    action: ActionToRun,
    access: Access,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let ActionToRun {
        frame,
        root,
        waiting,
    } = action;
    let id = frame["id"].as_str().unwrap_or_default().to_owned();
    let wanted = waiting.clone();
    wait::run(
        printer,
        &wanted,
        &id,
        async move |progress: &mut Progress| {
            let mut client = Client::connect(access).await?;
            let root = root.to_string();
            if waiting.wait {
                // Before the command, so that none of its consequences is missed.
                client.follow(&root, None, progress).await?;
            }
            let reply = client.command(frame, progress).await?;
            progress.set_root(&root, None);
            let outcome = wait::conclude(&mut client, &reply, &root, &waiting, progress).await?;
            client.close().await;
            Ok(outcome)
        },
    )
    .await
}
