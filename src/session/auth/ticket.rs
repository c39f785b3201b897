//! One-time tickets: they replace a token where only a URL can be given (websocket, stream, sign-in
//! link).
//!
//! Not here: who may request one (`web`). Tickets are only in memory: after a restart clients
//! request new ones.

use std::{collections::HashMap, fmt, net::IpAddr, str::FromStr, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{principal::Principal, token::Identity};
use crate::{
    limits,
    model::ids::{InstanceKey, Time},
    session::protocol::quoted,
};

/// The purpose of a ticket; it is valid for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketUse {
    /// One websocket.
    Ws,
    /// One stream of this instance.
    Stream(InstanceKey),
    /// One sign-in to the pages.
    SignIn,
}

impl TicketUse {
    /// How long after its issue the ticket may be used.
    pub fn lifetime(self) -> Duration {
        match self {
            Self::Ws | Self::Stream(_) => limits::TICKET,
            Self::SignIn => limits::SIGN_IN_LINK,
        }
    }
}

impl FromStr for TicketUse {
    type Err = String;
    /// Reads the `for` of a ticket request: `ws`, `stream/KEY` or `signin`.
    fn from_str(text: &str) -> Result<Self, String> {
        let stream = text
            .strip_prefix("stream/")
            .and_then(|key| key.parse().ok());
        match (text, stream) {
            ("ws", _) => Ok(Self::Ws),
            ("signin", _) => Ok(Self::SignIn),
            (_, Some(key)) => Ok(Self::Stream(key)),
            _ => Err(format!(
                "expected 'for' to be ws, stream/KEY or signin, but it is {}",
                quoted(text)
            )),
        }
    }
}

/// Why no ticket was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketError {
    /// Too many tickets wait for their use: `busy`, retryable.
    Full,
    /// The operating system gave no random bytes.
    Random,
}

impl fmt::Display for TicketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => {
                "expected capacity for another ticket, but too many tickets are unused: try again \
                in half a minute"
            }
            Self::Random => {
                "expected random bytes for a ticket, but the operating system gave \
                none"
            }
        })
    }
}

impl std::error::Error for TicketError {}

/// The unused tickets. Their lifetime is measured by a steady clock; the tokens behind them expire
/// by the machine's clock.
pub struct Tickets {
    open: HashMap<String, Ticket>,
    capacity: usize,
}

struct Ticket {
    purpose: TicketUse,
    identity: Identity,
    owner: TicketOwner,
    expires_at: Time,
}

/// Whose room a ticket takes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum TicketOwner {
    /// A user of a tenant, or the holder of a token of a tree whose address is not known.
    Subject(String, String),
    /// All clients of one network without a user's token.
    Network(IpAddr),
}

impl Tickets {
    /// No tickets yet; at most `capacity`.
    pub fn new(capacity: usize) -> Self {
        Self {
            open: HashMap::new(),
            capacity,
        }
    }

