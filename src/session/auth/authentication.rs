//! Checks the identity of a token against the users of this server: tokens of a removed user are
//! refused, and so are those from before a revocation.
//!
//! Not here: whether a token is genuine (`token`), changes of users (`runtime::users`).

use super::{
    super::sessions::Sessions,
    token::{Identity, TokenError},
};
use crate::runtime::clock::real_now;

impl Sessions {
    /// The identity of the token, if it is valid now.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn identify(&self, token: &str) -> Result<Identity, TokenError> {
        self.check_again(self.tokens.verify(token, real_now())?)
    }

    /// An identity that was verified earlier, such as that of a ticket.
    ///
    /// # Errors
    /// [`TokenError::Revoked`].
    pub fn check_again(&self, identity: Identity) -> Result<Identity, TokenError> {
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
