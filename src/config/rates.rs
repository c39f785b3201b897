//! The limits among the options: the given values, else the defaults.

use std::time::Duration;

use super::{ConfigError, duration_argument, options::Options};
use crate::limits::{Limits, Quota, Rates};

/// The limits an operator may change, according to the options.
///
/// # Errors
/// An invalid rate or duration, and how to write it.
pub(super) fn limits(options: &Options) -> Result<Limits, ConfigError> {
    let default = Limits::default();
    let rates = |name: &str, given: [&Option<String>; 3], default: Rates| {
        let quota = |what: &str, given: &Option<String>, default| {
            given.as_deref().map_or(Ok(default), |text| {
                text.parse::<Quota>()
                    .map_err(|wrong| ConfigError(format!("{name}-{what}: {wrong}")))
            })
        };
        Ok(Rates {
            requests: quota("requests", given[0], default.requests)?,
            bytes: quota("bytes", given[1], default.bytes)?,
            starts: quota("starts", given[2], default.starts)?,
        })
    };
    Ok(Limits {
        rate_per_second: options.rate_per_second.unwrap_or(default.rate_per_second),
        rate_burst: options.rate_burst.unwrap_or(default.rate_burst),
        max_connections_per_user: options
            .max_connections_per_user
            .unwrap_or(default.max_connections_per_user),
        max_connections_per_address: options
            .max_connections_per_address
            .unwrap_or(default.max_connections_per_address),
        max_connections: options.max_connections.unwrap_or(default.max_connections),
        max_body_memory: options.max_body_memory.unwrap_or(default.max_body_memory),
        max_instance_memory: options
            .max_instance_memory
            .unwrap_or(default.max_instance_memory),
        anonymous: rates(
            "anonymous",
            [
                &options.anonymous_requests,
                &options.anonymous_bytes,
                &options.anonymous_starts,
            ],
            default.anonymous,
        )?,
        user: rates(
            "user",
            [
                &options.user_requests,
                &options.user_bytes,
                &options.user_starts,
            ],
            default.user,
        )?,
        address: rates(
            "address",
            [
                &options.address_requests,
                &options.address_bytes,
                &options.address_starts,
            ],
            default.address,
        )?,
        anonymous_instances: options
            .anonymous_instances
            .unwrap_or(default.anonymous_instances),
        anonymous_instance_expiry: match &options.anonymous_instance_expiry {
            None => default.anonymous_instance_expiry,
            Some(text) => expiry(text)?,
        },
    })
}

/// A duration, or 0 for never.
fn expiry(text: &str) -> Result<Option<Duration>, ConfigError> {
    if text.trim() == "0" {
        return Ok(None);
    }
    duration_argument(text)
        .map(Some)
        .map_err(|wrong| ConfigError(format!("anonymous-instance-expiry: {wrong}")))
}
