//! The answers to requests of the entities of messages and signals, after their rows are durable.

use std::sync::Arc;

use super::{
    CorrelationReply,
    decided::{CorrelationAnswer, Outgoing, SettledDelivery},
};
use crate::{
    journal::{Entity, Written},
    runtime::{Runtime, event_log::NotedPublication, instance_request::Refusal},
};

impl Runtime {
    /// Answers a request without a row, because its effect is in the log already.
    pub(super) fn answer_repetition(
        &self,
        answer: CorrelationAnswer,
        noted: Option<NotedPublication>,
        reply: CorrelationReply,
    ) -> impl FnOnce(Written) + Send + 'static {
        let audit = self.audit.clone();
        move |written: Written| {
            if let (Ok(()), Some(noted)) = (written, noted) {
                noted.log();
                audit.note(noted.row(&answer.outcome));
            }
            reply(written.map(|()| answer).map_err(Refusal::from));
        }
    }

    /// Answers a request whose row is written, then sends the messages that follow from it.
    pub(super) fn after_correlation(
        self: &Arc<Self>,
        entity: Entity,
        answer: CorrelationAnswer,
        noted: Option<NotedPublication>,
        reply: CorrelationReply,
        (settled, outgoing): (Vec<SettledDelivery>, Vec<Outgoing>),
    ) -> impl FnOnce(Written) + Send + 'static {
        let runtime = self.clone();
        move |written: Written| match written {
            Ok(()) => {
                if let Some(noted) = noted {
                    noted.log();
                }
                // Counted as in progress before the sender receives the answer.
                let _active = runtime.active();
                // Before anything is delivered, so that a client that waits for a delivery misses
                // none.
                reply(Ok(answer));
                for settled in settled {
                    runtime.correlations.publishing.settled(entity, settled);
                }
                runtime.send(entity, outgoing);
            }
            Err(why) => reply(Err(why.into())),
        }
    }
}
