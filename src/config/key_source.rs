//! The source of an issuer's public keys: a file, or an address from which they are fetched.
//!
//! Not here: reloading the file (`session::auth::issuer_keys`), fetching from the address
//! (`web::http::key_address`).

use std::path::PathBuf;

use reqwest::Url;

use super::ConfigError;

/// The source of an issuer's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// In this file.
    File(PathBuf),
    /// At this address: HTTPS, or HTTP on this machine.
    Address(Url),
}

impl KeySource {
    /// Parses the option: a value with `://` is an address.
    ///
    /// # Errors
    /// The address cannot be trusted to return the issuer's own keys.
    pub(super) fn parse(text: &str) -> Result<Self, ConfigError> {
        if !text.contains("://") {
            return Ok(Self::File(text.into()));
        }
        let failed = |cause: &str| {
            ConfigError(format!(
                "expected jwt-jwks to be a file or an address like https://id.example.com/keys, \
                but {cause}"
            ))
        };
        let url: Url = text
            .parse()
            .map_err(|error| failed(&format!("this is no address: {error}")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(failed(
                "it holds a name or a password: public keys need none",
            ));
        }
        match url.scheme() {
            "https" => Ok(Self::Address(url)),
            "http" if is_loopback(&url) => Ok(Self::Address(url)),
            "http" => Err(failed(
                "it is fetched over HTTP from another machine, so that anybody on the way could \
                change it",
            )),
            other => Err(failed(&format!("its scheme is {other}"))),
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<std::net::IpAddr>();
    address.map_or(host == "localhost", |address| {
        address.to_canonical().is_loopback()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_safe_addresses_are_taken() {
        assert_eq!(
            KeySource::parse("keys.json"),
            Ok(KeySource::File("keys.json".into()))
        );
        for good in [
            "https://id.example/keys?x=1",
            "http://127.0.0.1:8080/k",
            "http://localhost/k",
            "http://[::1]:1/k",
        ] {
            assert_eq!(
                KeySource::parse(good),
                Ok(KeySource::Address(good.parse().unwrap()))
            );
        }
        for bad in [
            "http://id.example/k",
            "http://10.0.0.1/k",
            "http://localhost.evil/k",
            "ftp://id.example/k",
            "file:///k",
        ] {
            assert!(KeySource::parse(bad).is_err(), "{bad}");
        }
        for bad in ["https://", "://", "https://ada:hush@id.example/k"] {
            let error = KeySource::parse(bad).unwrap_err().to_string();
            assert!(
                error.starts_with("expected ") && !error.contains("hush"),
                "{error}"
            );
        }
    }
}
