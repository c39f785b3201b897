//! Input of an instance from others in a random run: messages of parents and children, messages and
//! signals.

use super::*;

impl Run<'_> {
    /// A message of a parent, a child or a stranger.
    pub(super) fn receive(&mut self, peer: usize, what: u8, again: u64, payload: &str) {
        let children = self.subject.state().children().iter();
        // Ended senders rarely send.
        let speaking =
            children.filter(|(_, child)| child.status.is_live() || peer.is_multiple_of(5));
        let children: Vec<InstanceKey> = speaking.map(|(key, _)| *key).collect();
        let from = match peer % 8 {
            0 => PARENT,
            1 => stranger(peer as u64 % 3),
            _ => pick(&children, peer / 8).copied().unwrap_or(PARENT),
        };
        let received = self
            .subject
            .state()
            .children()
            .get(&from)
            .map_or(self.subject.state().parent_received(), |child| {
                child.start.received
            });
        let number = received + again.min(1);
        let object = object(payload);
        let (node, action) = ("there".to_owned(), "send".to_owned());
        let message = match what {
            0 => InstanceMessage::Push {
                kind: MessageType::Default,
                body: object,
                node,
                action,
            },
            1 => InstanceMessage::Push {
                kind: MessageType::Action,
                body: object,
                node,
                action,
            },
            2 => InstanceMessage::Append { patch: object },
            3 => InstanceMessage::Ended {
                status: Status::Terminated,
                result: None,
                error: None,
                carried: Map::new(),
            },
            8 => InstanceMessage::Ended {
                status: Status::Failed,
                result: None,
                error: Some("POOR".to_owned()),
                carried: Map::new(),
            },
            9 => InstanceMessage::Escalation {
                code: "LATE".to_owned(),
                carried: Map::new(),
                data: None,
            },
            4 => InstanceMessage::StartRefused {
                message: "it is not published".to_owned(),
            },
            5 => {
                let open = self.subject.state().open(self.subject.now).next();
                let offer = open.map(|(seq, _)| seq);
                let start = self.subject.child(from, offer);
                return self.apply(Command::StartChild(Box::new(start)));
            }
            6 if from == PARENT && peer.is_multiple_of(5) => InstanceMessage::End {
                status: Status::Terminated,
            },
            6 if from == PARENT => InstanceMessage::ParentFinished,
            _ => InstanceMessage::Ended {
                status: Status::Finished,
                result: Some(object),
                error: None,
                carried: Map::new(),
            },
        };
        self.apply(Command::Receive {
            trace: None,
            from,
            number,
            message: Box::new(message),
        });
    }

    /// A subscribed event occurs, in most cases for the first time.
    pub(super) fn deliver(&mut self, index: usize, again: u8, payload: &str) {
        let waits: Vec<_> = self.subject.waits.keys().cloned().collect();
        let Some((by, event)) = pick(&waits, index).cloned() else {
            return;
        };
        let open = self.subject.state().subscriptions(by);
        let taken =
            open.and_then(|open| open.get(&event))
                .map_or(0, |open| match open.subscription() {
                    Subscription::Message { taken, .. } | Subscription::Signal { taken, .. } => {
                        *taken
                    }
                    Subscription::Timer { .. }
                    | Subscription::Escalation
                    | Subscription::Conditional { .. } => 0,
                });
        self.apply(Command::Deliver(Box::new(EventDelivery {
            trace: None,
            by,
            event,
            number: taken + u64::from(again.min(1)),
            data: object(payload).into(),
        })));
    }
}
