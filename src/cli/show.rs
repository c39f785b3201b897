//! `stepwire show`: prints the state of an instance.

use super::{
    access::Access,
    exit::{Exit, Failure},
    print::{Printer, step},
    rest::Rest,
};
use crate::config::ShowArguments;

/// Prints it.
///
/// # Errors
/// The server refuses, or cannot be reached.
pub async fn show(
    show: ShowArguments,
    access: Access,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let found = Rest::new(access)?
        .get(&format!("/v1/instances/{}", show.instance))
        .await?;
    let of = |name: &str| {
        found[name]
            .as_str()
            .map(|value| format!("  {name}: {value}\n"))
            .unwrap_or_default()
    };
    let version = found["version"]
        .as_u64()
        .map(|version| format!(" version {version}"))
        .unwrap_or_default();
    let process = found["process"].as_str().unwrap_or_default();
    let more = ["businessKey", "startedBy", "createdAt", "endedAt", "parent"]
        .map(of)
        .concat();
    let view = if found["view"]
        .as_object()
        .is_some_and(|view| !view.is_empty())
    {
        format!("  view: {}\n", found["view"])
    } else {
        String::new()
    };
    let text = format!(
        "{}\n  process: {process}{version}\n{more}{view}",
        step(&found)
    );
    printer.result(text.trim_end(), &found)?;
    Ok(Exit::Done)
}
