//! Users' tokens that were found genuine not long ago, so that a token that comes with each request
//! is decoded once. Its times are compared with the clock each time, and whether its user was
//! revoked is looked up each time.
//!
//! Only genuine tokens of users are kept, so a stranger can neither fill this nor push others out.
//! Not here: what makes a token genuine ([`token`](super::token)).

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
    sync::{Arc, Mutex, PoisonError},
};

use super::{issuer_keys::IssuerKeySet, token::Identity};
use crate::{limits, model::ids::Time};

/// What a genuine token says.
pub(super) struct Genuine {
    /// Its user, with the time of its expiry.
    pub identity: Identity,
    /// When it expires.
    pub expires_at: Time,
    /// Before when it is not valid.
    pub not_before: Option<Time>,
}

/// The tokens. They are genuine as long as the issuer's keys are the same.
#[derive(Default)]
pub(super) struct VerifiedTokens {
    hashes: RandomState,
    tables: Mutex<Tables>,
}

type Table = HashMap<u64, (Box<str>, Arc<Genuine>)>;

#[derive(Default)]
struct Tables {
    keys: Option<IssuerKeySet>,
    recent: Table,
    /// The recent ones of before; those that are used again become recent.
    older: Table,
}

impl VerifiedTokens {
    /// What this token says, if it was found genuine with these keys.
    pub fn find(&self, token: &str, keys: &Option<IssuerKeySet>) -> Option<Arc<Genuine>> {
        let hash = self.hashes.hash_one(token);
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.forget_those_of_other(keys);
        if let Some(found) = of_token(tables.recent.get(&hash), token) {
            return Some(found);
        }
        let found = of_token(tables.older.get(&hash), token)?;
        tables.insert(hash, token, found.clone());
        Some(found)
    }

    /// Keeps what a token says that these keys have verified.
    pub fn keep(&self, token: &str, keys: &Option<IssuerKeySet>, genuine: Arc<Genuine>) {
        let is_users = genuine.identity.instance.is_none();
        if is_users && token.len() <= limits::VERIFIED_TOKEN_BYTES {
            let hash = self.hashes.hash_one(token);
            let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
            tables.forget_those_of_other(keys);
            tables.insert(hash, token, genuine);
        }
    }
}

impl Tables {
    fn forget_those_of_other(&mut self, keys: &Option<IssuerKeySet>) {
        let same = match (&self.keys, keys) {
            (None, None) => true,
            (Some(kept), Some(keys)) => Arc::ptr_eq(kept, keys),
            _ => false,
        };
        if !same {
            *self = Self {
                keys: keys.clone(),
                ..Self::default()
            };
        }
    }

    fn insert(&mut self, hash: u64, token: &str, genuine: Arc<Genuine>) {
        if self.recent.len() >= limits::VERIFIED_TOKENS / 2 {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(hash, (token.into(), genuine));
    }
}

/// The entry, if it is that of this token. How long the comparison takes does not depend on where
/// they differ.
fn of_token(entry: Option<&(Box<str>, Arc<Genuine>)>, token: &str) -> Option<Arc<Genuine>> {
    let (kept, genuine) = entry?;
    let bytes = kept.bytes().zip(token.bytes());
    let difference = bytes.fold(0, |all, (kept, given)| all | (kept ^ given));
    (kept.len() == token.len() && difference == 0).then(|| genuine.clone())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn genuine(instance: Option<Uuid>) -> Arc<Genuine> {
        Arc::new(Genuine {
            identity: Identity {
                instance: instance.map(crate::model::ids::InstanceKey),
                ..Identity::anonymous(Uuid::nil())
            },
            expires_at: Time(1),
            not_before: None,
        })
    }

    #[test]
    fn only_the_same_token_is_found_and_only_with_the_same_keys() {
        let tokens = VerifiedTokens::default();
        let keys: [Option<IssuerKeySet>; 2] = [None, Some(Arc::default())];
        tokens.keep("a.b.c", &keys[0], genuine(None));
        assert!(tokens.find("a.b.c", &keys[0]).is_some());
        for other in ["a.b.d", "a.b.", "a.b.c ", ""] {
            assert!(tokens.find(other, &keys[0]).is_none(), "{other}");
        }
        assert!(tokens.find("a.b.c", &keys[1]).is_none());
        assert!(
            tokens.find("a.b.c", &keys[0]).is_none(),
            "they were replaced"
        );
        tokens.keep("a.b.c", &keys[1], genuine(None));
        let others = Some(Arc::default());
        assert!(tokens.find("a.b.c", &others).is_none());
    }

    #[test]
    fn tokens_of_strangers_and_long_ones_are_not_kept() {
        let tokens = VerifiedTokens::default();
        tokens.keep("stranger", &None, genuine(Some(Uuid::nil())));
        assert!(tokens.find("stranger", &None).is_none());
        let long = "x".repeat(limits::VERIFIED_TOKEN_BYTES + 1);
        tokens.keep(&long, &None, genuine(None));
        assert!(tokens.find(&long, &None).is_none());
    }

    #[test]
    fn a_limited_number_is_kept_and_those_in_use_stay() {
        let tokens = VerifiedTokens::default();
        for number in 0..limits::VERIFIED_TOKENS * 3 {
            tokens.keep(&number.to_string(), &None, genuine(None));
            assert!(tokens.find("0", &None).is_some());
        }
        let tables = tokens.tables.lock().unwrap();
        let kept = tables.recent.len() + tables.older.len();
        assert!(kept <= limits::VERIFIED_TOKENS, "{kept}");
    }
}
