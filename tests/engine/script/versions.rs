//! Commands that migrate an instance to another version of its sketch.

use std::collections::BTreeMap;

use super::{Script, transcript};

impl Script {
    /// `migrate VERSION old=new…`, or `preview`.
    pub(super) fn migrate_to(&mut self, what: &str, version: u32, pairs: &[&str]) -> Vec<String> {
        let pairs = pairs
            .iter()
            .map(|pair| pair.split_once('=').expect("old=new"));
        let mapping: BTreeMap<String, String> = pairs
            .map(|(from, to)| (from.to_owned(), to.to_owned()))
            .collect();
        let caller = self.caller.clone();
        if what == "migrate" {
            let result = self.subject.migrate(version, &mapping, caller.as_ref());
            return self.written(&result);
        }
        let plan = match self
            .subject
            .plan_migration(version, &mapping, caller.as_ref())
        {
            Ok(plan) => plan,
            Err(rejection) => return vec![transcript::rejection(&rejection)],
        };
        let elements = plan.elements.iter().map(|planned| {
            let to = planned.to.as_deref().unwrap_or("?");
            format!("{} -> {to}", self.names.element(planned.element))
        });
        let problems = plan
            .problems
            .iter()
            .map(|problem| format!("! {}", problem.message));
        elements.chain(problems).collect()
    }
}
