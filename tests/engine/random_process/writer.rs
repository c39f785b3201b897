//! Writes blocks as lines of a sketch.
//!
//! Scopes and compensation: `scopes`.

mod scopes;

use super::*;

#[derive(Default)]
pub(super) struct Writer {
    pub(super) text: String,
    pub(super) nodes: usize,
    /// The embedded subprocess that is being written.
    pub(super) scope: Option<String>,
    /// Whether back steps are impossible at the current position.
    pub(super) without_back: bool,
    /// The number of enclosing loops, in which back steps are impossible.
    pub(super) loops: usize,
    /// Whether the current position is inside a compensation handler.
    pub(super) undoes: bool,
}

impl Writer {
    pub(super) fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Adds lines that belong to the node above, or to the process; none for an empty text.
    fn lines(&mut self, text: &str) {
        text.lines().for_each(|line| self.line(line));
    }

    /// Adds a node to the current subprocess.
    pub(super) fn node(&mut self, line: &str) {
        let scope = self
            .scope
            .as_ref()
            .map_or(String::new(), |scope| format!(" in={scope}"));
        self.line(&format!("{line}{scope}"));
    }

    /// Adds a timer or escalation boundary event of an activity, with a task behind it.
    pub(super) fn timer(&mut self, activity: &str, timer: &str) {
        if timer.is_empty() {
            return;
        }
        let (event, late) = (self.name("b"), self.name("l"));
        self.node(&format!("boundary {event} at={activity} {timer}"));
        self.node(&format!("task {late}"));
        self.flow(&event, &late);
    }

    pub(super) fn name(&mut self, prefix: &str) -> String {
        self.nodes += 1;
        format!("{prefix}{}", self.nodes)
    }

    /// Puts a part of the nodes into a lane of clerks, and another part into a lane in which only a
    /// chief may assign.
    pub(super) fn lane(&mut self, dice: u8) {
        let among = |wanted: usize| {
            let nodes = (1..=self.nodes)
                .filter(|index| index % 3 == wanted)
                .map(|index| format!("n{index}"));
            nodes
                .filter(|node| self.text.contains(&format!(" {node} ")))
                .collect::<Vec<_>>()
                .join(",")
        };
        let (clerks, others) = (among(usize::from(dice % 2)), among(2));
        self.line(&format!(
            "lane clerks nodes={clerks} execute=clerk view=auditor"
        ));
        self.line(&format!(
            "lane others nodes={others} assign=chief hold=chief,clerk"
        ));
    }

    pub(super) fn flow(&mut self, from: &str, to: &str) {
        self.line(&format!("{from} -> {to}"));
    }

    pub(super) fn path(&mut self, blocks: &[Block], from: &str) -> String {
        blocks
            .iter()
            .fold(from.to_owned(), |last, block| self.block(block, &last))
    }

