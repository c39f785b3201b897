//! Identifies the client of a connection: by `hello` and by tokens sent later; ends the connection
//! when its tokens expire.
//!
//! Not here: how a token is read (`token`, `authentication`), what its bearer may do
//! (`engine::access`).

use std::time::Duration;

use bytestring::ByteString;

use super::{
    auth::{
        principal::Principal,
        token::{Identity, TokenError},
    },
    connection::Connection,
    input_schemas::SentSchemas,
    outgoing::Out,
    protocol::{
        client::{FrameId, Hello},
        close::{Close, CloseCode, TOKEN_INVALID},
        code::ErrorCode,
        server::{RateEntry, Reply, ResyncReason, ServerFrame, Welcome},
        step::AuthResult,
        wire_error::WireError,
    },
};
use crate::limits::{self, Limit, Taker};

impl Connection {
    pub(super) fn hello(&mut self, hello: Hello) {
        let identity = match (&hello.token, self.ticket.take()) {
            (Some(token), _) => self.sessions.identify(token).map(Some),
            (None, Some(ticket)) => self.sessions.check_again(ticket).map(Some),
            (None, None) => Ok(None),
        };
        let principal = match identity {
            Ok(identity) => Principal::new(identity),
            Err(error) => {
                log::debug!("a hello was refused: {error}");
                return self.close(close_for(&error));
            }
        };
        let limits = &self.sessions.limits;
        let welcome = Welcome {
            connection: &self.id.to_string(),
            user: &principal.caller.subject,
            log: &self.sessions.runtime.log.to_string(),
            expires_at: principal
                .identity
                .as_ref()
                .and_then(|identity| identity.expires_at)
                .map(|time| time.to_string()),
            ping_seconds: limits::PING_SECONDS,
            max_message_bytes: limits::MESSAGE_BYTES,
            rate: RateEntry {
                per_second: limits.rate_per_second,
                burst: limits.rate_burst,
            },
        };
        let text = welcome.text();
        self.out.push_back(Out::Text(text));
        self.payer = self.sessions.payer(Some(&principal), self.address);
        let stranger = Taker::Stranger(self.address.map(limits::network));
        self.out.count_for(principal.taker().unwrap_or(stranger));
        self.principal = Some(principal);
        self.client = hello.client;
        self.schemas = SentSchemas::wanted(hello.schemas);
        let same_log = hello
            .log
            .as_deref()
            .is_none_or(|log| log == self.sessions.runtime.log.to_string());
        for point in hello.resume {
            self.resume(point, same_log);
        }
    }

    pub(super) fn auth(&mut self, id: &FrameId, token: &str) {
        let (Some(principal), verified) = (&mut self.principal, self.sessions.identify(token))
        else {
            return;
        };
        let error = match verified {
            Ok(identity) if principal.has_many_trees() && principal.may_add_tree(&identity) => {
                Limit::AnonymousTrees.refused();
                let sentence = format!(
                    "expected tokens of at most {} instance trees, but this is one more",
                    limits::SUBSCRIPTIONS.get()
                );
                WireError::new(ErrorCode::TooLarge, sentence)
            }
            Ok(identity) if principal.may_add_tree(&identity) => {
                let reply = authenticated(id, &identity);
                principal.add_tree(identity);
                return self.out.push_back(Out::Text(reply));
            }
            Ok(identity) if principal.identity.is_none() || principal.is(&identity) => {
                return self.replace_principal(id, identity);
            }
            Ok(_) => WireError::new(
                ErrorCode::Forbidden,
                "expected a token of the same subject, but it has another subject: open a new \
                connection",
            ),
            Err(TokenError::Expired) => WireError::new(
                ErrorCode::TokenExpired,
                "expected a valid token, but it has expired",
            ),
            Err(error) => WireError::new(ErrorCode::Unauthenticated, error.to_string()),
        };
        self.send_error(Some(id.as_str()), None, &error);
    }

    /// Continues as this user, and reads what is followed again if the permissions differ.
    fn replace_principal(&mut self, id: &FrameId, identity: Identity) {
        let reply = authenticated(id, &identity);
        let principal = Principal::new(Some(identity));
        self.payer = self.sessions.payer(Some(&principal), self.address);
        if let Some(taker) = principal.taker() {
            self.out.count_for(taker);
        }
        let before = self.principal.replace(principal);
        self.out.push_back(Out::Text(reply));
        if before.is_none_or(|before| Some(before.caller) != self.caller()) {
            self.read_again(ResyncReason::Access);
            self.list_again(ResyncReason::Access);
        }
    }

    pub(super) fn close_if_expired(&mut self) {
        if self.expires_within(Duration::ZERO) {
            self.close(CloseCode::Token);
        }
    }

    /// Whether the token ends within this time, or has ended.
    pub(super) fn expires_within(&self, time: Duration) -> bool {
        let rest = self.principal.as_ref().and_then(Principal::token_rest);
        rest.is_some_and(|rest| rest <= time)
    }

    /// Closes the connection if the user's access was revoked: frames that wait are not sent.
    pub(super) fn close_if_revoked(&mut self) {
        let identity = self
            .principal
            .as_ref()
            .and_then(|principal| principal.identity.clone());
        if identity.is_some_and(|identity| self.sessions.check_again(identity).is_err()) {
            self.out.clear();
            self.close(CloseCode::Revoked);
        }
    }
}

/// How to close a connection whose token is not accepted.
fn close_for(error: &TokenError) -> Close {
    match error {
        TokenError::Revoked => CloseCode::Revoked.into(),
        TokenError::Expired => CloseCode::Token.into(),
        TokenError::Invalid(sentence) => Close::because(
            CloseCode::Token,
            format!("{TOKEN_INVALID}{sentence}"),
            "token invalid: get another one".into(),
        ),
    }
}

/// The reply to `auth`.
fn authenticated(id: &FrameId, identity: &Identity) -> ByteString {
    let result = AuthResult {
        expires_at: identity.expires_at.map(|time| time.to_string()),
    };
    Reply {
        id: id.as_str(),
        seq: None,
        duplicate: false,
        result,
    }
    .text()
}
