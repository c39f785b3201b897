//! The principal of a connection or a request: the identity of its token, and the same as the
//! engine's caller.
//!
//! Not here: how a token is read (`token`), what an instance lets its caller do (`engine::access`).
//!
//! # Rationale
//!
//! **Tokens of several trees add up on an anonymous connection**, by `auth`: a token is valid for
//! one tree, and a visitor with several trees needs no connection for each. The token that expires
//! first ends the connection, so that no permission outlasts its token.
//!
//! **An anonymous connection may act on what it has started** without a new `hello`; the token is
//! for later connections.
//!
//! **All holders of a tree's token are one subject for command ids**, so that a repeat is
//! recognised on a new connection with the token.

use std::{net::IpAddr, sync::Arc, time::Duration};

use uuid::Uuid;

use super::{token::Identity, token_end::TokenEnd};
use crate::{
    engine::{access::Caller, trace::TraceContext},
    limits::{self, CallerKind, Taker},
    model::ids::InstanceKey,
};

/// The user of a connection or a request, or a stranger.
#[derive(Clone, Debug)]
pub struct Principal {
    /// From the token; `None` for a client without one.
    pub identity: Option<Identity>,
    /// The same as the engine's caller.
    pub caller: Caller,
    token_end: Option<TokenEnd>,
}

/// Whether [`Principal::user`] names a user of this tenant.
pub fn is_of_tenant(user: &str, tenant: &str) -> bool {
    user.strip_prefix(&format!("{tenant:?}"))
        .is_some_and(|rest| rest.starts_with('/'))
}

impl Principal {
    /// The principal of this identity; without one, a stranger with a subject of its own.
    pub fn new(identity: Option<Identity>) -> Self {
        let shown = identity
            .clone()
            .unwrap_or_else(|| Identity::anonymous(Uuid::now_v7()));
        let trees: Option<Arc<[InstanceKey]>> = match (&identity, shown.instance) {
            (None, _) => Some(Arc::from([])),
            (Some(_), Some(root)) => Some(Arc::from([root])),
            (Some(_), None) => None,
        };
        let operator = shown.is_operator();
        // A token of a tree has no roles, whatever it claims.
        let roles = if trees.is_some() {
            Arc::from([])
        } else {
            Arc::from(shown.roles)
        };
        let token_end = end_of(identity.as_ref());
        Self {
            identity,
            token_end,
            caller: Caller {
                subject: shown.subject,
                tenant: shown.tenant,
                roles,
                operator,
                trees,
                address: None,
                trace: None,
            },
        }
    }

    /// The same, at this address and with a command of this trace.
    pub fn at(mut self, address: Option<IpAddr>, trace: Option<TraceContext>) -> Self {
        self.caller.address = address;
        self.caller.trace = trace.map(Arc::new);
        self
    }

    /// The tenant and subject, by which connections are counted.
    pub fn user(&self) -> String {
        self.caller.user()
    }

    /// Whose part of shared pots it takes; `None` without a user's token, where the address counts:
    /// a stranger has a token for each tree that it has started.
    pub fn taker(&self) -> Option<Taker> {
        (!self.is_anonymous()).then(|| self.caller.taker())
    }

    /// Whether it may change definitions.
    pub fn is_designer(&self) -> bool {
        self.identity.as_ref().is_some_and(Identity::is_designer)
    }

    /// Whether it may do everything in its tenant: role `admin`.
    pub fn is_admin(&self) -> bool {
        self.identity.as_ref().is_some_and(Identity::is_admin)
    }

    /// Whether it may operate the server as a whole: role `server-operator`.
    pub fn is_server_operator(&self) -> bool {
        let identity = self.identity.as_ref();
        identity.is_some_and(Identity::is_server_operator)
    }

    /// Whether it may look after processes: as operator, or because it may change definitions.
    pub fn is_staff(&self) -> bool {
        self.is_designer() || self.identity.as_ref().is_some_and(Identity::is_operator)
    }

    /// Whether only processes with anonymous start may be started.
    pub fn is_anonymous(&self) -> bool {
        self.caller.trees.is_some()
    }

    /// The kind of caller, for shares of common resources.
    pub fn kind(&self) -> CallerKind {
        self.caller.kind()
    }

    /// An anonymous client has started another instance of its own.
    pub fn adopt(&mut self, subject: String, root: InstanceKey) {
        self.caller.subject = subject;
        self.caller.trees = Some(self.trees_and(root));
    }

    /// Whether a token adds a tree to those it may see: it has no token, or that of another tree.
    pub fn may_add_tree(&self, identity: &Identity) -> bool {
        let known = self.caller.trees.as_deref();
        identity
            .instance
            .is_some_and(|root| known.is_some_and(|known| known != [root]))
            && identity.tenant == self.caller.tenant
    }

    /// Whether it has sent tokens for as many trees as one connection may follow.
    pub fn has_many_trees(&self) -> bool {
        self.caller
            .trees
            .as_deref()
            .is_some_and(|trees| trees.len() >= limits::SUBSCRIPTIONS.get())
    }

    /// Adds the tree of another token. Of several tokens, the one that expires first ends the
    /// connection.
    pub fn add_tree(&mut self, identity: Identity) {
        let Some(root) = identity.instance else {
            return;
        };
        self.adopt(identity.subject.clone(), root);
        if self
            .identity
            .as_ref()
            .is_none_or(|former| identity.expires_at < former.expires_at)
        {
            self.token_end = end_of(Some(&identity));
            self.identity = Some(identity);
        }
    }

    /// How long its token is still valid; `None` for a token that does not expire.
    pub fn token_rest(&self) -> Option<Duration> {
        self.token_end.map(TokenEnd::rest)
    }

    /// The trees it may see, and one more.
    pub fn trees_and(&self, root: InstanceKey) -> Arc<[InstanceKey]> {
        let known = self.caller.trees.as_deref().unwrap_or_default();
        known
            .iter()
            .copied()
            .filter(|&tree| tree != root)
            .chain([root])
            .collect()
    }

    /// Whether a token belongs to the same user; a subject is only unique within its tenant.
    pub fn is(&self, identity: &Identity) -> bool {
        identity.subject == self.caller.subject && identity.tenant == self.caller.tenant
    }
}

fn end_of(identity: Option<&Identity>) -> Option<TokenEnd> {
    identity?.expires_at.map(TokenEnd::at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holders_of_tree_tokens_take_the_part_of_strangers_at_their_address() {
        let address = Some(IpAddr::from([192, 0, 2, 1]));
        let at = |identity| Principal::new(identity).at(address, None);
        let user = Identity::anonymous(Uuid::from_u128(1));
        let visitor = Identity {
            instance: Some(InstanceKey(Uuid::from_u128(2))),
            ..user.clone()
        };
        for stranger in [at(None), at(Some(visitor))] {
            assert_eq!(stranger.taker(), None);
            assert_eq!(stranger.caller.taker(), Taker::Stranger(address));
        }
        let of_user = at(Some(user)).taker();
        assert!(matches!(of_user, Some(Taker::User(_))), "{of_user:?}");
        let of_operator = at(Some(Identity::owner())).taker();
        assert!(matches!(of_operator, Some(Taker::Operator(_))));
    }
}
