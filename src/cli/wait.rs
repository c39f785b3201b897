//! Common parts of the commands that move an instance: send, wait by push if requested, print the
//! outcome.

use serde_json::{Value, json};

use super::{
    client::Client,
    exit::{Exit, Failure},
    print::{self, Printer, limited},
    progress::Progress,
};
use crate::config::{Until, WaitArguments};

/// The outcome of a command.
pub struct WaitOutcome {
    exit: Exit,
    result: Value,
}

/// Runs `work` within the time-out, and prints its outcome. `id` is that of the command.
///
/// # Errors
/// The server refuses or cannot be reached, or the time is over before anything is known.
pub async fn run(
    printer: &mut Printer,
    waiting: &WaitArguments,
    id: &str,
    work: impl AsyncFnOnce(&mut Progress) -> Result<WaitOutcome, Failure>,
) -> Result<Exit, Failure> {
    let mut progress = if waiting.wait {
        printer.progress()
    } else {
        Progress::silent()
    };
    let done = limited(printer.timeout, work(&mut progress)).await;
    progress.close();
    let WaitOutcome { exit, result } = match done {
        Some(outcome) => outcome?,
        None => time_is_up(&progress, id)?,
    };
    printer.result(&print::step(&result), &result)?;
    if exit == Exit::TimedOut {
        let key = result["instance"].as_str().unwrap_or_default();
        printer.note(&format!(
            "timeout; the instance continues: 'stepwire watch {key}' follows it"
        ));
    }
    Ok(exit)
}

fn time_is_up(progress: &Progress, id: &str) -> Result<WaitOutcome, Failure> {
    let exit = Exit::TimedOut;
    match progress.result(exit) {
        Some(result) => Ok(WaitOutcome { exit, result }),
        None => Err(Failure::new(
            exit,
            format!(
                "expected an answer in time, but none has arrived: repeat the command with --id \
                {id}; it is never done twice"
            ),
        )),
    }
}

/// After the reply to a command: gives the next step, or with `--wait` the state of the instance
/// `key` when it has ended.
///
/// # Errors
/// Same as [`Client::next`].
pub async fn conclude(
    client: &mut Client,
    reply: &Value,
    key: &str,
    waiting: &WaitArguments,
    progress: &mut Progress,
) -> Result<WaitOutcome, Failure> {
    let mut result = reply["result"].clone();
    for name in ["id", "seq", "duplicate"] {
        result[name] = reply[name].clone();
    }
    if !waiting.wait {
        result["exit"] = json!(Exit::Done.name());
        return Ok(WaitOutcome {
            exit: Exit::Done,
            result,
        });
    }
    client.follow_started(key, progress).await?;
    loop {
        if let Some(exit) = progress.exit(waiting.until == Until::Waiting) {
            let mut end = progress.result(exit).unwrap_or_default();
            end["id"] = reply["id"].clone();
            return Ok(WaitOutcome { exit, result: end });
        }
        client.next(progress).await?;
    }
}
