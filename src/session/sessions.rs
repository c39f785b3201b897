//! The state that all connections and requests share.

use std::{net::IpAddr, sync::Arc, time::Instant};

use super::{
    auth::{principal::Principal, token::Tokens},
    origin::OriginKey,
    outgoing::LongFrames,
    shared_rates::{Charge, Debt, Payer, RateExceeded, SharedRates},
};
use crate::{
    limits::{self, Limit, Limits, Pot},
    runtime::{
        Runtime, StartRequest, Stranger,
        correlations::publish::{PublishReply, Published},
        written_for::WrittenFor,
    },
};

/// The state that all connections and requests share.
pub struct Sessions {
    /// The running system.
    pub runtime: Arc<Runtime>,
    /// Verifies tokens.
    pub tokens: Arc<Tokens>,
    /// Limits an operator may change.
    pub limits: Limits,
    /// The rates of users and addresses.
    pub rates: Arc<SharedRates>,
    /// The pot of all subscriptions.
    pub subscriptions: Pot,
    /// Memory for bodies of requests, and for answers and frames that are not read yet.
    pub memory: Pot,
    pub(super) long_frames: Arc<LongFrames>,
    origins: OriginKey,
}

impl Sessions {
    /// The sessions of a running system, with these tokens and limits. `secret` is the key of
    /// origins; unread frames take their space from `memory`.
    pub fn new(
        runtime: Arc<Runtime>,
        tokens: Arc<Tokens>,
        limits: Limits,
        secret: &str,
        memory: Pot,
    ) -> Self {
        let rates = Arc::new(SharedRates::new(&limits));
        let of_writers = rates.clone();
        let owe = move |whom: WrittenFor<'_>, bytes| of_writers.owe_written(whom, bytes);
        runtime.on_written(Box::new(owe));
        Self {
            long_frames: LongFrames::new(memory.clone()),
            memory,
            runtime,
            tokens,
            limits,
            rates,
            subscriptions: Pot::new(
                limits::SUBSCRIPTIONS_IN_ALL.get(),
                Limit::SubscriptionsInAll,
            ),
            origins: OriginKey::new(secret),
        }
    }

    /// Whose rates the requests of `principal` from `address` count for.
    pub fn payer(&self, principal: Option<&Principal>, address: Option<IpAddr>) -> Payer {
        self.rates.payer(principal, address)
    }

    /// Counts a publication as a start.
    ///
    /// # Errors
    /// When the rate is used up.
    pub fn admit_publish(&self, payer: Payer) -> Result<(), RateExceeded> {
        self.rates.admit(payer, Charge::Start, Instant::now())
    }

    /// Charges a publication of so many bytes when it is answered, whether its client waits for the
    /// answer or not.
    pub fn charging(
        self: &Arc<Self>,
        (payer, bytes): (Payer, usize),
        reply: PublishReply,
    ) -> PublishReply {
        let sessions = self.clone();
        Box::new(move |published| {
            if let Ok(published) = &published {
                sessions.owe_receivers(payer, bytes, published);
            }
            reply(published);
        })
    }

    /// Charges the receivers of a publication beyond the first, for which it was admitted: its data
    /// are written for each of them, and some are instances that it has started. A repeat has none.
    pub fn owe_receivers(&self, payer: Payer, bytes: usize, published: &Published) {
        if published.is_repeat {
            return;
        }
        let outcome = &published.outcome;
        let debt = Debt {
            bytes: bytes.saturating_mul(outcome.copies().saturating_sub(1)),
            starts: outcome.all_started().saturating_sub(1) as f64,
        };
        self.rates.owe(payer, debt, Instant::now());
    }

    /// Counts a start, and records the origin of a stranger's.
    ///
    /// # Errors
    /// When the rate is used up.
    pub fn admit_start(
        &self,
        request: &mut StartRequest,
        payer: Payer,
        address: Option<IpAddr>,
    ) -> Result<(), RateExceeded> {
        self.rates.admit(payer, Charge::Start, Instant::now())?;
        if request.anonymous {
            request.stranger = Stranger {
                origin: address.map(|address| self.origins.of(address)),
                maximum: self.limits.anonymous_instances,
                expiry: self.limits.anonymous_instance_expiry,
            };
        }
        Ok(())
    }
}
