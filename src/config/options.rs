//! The options, defined once for the command line, the environment and the TOML file.
//!
//! Not here: defaults of absent options and rejected combinations (`config`).

use std::{collections::BTreeMap, path::PathBuf};

use clap::{Args, builder::BoolishValueParser};
use serde::Deserialize;

use super::{
    choices::{JwtAlgorithm, LogFormat, StoreKind},
    numbers::{part, whole},
};

/// Every option, absent or given. The flag `--some-name`, the variable `STEPWIRE_SOME_NAME` and the
/// TOML key `some-name` are the same option. No `Debug`: it contains the secret.
#[derive(Args, Deserialize, Default, Clone)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[command(next_help_heading = super::command_line::SERVER_OPTIONS)]
pub struct Options {
    /// Address and port to listen on [default: 127.0.0.1:8000]
    #[arg(long, global = true, env = "STEPWIRE_LISTEN", value_name = "HOST:PORT")]
    pub listen: Option<String>,
    /// Data directory of the server [default: ./stepwire-data]
    #[arg(long, global = true, env = "STEPWIRE_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Store of process instances; `memory` loses them at exit [default: sqlite]
    #[arg(long, global = true, env = "STEPWIRE_STORE")]
    pub store: Option<StoreKind>,
    /// Free disk space of the data directory below which new instances are refused: a size, a
    /// percentage, the smaller of both, or 0 for never [default: 1GiB/5%]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_DISK_LOW",
        value_name = "SIZE|PART"
    )]
    pub disk_low: Option<String>,
    /// Free disk space below which every command is refused, except those that complete or end
    /// something [default: 256MiB/1%]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_DISK_CRITICAL",
        value_name = "SIZE|PART"
    )]
    pub disk_critical: Option<String>,
    /// Time after its end until an instance is compressed, such as P1D; 0 = never [default: P1D]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_ARCHIVE_AFTER",
        value_name = "DURATION"
    )]
    pub archive_after: Option<String>,
    /// Time after its end until an instance is deleted with all its data, such as P90D; 0 = never
    /// [default: never]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_DROP_AFTER",
        value_name = "DURATION"
    )]
    pub drop_after: Option<String>,
    /// Time for which entries of the audit log are kept; 0 = until the maximum number of entries is
    /// reached [default: P400D]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_AUDIT_KEEP",
        value_name = "DURATION"
    )]
    pub audit_keep: Option<String>,
    /// Secret of the server's own tokens (HS256), as raw text [default: generated into the data
    /// directory]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_JWT_SECRET",
        value_name = "TEXT",
        hide_env_values = true
    )]
    pub jwt_secret: Option<String>,
    /// Issuer (`iss`) that tokens must have [default: not checked]
    #[arg(long, global = true, env = "STEPWIRE_JWT_ISSUER", value_name = "TEXT")]
    pub jwt_issuer: Option<String>,
    /// Audience (`aud`) that tokens must have [default: not checked]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_JWT_AUDIENCE",
        value_name = "TEXT"
    )]
    pub jwt_audience: Option<String>,
    /// Public keys (JWKS) of an issuer whose tokens are accepted in addition to the server's own: a
    /// file, or a URL like `https://id.example.com/keys` [default: none]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_JWT_JWKS",
        value_name = "FILE|URL"
    )]
    pub jwt_jwks: Option<String>,
    /// Signature algorithms accepted for that issuer's tokens, comma-separated [default:
    /// RS256,ES256,EdDSA]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_JWT_ALGORITHMS",
        value_delimiter = ','
    )]
    pub jwt_algorithms: Option<Vec<JwtAlgorithm>>,
    /// Claim with the list of roles, or a path to it like realm_access.roles [default: roles]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_JWT_ROLES_CLAIM",
        value_name = "PATH"
    )]
    pub jwt_roles_claim: Option<String>,
    /// Maximum remaining lifetime of a token: an ISO 8601 duration such as P30D [default: P366D]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_MAX_TOKEN_LIFETIME",
        value_name = "DURATION"
    )]
    pub max_token_lifetime: Option<String>,
    /// Origins, besides the server's own, whose pages may connect, comma-separated, or `*` for all
    /// [default: none; without --production on loopback, those of this machine]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_ALLOWED_ORIGINS",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    pub allowed_origins: Option<Vec<String>>,
    /// Networks of trusted proxies, whose headers about the client are used, comma-separated
    /// [default: none]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_TRUSTED_PROXIES",
        value_name = "NETWORK",
        value_delimiter = ','
    )]
    pub trusted_proxies: Option<Vec<String>>,
    /// Maximum messages per second on a connection; 0 = no limit [default: 20]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_RATE_PER_SECOND",
        value_name = "N",
        value_parser = whole::<u32>
    )]
    pub rate_per_second: Option<u32>,
    /// Maximum burst of messages on a connection; 0 = no limit [default: 60]
    #[arg(long, global = true, env = "STEPWIRE_RATE_BURST", value_name = "N", value_parser = whole::<u32>)]
    pub rate_burst: Option<u32>,
    /// Maximum open connections of a user; 0 = no limit [default: 256]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_MAX_CONNECTIONS_PER_USER",
        value_name = "N",
        value_parser = whole::<usize>
    )]
    pub max_connections_per_user: Option<usize>,
    /// Maximum open connections of an address; 0 = no limit [default: 1024]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_MAX_CONNECTIONS_PER_ADDRESS",
        value_name = "N",
        value_parser = whole::<usize>
    )]
    pub max_connections_per_address: Option<usize>,
    /// Maximum requests and messages per second and address of clients without a user's token, and
    /// their maximum burst; 0 = no limit [default: 100:400]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_ANONYMOUS_REQUESTS",
        value_name = "PER_SECOND:BURST"
    )]
    pub anonymous_requests: Option<String>,
    /// Maximum bytes of these requests and messages per second and address, and their maximum
    /// burst; 0 = no limit [default: 1MiB:16MiB]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_ANONYMOUS_BYTES",
        value_name = "PER_SECOND:BURST"
    )]
    pub anonymous_bytes: Option<String>,
    /// Maximum starts of instances per second and address by clients without a user's token, and
    /// their maximum burst; 0 = no limit [default: 5:20]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_ANONYMOUS_STARTS",
        value_name = "PER_SECOND:BURST"
    )]
    pub anonymous_starts: Option<String>,
    /// Maximum live instances of an address that were started without a user's token; 0 = no limit
    /// [default: 1000]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_ANONYMOUS_INSTANCES",
        value_name = "N",
        value_parser = whole::<usize>
    )]
    pub anonymous_instances: Option<usize>,
    /// Time until the expiry of an instance that was started without a user's token, unless its
    /// process defines one; 0 = never [default: P1D]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_ANONYMOUS_INSTANCE_EXPIRY",
        value_name = "DURATION"
    )]
    pub anonymous_instance_expiry: Option<String>,
    /// Maximum requests and messages per second of a user, and their maximum burst; 0 = no limit
    /// [default: 1000:5000]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_USER_REQUESTS",
        value_name = "PER_SECOND:BURST"
    )]
    pub user_requests: Option<String>,
    /// Maximum bytes of requests and messages per second of a user, and their maximum burst; 0 = no
    /// limit [default: 16MiB:128MiB]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_USER_BYTES",
        value_name = "PER_SECOND:BURST"
    )]
    pub user_bytes: Option<String>,
    /// Maximum starts of instances per second of a user, and their maximum burst; 0 = no limit
    /// [default: 200:1000]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_USER_STARTS",
        value_name = "PER_SECOND:BURST"
    )]
    pub user_starts: Option<String>,
    /// Maximum requests and messages per second of all users of an address, and their maximum
    /// burst; 0 = no limit [default: 5000:20000]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_ADDRESS_REQUESTS",
        value_name = "PER_SECOND:BURST"
    )]
    pub address_requests: Option<String>,
    /// Maximum bytes of requests and messages per second of all users of an address, and their
    /// maximum burst; 0 = no limit [default: 64MiB:512MiB]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_ADDRESS_BYTES",
        value_name = "PER_SECOND:BURST"
    )]
    pub address_bytes: Option<String>,
    /// Maximum starts of instances per second of all users of an address, and their maximum burst;
    /// 0 = no limit [default: 1000:5000]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_ADDRESS_STARTS",
        value_name = "PER_SECOND:BURST"
    )]
    pub address_starts: Option<String>,
    /// Maximum open connections in total, within the process's limit of open files [default: 20000]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_MAX_CONNECTIONS",
        value_name = "N",
        value_parser = whole::<usize>
    )]
    pub max_connections: Option<usize>,
    /// Memory for the bodies of requests, in MiB [default: 128]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_MAX_BODY_MEMORY",
        value_name = "MIB",
        value_parser = whole::<usize>
    )]
    pub max_body_memory: Option<usize>,
    /// Memory for large instances, in MiB [default: 128]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_MAX_INSTANCE_MEMORY",
        value_name = "MIB",
        value_parser = whole::<usize>
    )]
    pub max_instance_memory: Option<usize>,
    /// Limits by name, comma-separated NAME=VALUE, such as tickets=20000,hello=20s; the names are
    /// listed in docs/limits.md [default: none]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_LIMITS",
        value_name = "NAME=VALUE",
        value_delimiter = ','
    )]
    pub limits: Option<Vec<String>>,
    /// Allowed targets of HTTP calls and webhooks, comma-separated: hosts, *.domains, host:port,
    /// networks, or * for all public addresses [default: none]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_OUTBOUND_TARGETS",
        value_name = "TARGET",
        value_delimiter = ','
    )]
    pub outbound_targets: Option<Vec<String>>,
    /// Secret that signs webhooks: whsec_ and base64, or raw text [default: generated into the data
    /// directory]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_WEBHOOK_SECRET",
        value_name = "TEXT",
        hide_env_values = true
    )]
    pub webhook_secret: Option<String>,
    /// Secrets for headers of HTTP calls, by name. There is no flag, because all users of the
    /// machine can see flags. In the environment each secret is a variable of its own,
    /// `STEPWIRE_SECRET_NAME`.
    #[arg(skip)]
    pub secrets: Option<BTreeMap<String, String>>,
    /// Date format of the jobs' interface, in UTC: the letters d M y H h m s f t are parts of a
    /// date [default: dd-MM-yyyy HH:mm:ss]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_JOBS_DATE_TIME_FORMAT",
        value_name = "FORMAT"
    )]
    pub jobs_date_time_format: Option<String>,
    /// Collector that receives spans over OTLP in JSON: http://HOST:4318 [default: none]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_OTLP_ENDPOINT",
        value_name = "URL"
    )]
    pub otlp_endpoint: Option<String>,
    /// Headers of the requests to the collector, comma-separated NAME=VALUE [default: none]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_OTLP_HEADERS",
        value_name = "NAME=VALUE",
        value_delimiter = ',',
        hide_env_values = true
    )]
    pub otlp_headers: Option<Vec<String>>,
    /// Fraction, from 0 to 1, of the traces started here whose spans are sent; for a caller's
    /// trace, its flag decides [default: 1]
    #[arg(long, global = true, env = "STEPWIRE_OTLP_SAMPLE", value_name = "PART", value_parser = part)]
    pub otlp_sample: Option<f64>,
    /// Number of threads for instances and connections [default: one per core]
    #[arg(long, global = true, env = "STEPWIRE_WORKERS", value_name = "N", value_parser = whole::<usize>)]
    pub workers: Option<usize>,
    /// Allow clients with role admin to set the process time, for tests [default: false]
    #[arg(long, global = true, env = "STEPWIRE_TEST_CLOCK", value_parser = BoolishValueParser::new(), num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub test_clock: Option<bool>,
    /// Do not deploy the example processes [default: false; true in production]
    #[arg(long, global = true, env = "STEPWIRE_NO_EXAMPLES", value_parser = BoolishValueParser::new(), num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub no_examples: Option<bool>,
    /// BPMN files to deploy and publish at the start, comma-separated; unchanged content is not
    /// deployed again [default: none]
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_DEPLOY",
        value_name = "FILE",
        value_delimiter = ','
    )]
    pub deploy: Option<Vec<PathBuf>>,
    /// Print a one-time sign-in link for an administrator at the start [default: true; false in
    /// production]
    #[arg(long, global = true, env = "STEPWIRE_SIGN_IN_LINK", value_parser = BoolishValueParser::new(), num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub sign_in_link: Option<bool>,
    /// Format of the lines of the log [default: text]
    #[arg(long, global = true, env = "STEPWIRE_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,
    /// Log a line for each answered request [default: false]
    #[arg(long, global = true, env = "STEPWIRE_ACCESS_LOG", value_parser = BoolishValueParser::new(), num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub access_log: Option<bool>,
    /// Refuse to start with settings that are fit for development only [default: false]
    #[arg(long, global = true, env = "STEPWIRE_PRODUCTION", value_parser = BoolishValueParser::new(), num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub production: Option<bool>,
}

