//! The configuration of the server: command line and environment, then a TOML file, then defaults.
//!
//! Not here: the limits themselves (`limits`). The individual options: `options`; the file of
//! the secret: `secret`; parsing and bounds: `parsed_options`; the `Origin` allow-list: `origins`; proxies: `trusted_proxies`;
//! requirements of production: `production`; the other commands of the program: `command_line`.

use std::{
    ffi::OsString,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use crate::{
    duration,
    limits::{Adjustments, Limits, Retention, Watermarks},
    text,
};
use command_line::CommandLine;
use config_error::ConfigFaults;
use parsed_options::ParsedOptions;
use settings::GivenOptions;

mod backup_command;
mod choices;
mod client_command;
mod command_line;
mod config_error;
mod date_time_format;
mod http_calls;
mod key_source;
mod mistakes;
mod numbers;
mod options;
mod origins;
mod otlp;
mod parsed_options;
mod production;
mod rates;
mod retention;
mod scenario_command;
mod secret;
mod settings;
mod shell_documents;
mod trusted_proxies;
mod user_command;

pub use backup_command::{BackupCommand, DoctorCommand, ProgressFormat, RestoreCommand};
pub use choices::{JwtAlgorithm, LogFormat, StoreKind};
pub use client_command::{
    ApproveArguments, CheckArguments, ClientCommand, CommonArguments, DefinitionText,
    DeployArguments, ExportArguments, Hidden, ListArguments, MigrateArguments, PatchArguments,
    PayloadArguments, PublishArguments, RunArguments, ShowArguments, StartArguments, StopArguments,
    Until, WaitArguments, WatchArguments,
};
pub use command_line::{ProgramCommand, TokenRequest};
pub use config_error::ConfigError;
pub use date_time_format::DateTimeFormat;
pub use http_calls::{Secrets, WEBHOOK_SECRET_FILE, WebhookSecret};
pub use key_source::KeySource;
pub use mistakes::mistyped_variables;
pub use options::Options;
pub use origins::AllowedOrigins;
pub use otlp::Otlp;
pub use scenario_command::{PlayScenarios, UserToken};
pub use secret::{JwtSecret, SECRET_FILE, unusable_secrets};
pub use settings::{Setting, SettingSource};
pub use shell_documents::{CompletionsCommand, ManCommand};
pub use trusted_proxies::TrustedProxies;
pub use user_command::UserCommand;

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Addresses to listen on: those to which the host of the option resolves.
    pub listen: Vec<SocketAddr>,
    /// Directory of everything the server keeps.
    pub data: PathBuf,
    /// Where process instances are kept.
    pub store: StoreKind,
    /// When the disk of the data directory has little free space.
    pub watermarks: Watermarks,
    /// When what has ended is packed and dropped.
    pub retention: Retention,
    /// The source of the secret of the tokens.
    pub jwt_secret: JwtSecret,
    /// Issuer that tokens must name, when set.
    pub jwt_issuer: Option<String>,
    /// Audience that tokens must name, when set.
    pub jwt_audience: Option<String>,
    /// The source of the public keys of an external issuer whose tokens are also accepted.
    pub jwt_jwks: Option<KeySource>,
    /// Algorithms accepted for tokens of that issuer.
    pub jwt_algorithms: Vec<JwtAlgorithm>,
    /// Claim that lists the roles, when it is not `roles`.
    pub jwt_roles_claim: Option<String>,
    /// The longest remaining lifetime of a token.
    pub max_token_lifetime: std::time::Duration,
    /// The origins whose pages may connect.
    pub allowed_origins: AllowedOrigins,
    /// The proxies whose forwarding headers are trusted.
    pub trusted_proxies: TrustedProxies,
    /// The allowed targets of calls by processes, as written; parsed when the server starts.
    pub outbound_targets: Vec<String>,
    /// The secrets that headers of calls may name.
    pub secrets: Secrets,
    /// The source of the secret that signs webhooks.
    pub webhook_secret: WebhookSecret,
    /// The destination of spans, if any.
    pub otlp: Option<Otlp>,
    /// The date format of the jobs interface.
    pub jobs_date_time_format: DateTimeFormat,
    /// The limits with an option of their own.
    pub limits: Limits,
    /// The limits that were set by name. They belong to the process: whoever starts a server applies
    /// them first.
    pub named_limits: Adjustments,
    /// Threads that run instances and connections; at least 1.
    pub workers: usize,
    /// Whether clients with role admin may set the process time.
    pub test_clock: bool,
    /// Whether the example processes are deployed.
    pub examples: bool,
    /// Files of processes to deploy at the start.
    pub deploy: Vec<PathBuf>,
    /// Whether a link that signs an administrator in is printed at the start.
    pub sign_in_link: bool,
    /// The format of log lines.
    pub log_format: LogFormat,
    /// Whether each answered request is logged.
    pub access_log: bool,
    /// Whether settings that are fit only for development are rejected.
    pub production: bool,
    /// This program, started in separate processes to run scripts.
    pub script_program: PathBuf,
    /// All options, for people: the effective values and their sources.
    pub settings: Vec<Setting>,
}

