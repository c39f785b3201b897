//! Applies the records of HTTP calls: placed, repeated, ended.

use crate::engine::{
    http_call::{CallKey, HttpCallRecord},
    state::{ElementInstance, InstanceState, OpenCall},
};

impl InstanceState {
    pub(super) fn http_calls(&mut self, seq: u64, record: &HttpCallRecord) {
        match record {
            HttpCallRecord::CallPlaced {
                call:
                    CallKey {
                        element,
                        action,
                        occurrence,
                    },
                request,
            } => {
                let request = (**request).clone();
                let open = OpenCall {
                    action: action.clone(),
                    occurrence: *occurrence,
                    request,
                    placed: seq,
                    under_way: Some(seq),
                };
                self.with(*element, |element| {
                    element.undelay(action, *occurrence);
                    element.http_calls.push(open);
                });
            }
            HttpCallRecord::CallRepeated { call } => self.with(call.element, |element| {
                set_under_way(element, call, Some(seq))
            }),
            HttpCallRecord::CallAnswered { call, .. } => {
                self.with(call.element, |element| set_under_way(element, call, None))
            }
            HttpCallRecord::WebhookPlaced { .. } => {}
        }
    }
}

fn set_under_way(element: &mut ElementInstance, call: &CallKey, number: Option<u64>) {
    let same =
        |open: &&mut OpenCall| open.action == call.action && open.occurrence == call.occurrence;
    if let Some(open) = element.http_calls.iter_mut().find(same) {
        open.under_way = number;
    }
}
