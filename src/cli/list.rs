//! `stepwire list`: lists instances, newest first; with `--json` one line for each.

use serde_json::Value;

use super::{
    access::Access,
    exit::{Exit, Failure},
    print::{self, Printer},
    rest::{Rest, query},
};
use crate::config::ListArguments;

/// Lists them.
///
/// # Errors
/// The server refuses, or cannot be reached.
pub async fn list(
    list: ListArguments,
    access: Access,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let mut rest = Rest::new(access)?;
    let filter = Filter {
        process: list.process.as_deref(),
        status: list.status.as_deref(),
        business_key: list.business_key.as_deref(),
    };
    let mut pages = InstancePages::new(filter);
    let mut left = list.limit;
    while left > 0
        && let Some(page) = pages.next(&mut rest).await?
    {
        for entry in page.into_iter().take(left) {
            printer.result(&line(&entry), &entry)?;
            left -= 1;
        }
    }
    Ok(Exit::Done)
}

fn line(entry: &Value) -> String {
    let of = |name: &str| entry[name].as_str().unwrap_or_default();
    let incidents = entry["incidents"]
        .as_u64()
        .filter(|count| *count > 0)
        .map(|count| format!("  {count} incidents"));
    let line = format!(
        "{}  {:24}  {:20}  {:10}  {}{}",
        of("instance"),
        of("createdAt"),
        of("process"),
        print::status(entry),
        of("businessKey"),
        incidents.unwrap_or_default()
    );
    // One line each, even if the business key has several lines.
    line.trim_end().replace('\n', "\\n")
}

/// Filter of instances.
#[derive(Clone, Copy, Default)]
pub struct Filter<'a> {
    /// Of this process.
    pub process: Option<&'a str>,
    /// With this status.
    pub status: Option<&'a str>,
    /// With this business key.
    pub business_key: Option<&'a str>,
}

/// A list, fetched in parts.
pub struct InstancePages<'a> {
    filter: Filter<'a>,
    cursor: Option<String>,
    done: bool,
}

impl<'a> InstancePages<'a> {
    /// Starts at the beginning.
    pub fn new(filter: Filter<'a>) -> Self {
        Self {
            filter,
            cursor: None,
            done: false,
        }
    }

    /// The next part; `None` after the last one.
    ///
    /// # Errors
    /// The server refuses, or cannot be reached.
    pub async fn next(&mut self, rest: &mut Rest) -> Result<Option<Vec<Value>>, Failure> {
        if self.done {
            return Ok(None);
        }
        let Filter {
            process,
            status,
            business_key,
        } = self.filter;
        let cursor = self.cursor.as_deref();
        let filter = query(&[
            ("process", process),
            ("status", status),
            ("businessKey", business_key),
            ("cursor", cursor),
        ]);
        let mut page = rest.get(&format!("/v1/instances?{filter}")).await?;
        self.cursor = page["next"].as_str().map(str::to_owned);
        self.done = self.cursor.is_none();
        match page["instances"].take() {
            Value::Array(entries) => Ok(Some(entries)),
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_instance_is_one_line() {
        let entry = json!({"instance": "k", "createdAt": "t", "process": "p", "status": "started", "businessKey": "b\nforged"});
        assert_eq!(
            line(&entry),
            format!("k  {:24}  {:20}  {:10}  b\\nforged", "t", "p", "started")
        );
    }
}