impl Options {
    /// These options, with absent ones taken from `file`.
    pub fn or(self, file: Options) -> Options {
        Options {
            listen: self.listen.or(file.listen),
            data: self.data.or(file.data),
            store: self.store.or(file.store),
            disk_low: self.disk_low.or(file.disk_low),
            disk_critical: self.disk_critical.or(file.disk_critical),
            archive_after: self.archive_after.or(file.archive_after),
            drop_after: self.drop_after.or(file.drop_after),
            audit_keep: self.audit_keep.or(file.audit_keep),
            jwt_secret: self.jwt_secret.or(file.jwt_secret),
            jwt_issuer: self.jwt_issuer.or(file.jwt_issuer),
            jwt_audience: self.jwt_audience.or(file.jwt_audience),
            jwt_jwks: self.jwt_jwks.or(file.jwt_jwks),
            jwt_algorithms: self.jwt_algorithms.or(file.jwt_algorithms),
            jwt_roles_claim: self.jwt_roles_claim.or(file.jwt_roles_claim),
            max_token_lifetime: self.max_token_lifetime.or(file.max_token_lifetime),
            allowed_origins: self.allowed_origins.or(file.allowed_origins),
            trusted_proxies: self.trusted_proxies.or(file.trusted_proxies),
            rate_per_second: self.rate_per_second.or(file.rate_per_second),
            rate_burst: self.rate_burst.or(file.rate_burst),
            max_connections_per_user: self
                .max_connections_per_user
                .or(file.max_connections_per_user),
            max_connections_per_address: self
                .max_connections_per_address
                .or(file.max_connections_per_address),
            anonymous_requests: self.anonymous_requests.or(file.anonymous_requests),
            anonymous_bytes: self.anonymous_bytes.or(file.anonymous_bytes),
            anonymous_starts: self.anonymous_starts.or(file.anonymous_starts),
            anonymous_instances: self.anonymous_instances.or(file.anonymous_instances),
            anonymous_instance_expiry: self
                .anonymous_instance_expiry
                .or(file.anonymous_instance_expiry),
            user_requests: self.user_requests.or(file.user_requests),
            user_bytes: self.user_bytes.or(file.user_bytes),
            user_starts: self.user_starts.or(file.user_starts),
            address_requests: self.address_requests.or(file.address_requests),
            address_bytes: self.address_bytes.or(file.address_bytes),
            address_starts: self.address_starts.or(file.address_starts),
            max_connections: self.max_connections.or(file.max_connections),
            max_body_memory: self.max_body_memory.or(file.max_body_memory),
            max_instance_memory: self.max_instance_memory.or(file.max_instance_memory),
            limits: self.limits.or(file.limits),
            outbound_targets: self.outbound_targets.or(file.outbound_targets),
            webhook_secret: self.webhook_secret.or(file.webhook_secret),
            secrets: self.secrets.or(file.secrets),
            jobs_date_time_format: self.jobs_date_time_format.or(file.jobs_date_time_format),
            otlp_endpoint: self.otlp_endpoint.or(file.otlp_endpoint),
            otlp_headers: self.otlp_headers.or(file.otlp_headers),
            otlp_sample: self.otlp_sample.or(file.otlp_sample),
            workers: self.workers.or(file.workers),
            test_clock: self.test_clock.or(file.test_clock),
            no_examples: self.no_examples.or(file.no_examples),
            deploy: self.deploy.or(file.deploy),
            sign_in_link: self.sign_in_link.or(file.sign_in_link),
            log_format: self.log_format.or(file.log_format),
            access_log: self.access_log.or(file.access_log),
            production: self.production.or(file.production),
        }
    }
}
