//! `stepwire start`: starts a process.

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
use crate::config::StartArguments;

/// Starts a process, and waits if requested. The command keeps its id over every interruption, so
/// only one instance is started.
///
/// # Errors
/// The server refuses, or cannot be reached.
pub async fn start(
    start: StartArguments,
    access: Access,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let frame = frame(&start, access.token().is_none())?;
    let id = frame["id"].as_str().unwrap_or_default().to_owned();
    let waiting = start.waiting.clone();
    wait::run(
        printer,
        &start.waiting,
        &id,
        async move |progress: &mut Progress| {
            let mut client = Client::connect(access).await?;
            let reply = client.command(frame, progress).await?;
            let key = reply["result"]["instance"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            if let Some(token) = reply["result"]["token"].as_str() {
                client.use_token(token);
            }
            progress.set_root(&key, Some(&start.process));
            let outcome = wait::conclude(&mut client, &reply, &key, &waiting, progress).await?;
            client.close().await;
            Ok(outcome)
        },
    )
    .await
}

fn frame(start: &StartArguments, anonymous: bool) -> Result<Value, Failure> {
    let id = start.payload.id.unwrap_or_else(Uuid::now_v7);
    let mut frame = json!({
        "type": "start",
        "id": id.to_string(),
        "process": start.process,
        "data": payload::read(start.payload.data_json.as_deref())?,
        "subscribe": start.waiting.wait,
    });
    if let Some(key) = &start.business_key {
        frame["businessKey"] = json!(key);
    }
    if let Some(condition) = &start.condition {
        frame["startCondition"] = json!(condition);
    }
    if start.test {
        frame["test"] = json!(true);
    }
    if anonymous {
        frame["nonce"] = json!(nonce()?);
    }
    Ok(frame)
}

/// The secret of an anonymous start: repeating it gives another token for the instance.
///
/// # Errors
/// The system has no random bytes.
pub fn nonce() -> Result<String, Failure> {
    let mut secret = [0; 16];
    getrandom::fill(&mut secret)
        .map_err(|error| Failure::usage(format!("expected random bytes, but: {error}")))?;
    Ok(Uuid::from_bytes(secret).simple().to_string())
}
