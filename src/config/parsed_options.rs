//! The options whose texts have to be parsed, and the bounds of numbers.

use std::{
    fmt,
    net::{SocketAddr, ToSocketAddrs},
    ops::RangeInclusive,
    path::Path,
};

use clap::ValueEnum;

use super::{
    AllowedOrigins, ConfigError, JwtAlgorithm, KeySource, Options, Otlp, Secrets, TrustedProxies,
    WebhookSecret, config_error::ConfigFaults, duration_argument, otlp, rates, retention,
};
use crate::limits::{self, Adjustments, Limits, Retention, Watermark, Watermarks};

const MIB: usize = 1024 * 1024;
/// The most that options may ask for: beyond every machine, and small enough to calculate with.
const WORKERS: usize = 1_024;
const CONNECTIONS: usize = 10_000_000;
/// In MiB.
const MEMORY: usize = 1024 * 1024;

/// The values of the options whose texts have to be parsed.
pub(super) struct ParsedOptions {
    pub listen: Vec<SocketAddr>,
    pub watermarks: Watermarks,
    pub retention: Retention,
    pub otlp: Option<Otlp>,
    pub webhook_secret: WebhookSecret,
    pub secrets: Secrets,
    pub jwt_algorithms: Vec<JwtAlgorithm>,
    pub jwt_jwks: Option<KeySource>,
    pub allowed_origins: AllowedOrigins,
    pub trusted_proxies: TrustedProxies,
    pub max_token_lifetime: std::time::Duration,
    pub limits: Limits,
    pub named_limits: Adjustments,
}

impl ParsedOptions {
    /// Parses all of them; `None` if any is invalid. All mistakes are added to `wrong`.
    pub fn read(options: &mut Options, data: &Path, wrong: &mut ConfigFaults) -> Option<Self> {
        let limits = wrong.unless(rates::limits(options));
        let named_limits = wrong.unless(named_limits(options.limits.as_deref()));
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
            named_limits: named_limits?,
        })
    }

    /// The allowed origins, with those of this machine in development. A client that connects
    /// through a proxy is not on this machine.
    pub fn origins(&self, production: bool) -> AllowedOrigins {
        let allowed = self.allowed_origins.clone();
        let is_direct = self.trusted_proxies == TrustedProxies::default();
        if production || !is_direct {
            allowed
        } else {
            allowed.in_development_on(&self.listen)
        }
    }
}

fn named_limits(given: Option<&[String]>) -> Result<Adjustments, ConfigError> {
    let given = given.unwrap_or_default().iter().map(String::as_str);
    Adjustments::read(given).map_err(|wrong| ConfigError(format!("limits: {wrong}")))
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
            least..=MEMORY,
            fits,
        ),
        outside(
            "max-instance-memory",
            options.max_instance_memory,
            1..=MEMORY,
            "an instance in use needs some",
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
