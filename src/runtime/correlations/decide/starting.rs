//! Instances that a message or signal starts: their keys and their start data.
//!
//! Not here: whether one may start ([`super`]).

use serde_json::Value;

use super::{CorrelationStep, EventStart};
use crate::{
    engine::{
        instance_message::InstanceMessage,
        record::{Created, created::ProcessRef},
    },
    model::ids::InstanceKey,
    runtime::correlations::{decided::Outgoing, record::CorrelationRecord},
};

impl CorrelationStep<'_> {
    /// Starts an instance with a publication. With `alone`, no other instance of its process and
    /// key may be started while it is live.
    pub(super) fn start(&mut self, publication: u64, start: &EventStart, alone: bool) {
        let Some(kept) = self.state.publication(publication) else {
            return;
        };
        let (data, trace) = (Value::clone(&kept.data), kept.trace.clone());
        let business_key = kept.business_key.as_deref().map(str::to_owned);
        let instance = (self.around.start_key)(publication, &start.process);
        let number = self.record(CorrelationRecord::Started {
            publication,
            process: start.process.clone(),
            instance,
            alone,
        });
        let mut head = self.head(start, instance, data, alone);
        head.business_key = business_key;
        self.outgoing.push(Outgoing {
            number,
            target: Some(instance),
            message: InstanceMessage::StartByEvent {
                head: Box::new(head),
                start_event: start.event.clone(),
            },
            publication: None,
            trace,
        });
    }

    fn head(&self, start: &EventStart, key: InstanceKey, data: Value, alone: bool) -> Created {
        let started_by = format!(
            "{}{}",
            crate::model::user_name::BY_EVENT,
            self.around.correlation.name()
        );
        Created {
            key,
            tenant: self.around.tenant.to_owned(),
            process: ProcessRef {
                id: start.process.to_string(),
                version: 0,
                revision: String::new(),
            },
            business_key: None,
            parent: None,
            started_by,
            data,
            expires_at: None,
            origin: None,
            test: false,
            scheduled_for: None,
            correlation: alone.then(|| self.around.correlation.clone()),
        }
    }
}