/// Reads the program's arguments (the first is its name), the environment and the configuration
/// file. Wrong usage, `--help` and `--version` print and end the process, as usual for command line
/// programs.
pub fn load(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<(Config, ProgramCommand), ConfigError> {
    let (line, given) = CommandLine::read(arguments).unwrap_or_else(|error| error.exit());
    resolve(line, given)
}

fn resolve(
    line: CommandLine,
    given: GivenOptions,
) -> Result<(Config, ProgramCommand), ConfigError> {
    let file = line.config.as_deref().map(read_file).transpose()?;
    let (file, table) = file.unwrap_or_default();
    let command = line.requested();
    let options = line.options.or(file);
    // The requirements of a production server do not apply to this command.
    let production = options
        .production
        .filter(|_| !matches!(command, ProgramCommand::Client(_)));
    let config = check(Options {
        production,
        ..options
    })?;
    let settings = given.with_file(&table).settle(&config, &table);
    Ok((Config { settings, ..config }, command))
}

/// The options of a file, parsed and as written.
fn read_file(path: &Path) -> Result<(Options, toml::Table), ConfigError> {
    let name = path.display();
    let text = fs::File::open(path)
        .and_then(|file| text::read_all(file, u64::MAX))
        .map_err(|error| {
            ConfigError(format!(
                "expected to read the configuration file {name}, but: {error}"
            ))
        })?;
    let read = || Ok((toml::from_str(&text)?, toml::from_str(&text)?));
    read().map_err(|error: toml::de::Error| {
        ConfigError(format!(
            "expected {name} to hold known options in TOML, but{}",
            mistakes::in_file(&text, &error)
        ))
    })
}

/// Checks the options and reports all mistakes at once, so that nobody has to start a server
/// repeatedly to find them.
fn check(mut options: Options) -> Result<Config, ConfigError> {
    let production = options.production.unwrap_or(false);
    let mut wrong = ConfigFaults(if production {
        production::demands(&options)
    } else {
        Vec::new()
    });
    let data = options
        .data
        .take()
        .unwrap_or_else(|| "stepwire-data".into());
    let parsed = ParsedOptions::read(&mut options, &data, &mut wrong);
    let (Some(parsed), []) = (parsed, &wrong.0[..]) else {
        return Err(wrong.into_error(production));
    };
    let allowed_origins = parsed.origins(production);
    Ok(Config {
        listen: parsed.listen,
        store: options.store.unwrap_or_default(),
        watermarks: parsed.watermarks,
        retention: parsed.retention,
        otlp: parsed.otlp,
        jwt_secret: JwtSecret::new(options.jwt_secret, &data),
        webhook_secret: parsed.webhook_secret,
        outbound_targets: options.outbound_targets.unwrap_or_default(),
        secrets: parsed.secrets,
        data,
        jwt_issuer: options.jwt_issuer,
        jwt_audience: options.jwt_audience,
        jwt_algorithms: parsed.jwt_algorithms,
        jwt_jwks: parsed.jwt_jwks,
        jwt_roles_claim: options.jwt_roles_claim,
        max_token_lifetime: parsed.max_token_lifetime,
        allowed_origins,
        trusted_proxies: parsed.trusted_proxies,
        limits: parsed.limits,
        named_limits: parsed.named_limits,
        jobs_date_time_format: jobs_date_time_format(options.jobs_date_time_format.as_deref())?,
        workers: options
            .workers
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, Into::into)),
        test_clock: options.test_clock.unwrap_or(false),
        examples: !options.no_examples.unwrap_or(production),
        deploy: options.deploy.unwrap_or_default(),
        sign_in_link: options.sign_in_link.unwrap_or(!production),
        log_format: options.log_format.unwrap_or_default(),
        access_log: options.access_log.unwrap_or(false),
        production,
        script_program: std::env::current_exe().unwrap_or_else(|_| "stepwire".into()),
        settings: Vec::new(),
    })
}

fn jobs_date_time_format(text: Option<&str>) -> Result<DateTimeFormat, ConfigError> {
    let Some(text) = text else {
        return Ok(DateTimeFormat::default());
    };
    DateTimeFormat::parse(text).map_err(|wrong| {
        ConfigError(format!(
            "expected jobs-date-time-format to be a format like dd-MM-yyyy HH:mm:ss, but {wrong}"
        ))
    })
}

/// A duration on the command line: in ISO 8601, or in a short form such as `30s`.
fn duration_argument(text: &str) -> Result<std::time::Duration, String> {
    let failed = |why: &str| {
        format!(
            "expected a duration longer than zero such as PT1H, P1D or 30s, but '{text}' is not \
            one: {why}"
        )
    };
    let span = duration::parse(text)
        .or_else(|_| text.parse::<jiff::Span>())
        .map_err(|_| failed("it cannot be read"))?;
    match duration::length(&span).map_err(failed)? {
        length if length.is_zero() => Err(failed("it is zero")),
        length => Ok(length),
    }
}

#[cfg(test)]
mod tests;
