//! How instances are started: the one under test, and a subprocess of it.

use super::*;

impl Subject {
    /// First record of a start with these data.
    pub fn head(&self, data: Value, parent: Option<ParentLink>) -> Created {
        let root = parent.as_ref().map_or(OWN, |link| link.instance);
        let level = if parent.is_some() { 2 } else { 1 };
        let process = ProcessRef {
            id: self.process.definition.id.clone(),
            version: 1,
            revision: "r".to_owned(),
        };
        let (tenant, started_by) = ("default".to_owned(), "ada".to_owned());
        let root_started_by = started_by.clone();
        Created {
            key: OWN,
            tenant,
            process,
            business_key: None,
            parent,
            root,
            level,
            started_by,
            root_started_by,
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
        let own = self.state().head();
        let link = ParentLink {
            instance: own.key,
            seq: offer.unwrap_or(0),
            wants_result: false,
        };
        let head = Created {
            key: child,
            level: own.level + 1,
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
