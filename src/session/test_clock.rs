//! The commands `clock` and `idle`: under `--test-clock` an operator of the server moves the
//! process time, and waits until everything that follows from it is done.

use super::{
    auth::principal::Principal,
    connection::Connection,
    inbox::{CommandKind, PendingCommand},
    outgoing::Out,
    protocol::{
        client::FrameId,
        clock::ClockMove,
        code::ErrorCode,
        server::{Reply, ServerFrame},
        step::ClockResult,
        wire_error::WireError,
    },
};
use crate::runtime::instance_request::InstanceResponse;

impl Connection {
    pub(super) fn move_clock(&mut self, id: &FrameId, to: ClockMove) {
        if let Err(error) = self.may_use_clock() {
            return self.send_error(Some(id.as_str()), None, &error);
        }
        let clock = &self.sessions.runtime.clock;
        let target = match to {
            ClockMove::Set(time) => Some(time),
            ClockMove::Advance(span) => clock.now().plus(&span),
        };
        let Some(now) = target.and_then(|target| clock.set(target)) else {
            let sentence = "expected a time before the year 10000, but the clock would be beyond \
                it: advance it less";
            return self.send_error(
                Some(id.as_str()),
                None,
                &WireError::new(ErrorCode::BadRequest, sentence),
            );
        };
        let result = ClockResult {
            now: now.to_string(),
        };
        let text = Reply {
            id: id.as_str(),
            seq: None,
            duplicate: false,
            result,
        }
        .text();
        self.out.push_back(Out::Text(text));
    }

    pub(super) fn idle(&mut self, id: FrameId) {
        if let Err(error) = self.may_use_clock() {
            return self.send_error(Some(id.as_str()), None, &error);
        }
        if let Some(reply) = self.pending(PendingCommand {
            id,
            kind: CommandKind::Other,
        }) {
            self.sessions
                .runtime
                .when_idle(move || reply.send(InstanceResponse::Unchanged));
        }
    }

    fn may_use_clock(&self) -> Result<(), WireError> {
        if !self.sessions.runtime.clock.is_virtual() {
            let sentence = "expected a server whose clock can be set, but this one runs in real \
                time: start it with --test-clock";
            return Err(WireError::new(ErrorCode::Unsupported, sentence));
        }
        let principal = self.principal.as_ref();
        if principal.is_some_and(Principal::is_server_operator) {
            return Ok(());
        }
        Err(WireError::new(
            ErrorCode::Forbidden,
            "expected role server-operator for the clock, which is that of all tenants, but the \
            token does not grant it; ask the server's owner for it",
        ))
    }
}