    /// Writes a block behind a node; returns its last node.
    pub(super) fn block(&mut self, block: &Block, from: &str) -> String {
        match block {
            Block::Node {
                kind,
                back,
                terms,
                looping,
                quantities,
                mappings,
                actions,
            } => {
                let node = self.name("n");
                self.node(&format!(
                    "{kind} {node} {terms} {looping} {quantities} {}",
                    if *back { "" } else { "noback" }
                ));
                self.lines(mappings);
                self.actions(actions, looping.is_empty());
                self.flow(from, &node);
                node
            }
            Block::Approval {
                terms,
                approve,
                back,
            } => {
                let node = self.name("n");
                let back = if self.loops > 0 { "" } else { back };
                self.node(&format!("user {node} {terms} decision=r"));
                let back = if self.without_back { "" } else { back };
                self.line(&format!("  approve manual {approve} keys=n,again {back}"));
                self.line("  reject manual push {\"by\":\"${r.by}\"} keys=again timer=PT10S");
                if approve.ends_with("autorun") {
                    self.line("  pay auto http POST https://api.example.com/pay parent=approve");
                }
                self.flow(from, &node);
                node
            }
            Block::Call {
                out,
                looping,
                caught,
                mappings,
            } => {
                let node = self.name("c");
                let out = if *out { "out=r" } else { "" };
                self.node(&format!("call {node} q {out} {looping}"));
                self.lines(mappings);
                self.flow(from, &node);
                if let Some(error) = caught {
                    let event = self.name("b");
                    self.node(&format!("boundary {event} at={node} {error}"));
                    let broke = self.name("e");
                    self.flow(&event, &broke);
                    if self
                        .scope
                        .as_ref()
                        .is_some_and(|scope| scope.starts_with('z'))
                    {
                        self.node(&format!("task {broke}"));
                    } else {
                        self.node(&format!("end {broke} error=BROKEN"));
                    }
                }
                node
            }
            Block::Compensable { handler, looping } => {
                let node = self.name("t");
                self.node(&format!("task {node} {looping}"));
                self.handler(handler, &node);
                self.flow(from, &node);
                node
            }
            Block::Handled {
                path,
                handler,
                looping,
            } => {
                let parts = (*looping, ["", ""]);
                let node = self.subprocess(path, parts, (("", ""), false), ("", ""), from);
                self.handler(handler, &node);
                node
            }
            Block::Receive { awaited, looping } => {
                let node = self.name("r");
                self.node(&format!("receive {node} {awaited} {looping}"));
                self.flow(from, &node);
                node
            }
            Block::Compensate(wait) => {
                let node = self.name("w");
                self.node(&format!("throw {node} compensate {wait}"));
                self.flow(from, &node);
                node
            }
            Block::Transaction(path) => self.transaction(path, from),
            Block::AdHoc {
                attributes,
                own,
                looping,
                timer,
                inner,
            } => self.ad_hoc((attributes, own), (looping, timer), inner, from),
            Block::Escalation(code) => {
                let node = self.name("w");
                self.node(&format!("throw {node} escalation={code}"));
                self.flow(from, &node);
                node
            }
            Block::Link => {
                let (throw, catch) = (self.name("w"), self.name("w"));
                self.node(&format!("throw {throw} link={throw}"));
                self.node(&format!("catch {catch} link={throw}"));
                self.flow(from, &throw);
                catch
            }
            Block::LinkLoop(path) => {
                let (throw, catch) = (self.name("w"), self.name("w"));
                self.node(&format!("throw {throw} link={catch}"));
                self.node(&format!("catch {catch} link={catch}"));
                self.flow(from, &throw);
                let last = self.path(path, &catch);
                let (choice, again, out) = (self.name("x"), self.name("w"), self.name("t"));
                self.node(&format!("xor {choice}"));
                self.node(&format!("throw {again} link={catch}"));
                self.node(&format!("task {out}"));
                self.flow(&last, &choice);
                self.line(&format!("{choice} -> {again} when again == true"));
                self.line(&format!("{choice} -> {out} default"));
                out
            }
            Block::Throw(thrown) => {
                let node = self.name("w");
                self.node(&thrown.replace("NODE", &node));
                self.flow(from, &node);
                node
            }
            Block::Guarded {
                event,
                beside,
                path,
            } => {
                let (node, at, out) = (self.name("n"), self.name("b"), self.name("m"));
                let beside = if *beside { "beside" } else { "" };
                self.node(&format!("user {node}"));
                self.line("  go manual save keys=n,x,again");
                self.node(&format!("boundary {at} at={node} {event} {beside}"));
                self.node(&format!("xor {out}"));
                self.flow(from, &node);
                self.flow(&node, &out);
                let last = self.path(path, &at);
                self.flow(&last, &out);
                out
            }
            Block::Race(events) => {
                let (gateway, out) = (self.name("x"), self.name("m"));
                self.node(&format!("events {gateway}"));
                self.node(&format!("xor {out}"));
                self.flow(from, &gateway);
                for (event, path) in events {
                    let catch = self.name("w");
                    self.node(&format!("catch {catch} {event}"));
                    self.flow(&gateway, &catch);
                    let last = self.path(path, &catch);
                    self.flow(&last, &out);
                }
                out
            }
            Block::Eventful {
                path,
                events,
                looping,
            } => {
                let node =
                    self.subprocess(path, (looping, ["", ""]), (("", ""), false), ("", ""), from);
                let around = self.scope.replace(node.clone());
                self.loops += usize::from(!looping.is_empty());
                self.event_subprocess(events);
                self.scope = around;
                self.loops -= usize::from(!looping.is_empty());
                node
            }
            Block::Catch(timer) => {
                let node = self.name("w");
                self.node(&format!("catch {node} {timer}"));
                self.flow(from, &node);
                node
            }
            Block::Timed(timer) => {
                let node = self.name("n");
                self.node(&format!("user {node}"));
                self.line("  go manual save keys=n,x");
                self.flow(from, &node);
                self.timer(&node, timer);
                node
            }
            Block::Scope {
                path,
                timer,
                looping,
                ends,
                terminate,
                escalation,
                mappings,
                objects,
            } => {
                let owned = (*mappings, *objects);
                self.subprocess(
                    path,
                    (looping, [timer, escalation]),
                    (*ends, *terminate),
                    owned,
                    from,
                )
            }
            Block::Inclusive(branches) => self.late_join("or", "", branches, from),
            Block::Complex {
                activation,
                branches,
            } => self.late_join("complex", activation, branches, from),
            Block::Parallel(branches) => {
                let (fork, join) = (self.name("f"), self.name("j"));
                self.node(&format!("and {fork}"));
                self.node(&format!("and {join}"));
                self.flow(from, &fork);
                for branch in branches {
                    let last = self.path(branch, &fork);
                    self.flow(&last, &join);
                }
                join
            }
            Block::Choice { default, branches } => {
                let (choice, merge) = (self.name("x"), self.name("m"));
                self.node(&format!("xor {choice}"));
                self.node(&format!("xor {merge}"));
                self.flow(from, &choice);
                for (index, branch) in branches.iter().enumerate() {
                    // Each branch begins with a node of its own, to which the condition leads.
                    let first = self.name("t");
                    self.node(&format!("task {first}"));
                    let last_branch = index + 1 == branches.len();
                    let how = if last_branch && *default {
                        "default".to_owned()
                    } else {
                        format!("when n == {index}")
                    };
                    self.line(&format!("{choice} -> {first} {how}"));
                    let last = self.path(branch, &first);
                    self.flow(&last, &merge);
                }
                merge
            }
            Block::Loop(blocks) => {
                let (merge, choice) = (self.name("m"), self.name("x"));
                self.node(&format!("xor {merge}"));
                self.node(&format!("xor {choice}"));
                self.flow(from, &merge);
                let last = self.path(blocks, &merge);
                self.flow(&last, &choice);
                self.line(&format!("{choice} -> {merge} when again == true"));
                let out = self.name("t");
                self.node(&format!("task {out}"));
                self.line(&format!("{choice} -> {out} default"));
                out
            }
        }
    }

    /// Writes the actions of the node above; without the fields for back steps where the token
    /// never leaves.
    pub(super) fn actions(&mut self, actions: &[Action], leaves: bool) {
        let mut parent = None;
        for (index, action) in actions.iter().enumerate() {
            let back = if leaves && !self.without_back && self.loops == 0 {
                action.back
            } else {
                ""
            };
            match (action.child, parent) {
                (true, Some(parent)) => self.line(&format!(
                    "  a{index} {} {back} parent=a{parent}",
                    action.text
                )),
                _ => {
                    self.line(&format!("  a{index} {} {back}", action.text));
                    parent = Some(index);
                }
            }
        }
    }
}
