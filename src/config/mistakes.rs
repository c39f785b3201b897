//! Mistakes in a configuration, in words: what is wrong in a TOML file, and variables of the
//! environment that look like options.

use clap::CommandFactory;

use super::command_line::CommandLine;
use crate::text::{json::wrong_type, spelling};

/// What is wrong, with the option and its line. The library's message is not shown as a whole: it quotes
/// the line, which may contain the secret.
pub(super) fn in_file(text: &str, error: &toml::de::Error) -> String {
    let line = error
        .span()
        .map_or(1, |span| 1 + text[..span.start].matches('\n').count());
    let message = error.message();
    if let Some((unknown, known)) = message
        .strip_prefix("unknown field `")
        .and_then(|rest| rest.split_once('`'))
    {
        let advice = spelling::nearest(unknown, known.split('`').skip(1).step_by(2))
            .map_or_else(String::new, |near| format!(": write `{near}`"));
        return format!(" `{unknown}` is not one{advice} (line {line})");
    }
    let before = text.lines().take(line);
    let (option, table) = before.fold((None, None), |(option, table), line| {
        match (name_in(line), header(line)) {
            (Some(name), _) => (Some(name), table),
            (None, Some(header)) => (None, Some(header)),
            (None, None) => (option, table),
        }
    });
    match (option, wrong_type(message)) {
        (Some(option), Some(_)) if is_secret(option, table) => {
            format!(" for `{option}` there is something else than a text in quotes (line {line})")
        }
        (Some(option), Some(words)) => format!(" for `{option}` {words} (line {line})"),
        (Some(option), None) => format!(" for `{option}`: {message} (line {line})"),
        (None, _) => format!(": {message} (line {line})"),
    }
}

/// The option that a line sets; other lines continue a list.
fn name_in(line: &str) -> Option<&str> {
    let (name, _) = line.split_once('=')?;
    Some(name.trim()).filter(|name| is_name(name))
}

/// The name of the table that a line begins.
fn header(line: &str) -> Option<&str> {
    let name = line.trim().strip_prefix('[')?.strip_suffix(']')?;
    Some(name.trim()).filter(|name| is_name(name))
}

fn is_name(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !text.is_empty() && text.chars().all(is_part)
}

/// Whether the value of an option, in this table of the file if in any, must not be shown.
fn is_secret(option: &str, table: Option<&str>) -> bool {
    let top = table.unwrap_or(option).split('.').next();
    let command = CommandLine::command();
    let mut hidden = command
        .get_arguments()
        .filter(|argument| argument.is_hide_env_values_set())
        .filter_map(|argument| argument.get_long());
    top == Some("secrets") || hidden.any(|name| Some(name) == top)
}

/// The variables of the environment that look like mistyped options, each with the option that was
/// probably meant.
pub fn mistyped_variables(names: impl IntoIterator<Item = String>) -> Vec<(String, String)> {
    let command = CommandLine::command();
    let all = std::iter::once(&command)
        .chain(command.get_subcommands())
        .flat_map(clap::Command::get_arguments);
    let known: Vec<&str> = all
        .filter_map(|argument| argument.get_env()?.to_str())
        .collect();
    let is_foreign = |name: &String| {
        name.starts_with("STEPWIRE_")
            && !name.starts_with("STEPWIRE_SECRET_")
            && !known.contains(&name.as_str())
    };
    names
        .into_iter()
        .filter(is_foreign)
        .filter_map(|name| {
            let near = spelling::nearest(&name, known.iter().copied())?.to_owned();
            Some((name, near))
        })
        .collect()
}
