//! Hashes of passwords: argon2id, off the arbiters and a few at a time, because each takes memory
//! and tens of milliseconds.
//!
//! Not here: who is asked for a password, and how often (`sign_in`, `throttle`).

use crate::{
    limits::{self, CallerKind, Limit, Pot, PotPlace, Taker},
    runtime::turn_gate::{Turn, TurnGate},
    thread_priority,
};
use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};

/// Used as the hash of a user that does not exist, so that an unknown name takes as long as a wrong
/// password.
const UNKNOWN_USER_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Permits to hash.
pub(super) struct Hashing {
    /// Callers take turns; those without a share of their own count as one.
    running: TurnGate<Option<Taker>>,
    admitted: Pot,
}

impl Default for Hashing {
    fn default() -> Self {
        let (running, all) = (
            limits::HASHES,
            limits::HASHES + limits::PASSWORDS_WAITING.get(),
        );
        Self {
            running: TurnGate::new(running),
            admitted: Pot::with_part(
                all,
                limits::PASSWORDS_WAITING_PER_ADDRESS.get(),
                Limit::PasswordChecks,
            ),
        }
    }
}

/// A permit to hash once.
pub(super) struct HashPermit {
    _running: Turn<Option<Taker>>,
    _admitted: PotPlace,
}

impl Hashing {
    /// Waits for a permit; `None` when too many wait for another caller of this kind.
    pub async fn turn(&self, kind: CallerKind) -> Option<HashPermit> {
        let admitted = self.admitted.take(kind)?;
        Some(self.run(admitted, None).await)
    }

    /// The same for a sign-in; only a few from one address may wait.
    pub async fn turn_for(&self, taker: Taker) -> Option<HashPermit> {
        let admitted = self.admitted.take_for(taker.clone())?;
        Some(self.run(admitted, Some(taker)).await)
    }

    async fn run(&self, admitted: PotPlace, of: Option<Taker>) -> HashPermit {
        HashPermit {
            _running: self.running.turn(of).await,
            _admitted: admitted,
        }
    }
}

/// Whether a text is a hash that a password can be compared with.
pub(super) fn is_hash(text: &str) -> bool {
    PasswordHash::new(text).is_ok()
}

impl HashPermit {
    /// The hash of a new password as a PHC string; `None` when the system gives no random salt.
    pub async fn hash(self, password: String) -> Option<String> {
        let hashed = thread_priority::beside_in(self, move || {
            Argon2::default()
                .hash_password(password.as_bytes())
                .map(|hash| hash.to_string())
        });
        hashed
            .await?
            .inspect_err(|error| log::error!("a password cannot be hashed: {error}"))
            .ok()
    }

    /// Whether the password matches the hash; without a hash never, which takes as long.
    pub async fn fits(self, password: String, hash: Option<String>) -> bool {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| UNKNOWN_USER_HASH.to_owned());
        let verified = thread_priority::beside_in(self, move || {
            Argon2::default()
                .verify_password(password.as_bytes(), hash.as_str())
                .is_ok()
        });
        verified.await.unwrap_or(false) && known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_matches_its_password_only_and_a_missing_hash_none() {
        let hashing = Hashing::default();
        let hash = hashing
            .turn(CallerKind::Staff)
            .await
            .unwrap()
            .hash("sésame".into())
            .await
            .unwrap();
        let fits = async |password: &str, hash: Option<String>| {
            hashing
                .turn(CallerKind::Staff)
                .await
                .unwrap()
                .fits(password.to_owned(), hash)
                .await
        };
        assert!(fits("sésame", Some(hash.clone())).await);
        assert!(!fits("sesame", Some(hash.clone())).await);
        assert!(!fits("sésame", None).await);
        assert!(!fits("sésame", Some("no hash".into())).await);
        let cost = |text: &str| text.rsplitn(3, '$').last().map(str::to_owned);
        assert_eq!(
            cost(&hash),
            cost(UNKNOWN_USER_HASH),
            "an unknown name costs the same"
        );
    }

    #[tokio::test]
    async fn the_queue_of_password_checks_is_bounded() {
        let hashing = Hashing::default();
        let all = |kind| std::iter::from_fn(|| hashing.admitted.take(kind)).collect::<Vec<_>>();
        let strangers = all(CallerKind::Anonymous);
        assert!(hashing.turn(CallerKind::Anonymous).await.is_none());
        assert!(hashing.turn(CallerKind::User).await.is_some());
        let others = all(CallerKind::Staff);
        assert_eq!(
            strangers.len() + others.len(),
            limits::HASHES + limits::PASSWORDS_WAITING.get()
        );
        assert!(hashing.turn(CallerKind::Staff).await.is_none());
        drop((strangers, others));
        assert!(hashing.turn(CallerKind::Staff).await.is_some());
    }
    #[tokio::test]
    async fn one_address_leaves_turns_to_others() {
        let hashing = Hashing::default();
        let from = |last: u8| Taker::Stranger(Some([10, 0, 0, last].into()));
        let held: Vec<PotPlace> =
            std::iter::from_fn(|| hashing.admitted.take_for(from(1))).collect();
        assert_eq!(held.len(), limits::PASSWORDS_WAITING_PER_ADDRESS.get());
        assert!(hashing.turn_for(from(1)).await.is_none());
        assert!(hashing.turn_for(from(2)).await.is_some());
    }
}
