//! Signing in with a name and a password. The answer does not reveal whether the name exists.

use std::{error::Error, fmt, net::IpAddr, sync::PoisonError, time::Duration};

use super::{
    Users,
    throttle::{Throttle, Try, Wait},
};
use crate::{
    limits::{self, CallerKind, Taker},
    model::ids::Time,
};

/// A user who has signed in: the contents of the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// The user's name.
    pub subject: String,
    /// Its tenant.
    pub tenant: String,
    /// Its roles.
    pub roles: Vec<String>,
}

/// Why a sign-in failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInError {
    /// The name or the password is wrong.
    Wrong,
    /// Too many wrong passwords for this name or from this address: the next try is allowed after
    /// this time.
    Throttled(Duration),
    /// Too many sign in at the same time.
    Busy,
}

impl fmt::Display for SignInError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong => {
                f.write_str("expected the name and password of a user, but one of them is wrong")
            }
            Self::Throttled(wait) => {
                let seconds = wait.as_millis().div_ceil(1000);
                write!(
                    f,
                    "expected fewer wrong passwords, but there were too many: try again in \
                    {seconds} s"
                )
            }
            Self::Busy => f.write_str(
                "expected capacity for another sign-in, but too many wait: try again in a moment",
            ),
        }
    }
}

impl Error for SignInError {}

impl From<Wait> for SignInError {
    fn from(Wait(wait): Wait) -> Self {
        Self::Throttled(wait)
    }
}

impl Users {
    /// Checks a password. `from` is the client's address, if it is known; `now` is a steady time.
    /// It takes tens of milliseconds, off this thread, whether the name exists or not.
    ///
    /// # Errors
    /// [`SignInError`]; a removed user is treated like one that never existed.
    pub async fn sign_in(
        &self,
        tenant: &str,
        name: &str,
        password: &str,
        from: Option<IpAddr>,
        now: Time,
    ) -> Result<SignedIn, SignInError> {
        // No user can have such names, so refusing them reveals nothing; and no long text is kept.
        if tenant.len() > limits::NAME_BYTES
            || name.len() > limits::NAME_BYTES
            || password.len() > limits::PASSWORD_BYTES
        {
            return Err(SignInError::Wrong);
        }
        let attempt = Try::new(tenant, name, from);
        // Before the queue, so that throttled tries do not fill it.
        self.throttled(|throttle| throttle.check(&attempt, now))?;
        // An address from which the name has signed in before counts as the user's.
        let turn = match from {
            _ if self.throttled(|throttle| throttle.knows(&attempt)) => {
                let user = Taker::User(format!("{tenant}/{name}"));
                self.hashing.turn_for(user).await
            }
            Some(address) => {
                let stranger = Taker::Stranger(Some(limits::network(address)));
                self.hashing.turn_for(stranger).await
            }
            None => self.hashing.turn(CallerKind::Anonymous).await,
        };
        let turn = turn.ok_or(SignInError::Busy)?;
        self.throttled(|throttle| throttle.begin(&attempt, now))?;
        let hash = self
            .get(tenant, name)
            .and_then(|user| user.password_hash.clone());
        if !turn.fits(password.to_owned(), hash.clone()).await {
            return Err(SignInError::Wrong);
        }
        // The password may have been changed meanwhile; then this one is outdated.
        let user = self
            .get(tenant, name)
            .filter(|user| user.password_hash == hash)
            .ok_or(SignInError::Wrong)?;
        self.throttled(|throttle| throttle.was_right(&attempt, now));
        Ok(SignedIn {
            subject: user.name.clone(),
            tenant: user.tenant.clone(),
            roles: user.roles.clone(),
        })
    }

    fn throttled<T>(&self, look: impl FnOnce(&mut Throttle) -> T) -> T {
        look(&mut self.throttle.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
