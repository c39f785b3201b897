//! The rules of production: all violations at once.
//!
//! Not here: options that are invalid anywhere (`config`).

use super::{Options, trusted_proxies::trusts_everybody};

/// The shortest secret that production accepts: the key length of HS256.
const SECRET_BYTES: usize = 32;

/// Why these options are not fit for production, one sentence each.
pub(super) fn demands(options: &Options) -> Vec<String> {
    let jwt_secret = match options.jwt_secret.as_deref() {
        None => Some(format!(
            "to be given in production, but none is; set {}",
            secretly("jwt-secret")
        )),
        Some(text) if text.len() < SECRET_BYTES => Some(format!(
            "to have at least {SECRET_BYTES} bytes in production, but it has {}; set {}",
            text.len(),
            secretly("jwt-secret")
        )),
        Some(_) => None,
    };
    let webhook_secret = options.webhook_secret.is_none().then(|| {
        let form = "whsec_ and base64, or a text, of at least 24 bytes";
        format!(
            "to be given in production, but none is; set {} to {form}",
            secretly("webhook-secret")
        )
    });
    let allowed_origins = match options.allowed_origins.as_deref() {
        None => Some("to be given in production, but the list is absent"),
        Some(list) if list.iter().any(|origin| origin.trim() == "*") => {
            Some("to list origins in production, but it holds '*'")
        }
        Some(_) => None,
    };
    let allowed_origins = allowed_origins.map(|what| {
        let names = openly("allowed-origins");
        format!("{what}; set {names} to the origins of your pages, like https://app.example.com")
    });
    let everybody = options
        .trusted_proxies
        .iter()
        .flatten()
        .find(|network| trusts_everybody(network));
    let trusted_proxies = everybody.map(|network| {
        let names = openly("trusted-proxies");
        format!(
            "to name your proxies in production, but '{network}' is everybody; set {names} \
            to their networks"
        )
    });
    let test_clock = options.test_clock.unwrap_or(false);
    let test_clock = test_clock.then(|| {
        format!(
            "to be off in production, but it is on; leave out {}",
            openly("test-clock")
        )
    });
    let found = [
        ("jwt-secret", jwt_secret),
        ("webhook-secret", webhook_secret),
        ("allowed-origins", allowed_origins),
        ("trusted-proxies", trusted_proxies),
        ("test-clock", test_clock),
    ];
    found
        .into_iter()
        .filter_map(|(name, what)| Some(format!("expected {name} {}", what?)))
        .collect()
}

/// The ways to set an option.
fn openly(name: &str) -> String {
    format!("--{name}, {} or {name} in the TOML file", variable(name))
}

/// The ways to set a secret, the flag last, as flags are visible to everybody on the machine.
fn secretly(name: &str) -> String {
    format!("{}, {name} in the TOML file, or --{name}", variable(name))
}

fn variable(name: &str) -> String {
    format!("STEPWIRE_{}", name.to_uppercase().replace('-', "_"))
}
