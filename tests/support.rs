//! A whole server in this process, on its own port with a store in memory, and tokens for it.

pub mod expected;
pub mod node;

use std::time::Duration;

use stepwire::{
    config::{self, Config},
    runtime::clock::real_now,
    session::auth::token::{Identity, TokenSettings, Tokens},
    web::http::server::{self, Running},
};
use uuid::Uuid;

/// Signs the tokens of every server under test.
pub const SECRET: &str = "a secret for tests, of at least thirty-two bytes";

/// A configuration for tests: port 0, store in memory, one worker, and further arguments.
pub fn config(more: &[&str]) -> Config {
    let basis = [
        "stepwire",
        "--listen",
        "127.0.0.1:0",
        "--store",
        "memory",
        "--workers",
        "1",
    ];
    let secrets = ["--jwt-secret", SECRET, "--webhook-secret", SECRET];
    let arguments = basis.iter().chain(&secrets).chain(more).map(Into::into);
    let config = config::load(arguments)
        .expect("the options of a test are good")
        .0;
    // The test has its own program.
    Config {
        script_program: env!("CARGO_BIN_EXE_stepwire").into(),
        ..config
    }
}

/// Starts a server with the examples. Stop it at the end of the test.
pub async fn server() -> Running {
    start(config(&[])).await
}

/// Starts a server with this configuration.
pub async fn start(config: Config) -> Running {
    server::start(config)
        .await
        .expect("a server for a test starts")
}

/// A token for an hour.
pub fn token(subject: &str, roles: &[&str]) -> String {
    token_for(subject, roles, Duration::from_secs(3600))
}

/// A token that is valid for this time.
pub fn token_for(subject: &str, roles: &[&str], ttl: Duration) -> String {
    token_in(
        &Identity::anonymous(Uuid::nil()).tenant,
        subject,
        roles,
        ttl,
    )
}

/// A token for a user of another tenant.
pub fn token_in(tenant: &str, subject: &str, roles: &[&str], ttl: Duration) -> String {
    let roles = roles.iter().map(|&role| role.to_owned()).collect();
    let (tenant, subject) = (tenant.to_owned(), subject.to_owned());
    let identity = Identity {
        subject,
        tenant,
        roles,
        ..Identity::anonymous(Uuid::nil())
    };
    let settings = TokenSettings {
        secret: SECRET.to_owned(),
        issuer: None,
        audience: None,
    };
    Tokens::new(settings)
        .mint(&identity, real_now(), ttl)
        .expect("a token can be signed")
}
