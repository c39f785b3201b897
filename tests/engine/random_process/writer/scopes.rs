//! Writes scopes, compensation, and elements that wait for several tokens.

use super::*;

impl Writer {
    /// Branches between a split and a join that waits for all tokens that can still arrive.
    pub(super) fn late_join(
        &mut self,
        kind: &str,
        activation: &str,
        branches: &[Vec<Block>],
        from: &str,
    ) -> String {
        let (split, join) = (self.name("x"), self.name("m"));
        self.node(&format!("{kind} {split}"));
        self.node(&format!("{kind} {join} {activation}"));
        self.flow(from, &split);
        for (index, branch) in branches.iter().enumerate() {
            let first = self.name("t");
            self.node(&format!("task {first}"));
            let how = match index {
                0 => "default".to_owned(),
                1 => "when n == 1 || n == 2".to_owned(),
                _ => "when n == 2".to_owned(),
            };
            self.line(&format!("{split} -> {first} {how}"));
            let last = self.path(branch, &first);
            self.flow(&last, &join);
        }
        join
    }

    /// Messages that start the process; returns the last node.
    pub(in super::super) fn instantiating(&mut self, starts: &str, actions: &[Action]) -> String {
        let Some(kind) = starts.strip_prefix("events ") else {
            match starts.strip_prefix("start ") {
                Some(events) => self.node(&format!("start start {events}")),
                None => self.node("receive start starts message=begin"),
            }
            self.actions(actions, true);
            return "start".to_owned();
        };
        let merge = if kind.ends_with("parallel") {
            "and"
        } else {
            "xor"
        };
        self.node(&format!("events start {kind}"));
        self.node(&format!("{merge} merge"));
        for message in ["begin", "other"] {
            let node = self.name("r");
            self.node(&format!("receive {node} message={message}"));
            self.actions(actions, true);
            self.flow("start", &node);
            self.flow(&node, "merge");
        }
        "merge".to_owned()
    }

    /// A process that is one global task.
    pub(in super::super) fn global(&mut self, actions: &[Action]) {
        self.node("user p");
        self.line("  go manual save keys=n,again");
        self.actions(actions, false);
    }

    /// An event subprocess of the current scope.
    pub(in super::super) fn event_subprocess(&mut self, events: &EventScope) {
        let undoes = events.event == UNDOES && self.scope.is_some() && !self.undoes;
        let event = match events.event {
            UNDOES if !undoes => "signal=s",
            event => event,
        };
        let (node, start, end) = (self.name("s"), self.name("i"), self.name("o"));
        self.node(&format!("subprocess {node} event"));
        let around = self.scope.replace(node);
        let (back, undoing) = (self.without_back, self.undoes);
        (self.without_back, self.undoes) = (back || undoes, undoing || undoes);
        let beside = if events.beside { "beside" } else { "" };
        self.node(&format!("start {start} {event} {beside}"));
        let last = self.path(&events.path, &start);
        let how = if undoes { "compensate" } else { "" };
        self.node(&format!("end {end} {how}"));
        self.flow(&last, &end);
        (self.without_back, self.undoes) = (back, undoing);
        self.scope = around;
    }

    /// The compensation handler of an activity.
    pub(super) fn handler(&mut self, handler: &str, activity: &str) {
        let (event, undo) = (self.name("b"), self.name("u"));
        let (kind, looping) = handler.split_once(' ').unwrap_or((handler, ""));
        self.node(&format!("boundary {event} at={activity} compensate={undo}"));
        let called = if kind == "call" { " q" } else { "" };
        self.node(&format!("{kind} {undo}{called} handler {looping}"));
        if kind == "subprocess" {
            let (start, end) = (self.name("i"), self.name("o"));
            let waits = self.name("h");
            let around = self.scope.replace(undo);
            self.node(&format!("start {start}"));
            self.node(&format!("user {waits}"));
            self.node(&format!("end {end}"));
            self.flow(&start, &waits);
            self.flow(&waits, &end);
            self.scope = around;
        }
    }

    /// A transaction that its end cancels when `n` is 1.
    pub(super) fn transaction(&mut self, path: &[Block], from: &str) -> String {
        let (node, cancelled, merge) = (self.name("s"), self.name("b"), self.name("m"));
        self.node(&format!("transaction {node}"));
        self.node(&format!("boundary {cancelled} at={node} cancel"));
        self.node(&format!("xor {merge}"));
        self.flow(from, &node);
        self.flow(&node, &merge);
        self.flow(&cancelled, &merge);
        let around = self.scope.replace(node);
        let (start, choice) = (self.name("i"), self.name("x"));
        let (end, cancel) = (self.name("o"), self.name("o"));
        self.node(&format!("start {start}"));
        self.node(&format!("xor {choice}"));
        self.node(&format!("end {end}"));
        self.node(&format!("end {cancel} cancel"));
        let back = std::mem::replace(&mut self.without_back, true);
        let last = self.path(path, &start);
        self.without_back = back;
        self.flow(&last, &choice);
        self.line(&format!("{choice} -> {cancel} when n == 1"));
        self.line(&format!("{choice} -> {end} default"));
        self.scope = around;
        merge
    }

    /// An ad-hoc subprocess, which has no end event; with a path that begins at one of its
    /// activities.
    pub(super) fn ad_hoc(
        &mut self,
        (attributes, own): (&str, &str),
        (looping, timer): (&str, &str),
        inner: &[Block],
        from: &str,
    ) -> String {
        let (node, first, second) = (self.name("z"), self.name("n"), self.name("t"));
        let attributes = attributes.replace('A', &first);
        self.node(&format!("adhoc {node} {attributes} {looping}"));
        self.lines(&own.replace('A', &first));
        self.flow(from, &node);
        self.timer(&node, timer);
        let around = self.scope.replace(node.clone());
        let back = std::mem::replace(&mut self.without_back, true);
        self.node(&format!("user {first}"));
        self.line("  go manual save keys=n,again");
        self.node(&format!("task {second}"));
        self.subprocess(inner, ("", ["", ""]), (("", ""), false), ("", ""), &first);
        self.without_back = back;
        self.scope = around;
        node
    }

    pub(super) fn subprocess(
        &mut self,
        path: &[Block],
        (looping, events): (&str, [&str; 2]),
        ((throws, caught), terminate): ((&str, &str), bool),
        (mappings, objects): (&str, &str),
        from: &str,
    ) -> String {
        let (node, start, end) = (self.name("s"), self.name("i"), self.name("o"));
        self.node(&format!("subprocess {node} {looping}"));
        self.lines(mappings);
        self.lines(&objects.replace("SCOPE", &node));
        self.flow(from, &node);
        for event in events {
            self.timer(&node, event);
        }
        if !caught.is_empty() {
            let event = self.name("b");
            self.node(&format!("boundary {event} at={node} {caught}"));
        }
        let around = self.scope.replace(node.clone());
        self.loops += usize::from(!looping.is_empty());
        self.node(&format!("start {start}"));
        let mut first = start;
        if terminate {
            let (fork, stop) = (self.name("f"), self.name("o"));
            self.node(&format!("and {fork}"));
            self.node(&format!("end {stop} terminate"));
            let waits = self.name("n");
            self.node(&format!("user {waits}"));
            self.line("  stop manual save");
            self.flow(&first, &fork);
            self.flow(&fork, &waits);
            self.flow(&waits, &stop);
            first = fork;
        }
        let last = self.path(path, &first);
        self.node(&format!("end {end} {throws}"));
        self.flow(&last, &end);
        self.scope = around;
        self.loops -= usize::from(!looping.is_empty());
        node
    }
}
