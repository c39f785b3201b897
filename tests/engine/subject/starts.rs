//! Starts instances: the one under test, and subprocesses of it.

use super::*;

impl Subject {
    /// The first record of a start with these data.
    pub fn head(&self, data: Value, parent: Option<ParentLink>) -> Created {
        let process = ProcessRef {
            id: self.process.definition.id.clone(),
            version: 1,
            revision: "r".to_owned(),
        };
        let (tenant, started_by) = ("default".to_owned(), "ada".to_owned());
        Created {
            key: OWN,
            tenant,
            process,
            business_key: None,
            parent,
            started_by,
            data,
            expires_at: None,
            origin: None,
            test: false,
            scheduled_for: None,
            correlation: None,
        }
    }

    /// A client's start of a subprocess of process `q`.
    pub fn child(&self, child: InstanceKey, offer: Option<u64>) -> StartChild {
        let link = self.state().head().link(offer.unwrap_or(0), false, false);
        let head = Created {
            key: child,
            ..self.head(json!({}), Some(link))
        };
        StartChild {
            head: Created {
                process: ProcessRef {
                    id: "q".to_owned(),
                    ..head.process
                },
                ..head
            },
            start_condition: None,
            offer,
            command: CommandTag {
                id: child.0,
                subject: "ada".to_owned(),
                hash: 0,
            },
        }
    }
}
