//! Who is at the other end of a connection or a request: the token's identity, and the same in the
//! engine's terms.
//!
//! Not here: how a token is read (`token`), what an instance lets its caller do (`engine::access`).
//!
//! # Why so
//!
//! **Tokens of several trees add up on an anonymous connection**, by `auth`: a token stays good
//! for one tree, and a visitor with several needs no connection for each. The one that ends
//! first ends the connection, so that no right outlives its token.
//!
//! **An anonymous connection may act on what it started** without a new `hello`; the token is
//! for later connections.
//!
//! **Anyone who shows a tree's token is one subject for command ids**, so a resend is recognised
//! on a connection that came back with it.

use std::{net::IpAddr, sync::Arc, time::Duration};

use uuid::Uuid;

use super::{token::Identity, token_end::TokenEnd};
use crate::{
    engine::{access::Caller, trace::TraceContext},
    limits::{self, CallerKind},
    model::ids::InstanceKey,
};

/// Who is at the other end.
#[derive(Clone, Debug)]
pub struct Principal {
    /// From the token; `None` for a client without one.
    pub identity: Option<Identity>,
    /// The same in the engine's terms.
    pub caller: Caller,
    token_end: Option<TokenEnd>,
}

/// Whether what connections are counted under, [`Principal::user`], is somebody of this tenant.
pub fn is_of_tenant(user: &str, tenant: &str) -> bool {
    user.strip_prefix(&format!("{tenant:?}"))
        .is_some_and(|rest| rest.starts_with('/'))
}

impl Principal {
    /// The bearer of this identity; without one a stranger with a subject of its own.
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
        // A token of a tree has no roles, whatever it lists.
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

    /// The same, at this address, with a command that belongs to this trace.
    pub fn at(mut self, address: Option<IpAddr>, trace: Option<TraceContext>) -> Self {
        self.caller.address = address;
        self.caller.trace = trace.map(Arc::new);
        self
    }

    /// The tenant and subject: what connections are counted under. The tenant is quoted, as it may
    /// hold any sign.
    pub fn user(&self) -> String {
        format!("{:?}/{}", self.caller.tenant, self.caller.subject)
    }

    /// Whether it may change definitions.
    pub fn is_designer(&self) -> bool {
        self.identity.as_ref().is_some_and(Identity::is_designer)
    }

    /// Whether it may do everything in its tenant: role `admin`.
    pub fn is_admin(&self) -> bool {
        self.identity.as_ref().is_some_and(Identity::is_admin)
    }

    /// Whether it has to do with the server as a whole: role `server-operator`.
    pub fn is_server_operator(&self) -> bool {
        let identity = self.identity.as_ref();
        identity.is_some_and(Identity::is_server_operator)
    }

    /// Whether it looks after processes: those who change definitions, and operators.
    pub fn is_staff(&self) -> bool {
        self.is_designer() || self.identity.as_ref().is_some_and(Identity::is_operator)
    }

    /// Whether only processes with anonymous start may be started.
    pub fn is_anonymous(&self) -> bool {
        self.caller.trees.is_some()
    }

    /// What share of what all use is theirs.
    pub fn kind(&self) -> CallerKind {
        self.caller.kind()
    }

    /// An anonymous client has started another instance of its own.
    pub fn adopt(&mut self, subject: String, root: InstanceKey) {
        self.caller.subject = subject;
        self.caller.trees = Some(self.trees_and(root));
    }

    /// Whether a token adds a tree to those it may see: it came without a token, or with that of
    /// another tree.
    pub fn may_add_tree(&self, identity: &Identity) -> bool {
        let known = self.caller.trees.as_deref();
        identity
            .instance
            .is_some_and(|root| known.is_some_and(|known| known != [root]))
            && identity.tenant == self.caller.tenant
    }

    /// Whether it has shown tokens of as many trees as one connection may follow.
    pub fn has_many_trees(&self) -> bool {
        self.caller
            .trees
            .as_deref()
            .is_some_and(|trees| trees.len() >= limits::SUBSCRIPTIONS)
    }

    /// It has shown the token of another tree. Of several tokens, the one that ends first ends the
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

    /// How long its token is good yet; `None` for one that does not end.
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

    /// Whether a token speaks for the same user; a subject is unique within its tenant only.
    pub fn is(&self, identity: &Identity) -> bool {
        identity.subject == self.caller.subject && identity.tenant == self.caller.tenant
    }
}

fn end_of(identity: Option<&Identity>) -> Option<TokenEnd> {
    identity?.expires_at.map(TokenEnd::at)
}
