//! Whom a token speaks for, held against the users of this server: a removed user's tokens are
//! refused, and so are those from before a revocation.
//!
//! Not here: what makes a token genuine (`token`), what may be done to a user (`runtime::users`).

use super::{
    super::sessions::Sessions,
    token::{Identity, TokenError},
};
use crate::runtime::clock::real_now;

impl Sessions {
    /// Who the token speaks for now.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn identify(&self, token: &str) -> Result<Identity, TokenError> {
        self.still_good(self.tokens.verify(token, real_now())?)
    }

    /// An identity that was verified earlier, as a ticket's was.
    ///
    /// # Errors
    /// [`TokenError::Revoked`].
    pub fn still_good(&self, identity: Identity) -> Result<Identity, TokenError> {
        let admitted =
            self.runtime
                .users
                .admits(&identity.tenant, &identity.subject, identity.issued_at);
        if admitted {
            Ok(identity)
        } else {
            Err(TokenError::Revoked)
        }
    }
}
