//! Mistakes in a configuration, in words: what is wrong in a TOML file, and variables of the
//! environment that look like options.

use clap::CommandFactory;

use super::command_line::CommandLine;
use crate::text::{json::wrong_type, spelling};

/// What is wrong, with the option and its line. The library's message is not shown as a whole: it quotes
/// the line, which may contain the secret.
pub(super) fn in_file(text: &str, error: &toml::de::Error) -> String {
    let place = error
        .span()
        .map_or(0, |span| text[..span.start].matches('\n').count());
    let line = place + 1;
    let message = error.message();
    if let Some((unknown, known)) = message
        .strip_prefix("unknown field `")
        .and_then(|rest| rest.split_once('`'))
    {
        let advice = spelling::nearest(unknown, known.split('`').skip(1).step_by(2))
            .map_or_else(String::new, |near| format!(": write `{near}`"));
        return format!(" `{unknown}` is none{advice} (line {line})");
    }
    let option = text
        .lines()
        .nth(place)
        .and_then(|line| line.split_once('='))
        .map(|(name, _)| name.trim());
    match (option, wrong_type(message)) {
        (Some(option), Some(words)) => format!(" for `{option}` {words} (line {line})"),
        (Some(option), None) => format!(" for `{option}`: {message} (line {line})"),
        (None, _) => format!(": {message} (line {line})"),
    }
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
