//! The effective settings of the server, option by option: each value and its source. Secrets are
//! listed without their values.
//!
//! Derived from the grammar of the command line, so a new option appears by itself. Not here: the
//! meaning of an option (`options`).

use std::collections::BTreeMap;

use clap::{Arg, ArgMatches, Command, parser::ValueSource};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Config, command_line::SERVER_OPTIONS};

/// The source of a value, in order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum SettingSource {
    /// A flag of the command line.
    CommandLine,
    /// A variable of the environment.
    Environment,
    /// A key of the configuration file.
    File,
    /// Not set anywhere.
    Default,
}

/// An option and its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Setting {
    /// Its name: that of the flag without leading dashes, and of the key in the file.
    pub name: String,
    /// Its variable of the environment.
    pub variable: String,
    /// Its description, with its default.
    pub description: String,
    /// The effective value; absent for a secret that was given, and for an option without a value.
    pub value: Option<String>,
    /// The source of the value.
    pub source: SettingSource,
    /// Whether its value is kept secret.
    pub secret: bool,
}

/// The options as given, before they are checked.
pub(super) struct GivenOptions {
    options: Vec<Setting>,
}

impl GivenOptions {
    /// The options in `grammar` that the command line and the environment set.
    pub(super) fn new(grammar: &Command, matches: &ArgMatches) -> Self {
        let is_option = |arg: &&Arg| arg.get_help_heading() == Some(SERVER_OPTIONS);
        let options = grammar.get_arguments().filter(is_option);
        Self {
            options: options.map(|arg| given(arg, matches)).collect(),
        }
    }

    /// Adds those that only the file sets.
    pub(super) fn with_file(mut self, file: &toml::Table) -> Self {
        for option in &mut self.options {
            let is_open = option.source == SettingSource::Default;
            if let Some(value) = file.get(&option.name).filter(|_| is_open) {
                option.source = SettingSource::File;
                option.value = (!option.secret).then(|| shown(value));
            }
        }
        self
    }

    /// Adds the effective values of options that were not set, or were set in another form.
    pub(super) fn settle(self, config: &Config, file: &toml::Table) -> Vec<Setting> {
        let settled: BTreeMap<&str, String> = settled(config).into();
        let mut options = self.options;
        for option in &mut options {
            if let Some(value) = settled.get(&*option.name) {
                option.value = Some(value.clone());
            } else if option.source == SettingSource::Default {
                option.value = default_in(&option.description);
            }
        }
        options.push(secrets(config, file));
        options.sort_by(|a, b| a.name.cmp(&b.name));
        options
    }
}

fn given(arg: &Arg, matches: &ArgMatches) -> Setting {
    let id = arg.get_id().as_str();
    let source = match matches.value_source(id) {
        Some(ValueSource::CommandLine) => SettingSource::CommandLine,
        Some(ValueSource::EnvVariable) => SettingSource::Environment,
        _ => SettingSource::Default,
    };
    let secret = arg.is_hide_env_values_set();
    let texts = matches.get_raw(id).into_iter().flatten();
    let texts: Vec<_> = texts.map(|text| text.to_string_lossy()).collect();
    Setting {
        name: id.replace('_', "-"),
        variable: arg
            .get_env()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
        description: arg.get_help().map(ToString::to_string).unwrap_or_default(),
        value: (source != SettingSource::Default && !secret).then(|| texts.join(",")),
        source,
        secret,
    }
}

fn shown(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(list) => list.iter().map(shown).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// The default mentioned in a description.
fn default_in(description: &str) -> Option<String> {
    let (_, rest) = description.split_once("[default: ")?;
    let (default, _) = rest.rsplit_once(']')?;
    Some(default.to_owned()).filter(|default| default != "none")
}

/// Options whose value depends on others or on the machine, or that can be written in several ways.
fn settled(config: &Config) -> [(&'static str, String); 8] {
    let listen: Vec<_> = config.listen.iter().map(ToString::to_string).collect();
    [
        ("listen", listen.join(",")),
        ("data", config.data.display().to_string()),
        ("workers", config.workers.to_string()),
        ("test-clock", config.test_clock.to_string()),
        ("no-examples", (!config.examples).to_string()),
        ("sign-in-link", config.sign_in_link.to_string()),
        ("access-log", config.access_log.to_string()),
        ("production", config.production.to_string()),
    ]
}

/// The secrets for headers of calls: there is no flag for them.
fn secrets(config: &Config, file: &toml::Table) -> Setting {
    let names: Vec<&str> = config.secrets.0.keys().map(String::as_str).collect();
    let in_file = file.get("secrets").and_then(toml::Value::as_table);
    let is_in_file = |name: &&str| in_file.is_some_and(|table| table.contains_key(*name));
    let source = match names.iter().all(is_in_file) {
        _ if names.is_empty() => SettingSource::Default,
        true => SettingSource::File,
        false => SettingSource::Environment,
    };
    Setting {
        name: "secrets".into(),
        variable: "STEPWIRE_SECRET_NAME".into(),
        description: "Secrets for headers of HTTP calls; only their names are shown".into(),
        value: (!names.is_empty()).then(|| names.join(",")),
        source,
        secret: true,
    }
}
