//! `stepwire stop`: ends instances together with their children.

use serde_json::json;
use uuid::Uuid;

use super::{
    access::Access,
    client::Client,
    exit::{Exit, Failure},
    print::{Printer, limited},
    progress::Progress,
};
use crate::config::StopArguments;

/// Ends each instance; one that cannot be ended does not stop the others.
///
/// # Errors
/// No server, or the time is over.
pub async fn stop(
    stop: StopArguments,
    access: Access,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let limit = printer.timeout;
    let ended = limited(limit, async {
        let mut client = Client::connect(access).await?;
        let mut exit = Exit::Done;
        for instance in &stop.instances {
            let key = instance.to_string();
            let frame =
                json!({"type": "terminate", "id": Uuid::now_v7().to_string(), "instance": key});
            match client.command(frame, &mut Progress::silent()).await {
                Ok(reply) => {
                    let result =
                        json!({"instance": key, "exit": "terminated", "seq": reply["seq"]});
                    printer.result(&format!("{key}  terminated"), &result)?;
                }
                Err(failure) if failure.exit == Exit::Refused => {
                    let message = format!("{key}: {}", failure.message);
                    printer.failure(&Failure { message, ..failure });
                    exit = Exit::Refused;
                }
                Err(failure) => return Err(failure),
            }
        }
        client.close().await;
        Ok(exit)
    });
    let out_of_time = || {
        Failure::new(
            Exit::TimedOut,
            "expected all instances to end in time, but some have not: stop them again",
        )
    };
    ended.await.ok_or_else(out_of_time)?
}