    /// Issues a ticket at `now` that is valid once for `purpose`, with this identity, requested
    /// from this address: 128 random bits as 22 characters that are safe in a URL.
    pub fn issue(
        &mut self,
        purpose: TicketUse,
        identity: Identity,
        address: Option<IpAddr>,
        now: Time,
    ) -> Result<String, TicketError> {
        let principal = Principal::new(Some(identity.clone()));
        let share = principal.caller.kind().share(self.capacity);
        if self.open.len() >= share {
            self.open.retain(|_, ticket| now < ticket.expires_at);
        }
        let owner = match address.filter(|_| principal.is_anonymous()) {
            Some(address) => TicketOwner::Network(limits::network(address)),
            None => TicketOwner::Subject(principal.caller.tenant, principal.caller.subject),
        };
        let is_own = |ticket: &&Ticket| now < ticket.expires_at && ticket.owner == owner;
        if self.open.len() >= share
            || self.open.values().filter(is_own).count() >= limits::TICKETS_PER_USER.get()
        {
            limits::Limit::Tickets.refused();
            return Err(TicketError::Full);
        }
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| TicketError::Random)?;
        let name = BASE64_URL_SAFE_NO_PAD.encode(random);
        let expires_at = Time(now.0.saturating_add(purpose.lifetime().as_millis() as i64));
        self.open.insert(
            name.clone(),
            Ticket {
                purpose,
                identity,
                owner,
                expires_at,
            },
        );
        Ok(name)
    }

    /// Takes a ticket: returns its identity if it was issued for `purpose`, is still valid at
    /// `now`, and its token is still valid by the `clock`. The ticket is used up in any case.
    pub fn take(
        &mut self,
        ticket: &str,
        purpose: TicketUse,
        now: Time,
        clock: Time,
    ) -> Option<Identity> {
        let found = self.open.remove(ticket)?;
        let token_is_good = found.identity.expires_at.is_none_or(|end| clock < end);
        let is_good = found.purpose == purpose && now < found.expires_at && token_is_good;
        is_good.then_some(found.identity)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn alice() -> Identity {
        Identity {
            subject: "alice".into(),
            ..Identity::anonymous(Uuid::nil())
        }
    }

    #[test]
    fn a_ticket_is_used_once_in_time_for_its_purpose() {
        let mut tickets = Tickets::new(10);
        let key = InstanceKey(Uuid::from_u128(7));
        let mut check = |purpose: TicketUse, used_for: TicketUse, after: i64, opens: bool| {
            let ticket = tickets.issue(purpose, alice(), None, Time(1_000)).unwrap();
            assert_eq!(ticket.len(), 22);
            assert_eq!(
                tickets
                    .take(&ticket, used_for, Time(1_000 + after), Time(0))
                    .is_some(),
                opens,
                "{purpose:?} {after}"
            );
            assert_eq!(
                tickets.take(&ticket, purpose, Time(1_000), Time(0)),
                None,
                "used up"
            );
        };
        check(TicketUse::Ws, TicketUse::Ws, 29_999, true);
        check(TicketUse::Ws, TicketUse::Ws, 30_000, false);
        check(TicketUse::SignIn, TicketUse::SignIn, 15 * 60_000 - 1, true);
        check(TicketUse::SignIn, TicketUse::SignIn, 15 * 60_000, false);
        check(TicketUse::Stream(key), TicketUse::Stream(key), 0, true);
        check(
            TicketUse::Stream(key),
            TicketUse::Stream(InstanceKey(Uuid::from_u128(8))),
            0,
            false,
        );
        check(TicketUse::Ws, TicketUse::SignIn, 0, false);
    }

    #[test]
    fn a_ticket_expires_with_its_token() {
        let mut tickets = Tickets::new(10);
        for (at, opens) in [(1_999, true), (2_000, false)] {
            let link = Identity {
                expires_at: Some(Time(2_000)),
                ..alice()
            };
            let ticket = tickets
                .issue(TicketUse::SignIn, link, None, Time(1_000))
                .unwrap();
            assert_eq!(
                tickets
                    .take(&ticket, TicketUse::SignIn, Time(1_000), Time(at))
                    .is_some(),
                opens,
                "{at}"
            );
        }
    }

    #[test]
    fn tickets_are_bounded_and_expired_ones_are_replaced() {
        let mut tickets = Tickets::new(3);
        tickets
            .issue(TicketUse::Ws, alice(), None, Time(0))
            .unwrap();
        let link = tickets
            .issue(TicketUse::SignIn, alice(), None, Time(0))
            .unwrap();
        assert_eq!(
            tickets.issue(TicketUse::Ws, alice(), None, Time(29_999)),
            Err(TicketError::Full)
        );
        tickets
            .issue(TicketUse::Ws, alice(), None, Time(30_000))
            .unwrap();
        assert_eq!(
            tickets.take(&link, TicketUse::SignIn, Time(30_000), Time(0)),
            Some(alice())
        );
        assert_eq!(tickets.take("guess", TicketUse::Ws, Time(0), Time(0)), None);
    }

    #[test]
    fn one_user_cannot_use_up_the_tickets_of_others() {
        let mut tickets = Tickets::new(10_000);
        for _ in 0..limits::TICKETS_PER_USER.get() {
            tickets
                .issue(TicketUse::Ws, alice(), None, Time(0))
                .unwrap();
        }
        assert_eq!(
            tickets.issue(TicketUse::SignIn, alice(), None, Time(29_999)),
            Err(TicketError::Full)
        );
        for (subject, tenant) in [("bob", "default"), ("alice", "other")] {
            let other = Identity {
                subject: subject.into(),
                tenant: tenant.into(),
                ..alice()
            };
            assert!(
                tickets.issue(TicketUse::Ws, other, None, Time(0)).is_ok(),
                "{subject} of {tenant}"
            );
        }
        assert!(
            tickets
                .issue(TicketUse::Ws, alice(), None, Time(30_000))
                .is_ok(),
            "the first ones are over"
        );
    }

    #[test]
    fn strangers_leave_tickets_to_users_and_users_to_operators() {
        let mut tickets = Tickets::new(limits::TICKETS.get());
        let mut taken = |principal: &dyn Fn(u32) -> (Identity, Option<IpAddr>)| -> u32 {
            let mut issue = |number: u32| {
                let (identity, address) = principal(number);
                let mut issue = || tickets.issue(TicketUse::Ws, identity.clone(), address, Time(0));
                (0..100).map_while(|_| issue().ok()).count() as u32
            };
            (0..200).map(&mut issue).sum()
        };
        let stranger = |number: u32| Identity {
            instance: Some(InstanceKey(Uuid::from_u128(number.into()))),
            ..Identity::anonymous(Uuid::from_u128(number.into()))
        };
        let named = |number: u32, roles: &[&str]| Identity {
            subject: number.to_string(),
            roles: roles.iter().map(|&role| role.to_owned()).collect(),
            ..Identity::anonymous(Uuid::nil())
        };
        // Whatever tokens strangers of one address use, together they have the room of one user.
        let one: IpAddr = [192, 0, 2, 1].into();
        let of_one = taken(&|number| (stranger(number), Some(one)));
        assert_eq!(of_one, limits::TICKETS_PER_USER.get() as u32);
        let elsewhere = |number: u32| std::net::Ipv4Addr::from(number).into();
        let of_all = taken(&|number| (stranger(number), Some(elsewhere(number))));
        assert_eq!(of_one + of_all, limits::TICKETS.get() as u32 / 2);
        let of_users = taken(&|number| (named(number, &[]), Some(one)));
        assert_eq!(of_users, limits::TICKETS.get() as u32 * 3 / 8);
        let operator = |_| (named(999, &["operator"]), Some(one));
        assert_eq!(taken(&operator), limits::TICKETS_PER_USER.get() as u32);
    }

    #[test]
    fn uses_are_read_from_text() {
        let key = InstanceKey(Uuid::from_u128(7));
        assert_eq!("ws".parse(), Ok(TicketUse::Ws));
        assert_eq!("signin".parse(), Ok(TicketUse::SignIn));
        assert_eq!(format!("stream/{key}").parse(), Ok(TicketUse::Stream(key)));
        assert!("stream/".parse::<TicketUse>().is_err());
        assert!("WS".parse::<TicketUse>().is_err());
    }
}
