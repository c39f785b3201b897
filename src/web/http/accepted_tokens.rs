//! Which tokens the server accepts according to its configuration: its own, and those of an issuer
//! whose keys come from a file or a URL.
//!
//! Not here: checking a token (`session::auth::token`).

use std::sync::Arc;

use actix_web::rt::{self, task::JoinHandle};
use jsonwebtoken::Algorithm;

use super::key_address::{FetchPace, KeyAddress};
use crate::{
    config::{Config, JwtAlgorithm, KeySource},
    runtime::clock::real_now,
    session::auth::{
        issuer_keys::IssuerKeys,
        roles_claim::RolesClaim,
        token::{TokenSettings, Tokens},
    },
};

/// The token verifier of a configuration, and the task that keeps an issuer's keys up to date. A
/// URL that does not answer does not prevent the start.
///
/// # Errors
/// A sentence if the secret or a file of keys cannot be read.
pub async fn accepted_tokens(config: &Config) -> Result<(Tokens, Option<JoinHandle<()>>), String> {
    let secret = config
        .jwt_secret
        .load()
        .map_err(|error| error.to_string())?;
    let mut tokens = Tokens::new(TokenSettings {
        secret,
        issuer: config.jwt_issuer.clone(),
        audience: config.jwt_audience.clone(),
    })
    .with_longest(config.max_token_lifetime);
    if let Some(path) = &config.jwt_roles_claim {
        tokens = tokens.with_roles_claim(RolesClaim::new(path.clone()));
    }
    let algorithms = config.jwt_algorithms.iter().map(algorithm).collect();
    match &config.jwt_jwks {
        None => Ok((tokens, None)),
        Some(KeySource::File(path)) => {
            let keys = IssuerKeys::load(path.clone(), algorithms, real_now())?;
            Ok((tokens.with_issuer(Arc::new(keys)), None))
        }
        Some(KeySource::Address(url)) => {
            let (address, keys) = (
                KeyAddress::new(url.clone())?,
                Arc::new(IssuerKeys::by_address(algorithms)),
            );
            address.refresh(&keys).await;
            let fetching = rt::spawn(address.keep_fresh(keys.clone(), FetchPace::default()));
            Ok((tokens.with_issuer(keys), Some(fetching)))
        }
    }
}

fn algorithm(algorithm: &JwtAlgorithm) -> Algorithm {
    match algorithm {
        JwtAlgorithm::Rs256 => Algorithm::RS256,
        JwtAlgorithm::Es256 => Algorithm::ES256,
        JwtAlgorithm::EdDsa => Algorithm::EdDSA,
    }
}
