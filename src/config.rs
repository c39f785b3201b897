//! The configuration of the server: command line and environment, then a TOML file, then defaults.
//!
//! Not here: limits that are not options (`limits`). The individual options: `options`; the file of
//! the secret: `secret`; the `Origin` allow-list: `origins`; proxies: `trusted_proxies`;
//! requirements of production: `production`; the other commands of the program: `command_line`.

use std::{
    ffi::OsString,
    fmt, fs,
    net::{SocketAddr, ToSocketAddrs},
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use clap::ValueEnum;

use crate::{
    duration,
    limits::{self, Limits, Retention, Watermark, Watermarks},
    text,
};
use command_line::CommandLine;
use settings::GivenOptions;

mod backup_command;
mod client_command;
mod command_line;
mod date_time_format;
mod http_calls;
mod key_source;
mod mistakes;
mod numbers;
mod options;
mod origins;
mod otlp;
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
pub use client_command::{
    ApproveArguments, CheckArguments, ClientCommand, CommonArguments, DefinitionText,
    DeployArguments, ExportArguments, Hidden, ListArguments, MigrateArguments, PatchArguments,
    PayloadArguments, PublishArguments, RunArguments, ShowArguments, StartArguments, StopArguments,
    Until, WaitArguments, WatchArguments,
};
pub use command_line::{ProgramCommand, TokenRequest};
pub use date_time_format::DateTimeFormat;
pub use http_calls::{Secrets, WEBHOOK_SECRET_FILE, WebhookSecret};
pub use key_source::KeySource;
pub use mistakes::mistyped_variables;
pub use options::{JwtAlgorithm, LogFormat, Options, StoreKind};
pub use origins::AllowedOrigins;
pub use otlp::Otlp;
pub use scenario_command::{PlayScenarios, UserToken};
pub use secret::{JwtSecret, SECRET_FILE, unusable_secrets};
pub use settings::{Setting, SettingSource};
pub use shell_documents::{CompletionsCommand, ManCommand};
pub use trusted_proxies::TrustedProxies;
pub use user_command::UserCommand;

const MIB: usize = 1024 * 1024;
/// The most that options may ask for: beyond every machine, and small enough to calculate with.
const WORKERS: usize = 1_024;
const CONNECTIONS: usize = 10_000_000;
/// In MiB.
const BODY_MEMORY: usize = 1024 * 1024;

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
    /// The limits an operator may change.
    pub limits: Limits,
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

/// An invalid configuration; the text says what was expected and how to fix it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(pub String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

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

/// The values of the options whose texts have to be parsed.
struct ParsedOptions {
    listen: Vec<SocketAddr>,
    watermarks: Watermarks,
    retention: Retention,
    otlp: Option<Otlp>,
    webhook_secret: WebhookSecret,
    secrets: Secrets,
    jwt_algorithms: Vec<JwtAlgorithm>,
    jwt_jwks: Option<KeySource>,
    allowed_origins: AllowedOrigins,
    trusted_proxies: TrustedProxies,
    max_token_lifetime: std::time::Duration,
    limits: Limits,
}

impl ParsedOptions {
    /// Parses all of them; `None` if any is invalid. All mistakes are added to `wrong`.
    fn read(options: &mut Options, data: &Path, wrong: &mut ConfigFaults) -> Option<Self> {
        let limits = wrong.unless(rates::limits(options));
        let watermarks = wrong.unless(watermarks(options));
        let retention = wrong.unless(retention::retention(options));
        let otlp = wrong.unless(otlp::otlp(options));
        wrong.0.extend(out_of_range(options));
        let listen = options.listen.as_deref().unwrap_or("127.0.0.1:8000");
        let listen = wrong.unless(addresses(listen));
        let webhook_secret = options.webhook_secret.take();
        let webhook_secret = wrong.unless(WebhookSecret::new(webhook_secret, data));
        let secrets = options.secrets.take();
        let secrets = wrong.unless(Secrets::new(secrets, std::env::vars_os()));
        let jwt_algorithms = options.jwt_algorithms.take();
        let jwt_algorithms = wrong.unless(algorithms(jwt_algorithms, options.jwt_jwks.is_some()));
        let jwt_jwks = options.jwt_jwks.as_deref().map(KeySource::parse);
        let jwt_jwks = wrong.unless(jwt_jwks.transpose());
        let allowed_origins = options.allowed_origins.take();
        let allowed_origins = wrong.unless(AllowedOrigins::parse(allowed_origins));
        let trusted_proxies = options.trusted_proxies.take();
        let trusted_proxies = wrong.unless(TrustedProxies::parse(trusted_proxies));
        let max_token_lifetime =
            wrong.unless(max_token_lifetime(options.max_token_lifetime.as_deref()));
        Some(Self {
            listen: listen?,
            watermarks: watermarks?,
            retention: retention?,
            otlp: otlp?,
            webhook_secret: webhook_secret?,
            secrets: secrets?,
            jwt_algorithms: jwt_algorithms?,
            jwt_jwks: jwt_jwks?,
            allowed_origins: allowed_origins?,
            trusted_proxies: trusted_proxies?,
            max_token_lifetime: max_token_lifetime?,
            limits: limits?,
        })
    }

    /// The allowed origins, with those of this machine in development. A client that connects
    /// through a proxy is not on this machine.
    fn origins(&self, production: bool) -> AllowedOrigins {
        let allowed = self.allowed_origins.clone();
        let is_direct = self.trusted_proxies == TrustedProxies::default();
        if production || !is_direct {
            allowed
        } else {
            allowed.in_development_on(&self.listen)
        }
    }
}

/// The options that are empty, too small or too large, one sentence each.
fn out_of_range(options: &Options) -> Vec<String> {
    let mut wrong = Vec::new();
    if options.jwt_secret.as_deref() == Some("") {
        wrong.push(
            "expected jwt-secret to be a text, but it is empty: leave it out to have one generated"
                .into(),
        );
    }
    let least = limits::DEFINITION_BYTES * limits::BODY_MEMORY_PART / MIB;
    let fits = "one caller may take an eighth of it, and a process definition has to fit in there";
    let outside = [
        outside(
            "workers",
            options.workers,
            1..=WORKERS,
            "leave it out for one per core",
        ),
        outside(
            "max-connections",
            options.max_connections,
            1..=CONNECTIONS,
            "clients need some",
        ),
        outside(
            "max-body-memory",
            options.max_body_memory,
            least..=BODY_MEMORY,
            fits,
        ),
    ];
    wrong.extend(outside.into_iter().flatten());
    wrong
}

/// What is wrong with a number outside its bounds; `too_small` says why there is a least one.
fn outside(
    name: &str,
    given: Option<usize>,
    bounds: RangeInclusive<usize>,
    too_small: &str,
) -> Option<String> {
    let given = given.filter(|given| !bounds.contains(given))?;
    let (bound, why) = if given < *bounds.start() {
        (format!("at least {}", bounds.start()), too_small)
    } else {
        (
            format!("at most {}", bounds.end()),
            "write a smaller number",
        )
    };
    Some(format!(
        "expected {name} to be {bound}, but it is {given}: {why}"
    ))
}

/// The mistakes in the options, one sentence each.
struct ConfigFaults(Vec<String>);

impl ConfigFaults {
    /// The value, if it is valid; otherwise the mistake is recorded.
    fn unless<T>(&mut self, checked: Result<T, ConfigError>) -> Option<T> {
        checked.map_err(|error| self.0.push(error.0)).ok()
    }

    /// All mistakes as one error: one sentence, or a line for each.
    fn into_error(self, production: bool) -> ConfigError {
        if let [sentence] = self.0.as_slice() {
            return ConfigError(sentence.clone());
        }
        let fit = if production {
            "options that are fit for production"
        } else {
            "options that can be used"
        };
        let lines: String = self
            .0
            .iter()
            .map(|sentence| format!("\n  - {sentence}"))
            .collect();
        ConfigError(format!(
            "expected {fit}, but {} are not:{lines}",
            self.0.len()
        ))
    }
}

fn watermarks(options: &Options) -> Result<Watermarks, ConfigError> {
    let read = |name: &str, text: &Option<String>, default| match text {
        None => Ok(default),
        Some(text) => Watermark::parse(text)
            .map_err(|wrong| ConfigError(format!("expected {name} to be {wrong}"))),
    };
    let low = read("disk-low", &options.disk_low, limits::DISK_LOW)?;
    let critical = read(
        "disk-critical",
        &options.disk_critical,
        limits::DISK_CRITICAL,
    )?;
    Ok(Watermarks { low, critical })
}

fn max_token_lifetime(text: Option<&str>) -> Result<std::time::Duration, ConfigError> {
    let read = |text| {
        duration_argument(text).map_err(|wrong| ConfigError(format!("max-token-lifetime: {wrong}")))
    };
    text.map_or(Ok(limits::TOKEN_LIFETIME), read)
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

/// The algorithms of an issuer's tokens: those given, else all.
fn algorithms(
    named: Option<Vec<JwtAlgorithm>>,
    has_keys: bool,
) -> Result<Vec<JwtAlgorithm>, ConfigError> {
    match named {
        None => Ok(JwtAlgorithm::value_variants().to_vec()),
        Some(list) if list.is_empty() => Err(ConfigError(
            "expected jwt-algorithms to name at least one algorithm, but the \
                list is empty"
                .into(),
        )),
        Some(_) if !has_keys => Err(ConfigError(
            "expected jwt-algorithms to go with jwt-jwks, which names the issuer's keys, but \
            that is absent; without it tokens are signed with HS256"
                .into(),
        )),
        Some(list) => Ok(list),
    }
}

fn addresses(text: &str) -> Result<Vec<SocketAddr>, ConfigError> {
    let failed = |error: &dyn fmt::Display| {
        ConfigError(format!(
            "expected listen to be HOST:PORT like 127.0.0.1:8000, but it is '{text}' ({error})"
        ))
    };
    let found: Vec<_> = text
        .to_socket_addrs()
        .map_err(|error| failed(&error))?
        .collect();
    if found.is_empty() {
        Err(failed(&"the host has no address"))
    } else {
        Ok(found)
    }
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
