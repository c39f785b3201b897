//! The measured models, as BPMN XML.

use std::fmt::Write;

/// A small loop among many nodes.
pub struct Kind {
    /// The label in the printed tables.
    pub label: &'static str,
    /// What the loop contains: an inclusive gateway and its join, a conditional event, a timer.
    loops: &'static str,
    /// What the process contains beside the loop: an event subprocess.
    beside: &'static str,
}

/// The kinds of loops.
pub const KINDS: &[Kind] = &[
    Kind {
        label: "a user task and exclusive gateways",
        loops: "",
        beside: "",
    },
    Kind {
        label: "an inclusive split and join, too",
        loops: "inclusive",
        beside: "",
    },
    Kind {
        label: "a conditional boundary event, too",
        loops: "conditional",
        beside: "",
    },
    Kind {
        label: "a timer boundary event and an event subprocess, too",
        loops: "timer",
        beside: "event",
    },
];

/// A user task in a loop, with half of the other nodes before it and half behind.
pub fn looping(kind: &Kind, nodes: usize) -> String {
    let mut model = Model::default();
    model.node("startEvent", "start", "");
    let half = nodes.saturating_sub(6) / 2;
    let before = model.chain("start", "p", half);
    model.node("exclusiveGateway", "again", "");
    model.flow(&before, "again", "");
    model.node("userTask", "u", "");
    model.node("exclusiveGateway", "more", " default=\"out\"");
    match kind.loops {
        "inclusive" => {
            model.node("inclusiveGateway", "split", "");
            model.node("inclusiveGateway", "join", "");
            model.node("task", "beside", "");
            model.flow("again", "split", "");
            model.flow("split", "u", "n &gt; 0");
            model.flow("split", "beside", "n &gt; 0");
            model.flow("u", "join", "");
            model.flow("beside", "join", "");
            model.flow("join", "more", "");
        }
        kind => {
            model.flow("again", "u", "");
            model.flow("u", "more", "");
            model.text.push_str(match kind {
                "conditional" => {
                    "<boundaryEvent id=\"at\" attachedToRef=\"u\"><conditionalEventDefinition>\
                        <condition>n &gt; 9</condition></conditionalEventDefinition></boundaryEvent>"
                }
                "timer" => {
                    "<boundaryEvent id=\"at\" attachedToRef=\"u\"><timerEventDefinition>\
                        <timeDuration>PT1H</timeDuration></timerEventDefinition></boundaryEvent>"
                }
                _ => "",
            });
            if !kind.is_empty() {
                model.flow("at", "end", "");
            }
        }
    }
    model.flow("more", "again", "n &gt; 0");
    let behind = model.chain("more", "q", half);
    model.node("endEvent", "end", "");
    model.flow(&behind, "end", "");
    if !kind.beside.is_empty() {
        model.text.push_str(
            "<subProcess id=\"event\" triggeredByEvent=\"true\"><startEvent id=\"late\">\
                <timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>\
                </startEvent></subProcess>",
        );
    }
    model.finish()
}

/// A user task in a loop, to which back steps are possible or not.
pub fn returning(back: bool) -> String {
    let mut model = Model::default();
    model.node("startEvent", "start", "");
    model.node("exclusiveGateway", "again", "");
    let _ = write!(
        model.text,
        "<userTask id=\"u\"><extensionElements><stepwire:actions><stepwire:action name=\"complete\" \
            trigger=\"manual\" type=\"saveData\" allowBack=\"{back}\"/></stepwire:actions></extensionElements>\
            </userTask>"
    );
    model.node("exclusiveGateway", "more", " default=\"out\"");
    model.node("endEvent", "end", "");
    model.flow("start", "again", "");
    model.flow("again", "u", "");
    model.flow("u", "more", "");
    model.flow("more", "again", "n &gt; 0");
    model.chain("more", "q", 1);
    model.flow("q0", "end", "");
    model.finish()
}

/// A fork into user tasks that are active at the same time, with or without a join behind them.
pub fn fork(branches: usize, joined: bool) -> String {
    let mut model = Model::default();
    model.node("startEvent", "start", "");
    model.node("parallelGateway", "fork", "");
    let last = if joined {
        "parallelGateway"
    } else {
        "exclusiveGateway"
    };
    model.node(last, "last", "");
    model.node("endEvent", "end", "");
    model.flow("start", "fork", "");
    model.flow("last", "end", "");
    for branch in 0..branches {
        let task = format!("u{branch}");
        model.node("userTask", &task, "");
        model.flow("fork", &task, "");
        model.flow(&task, "last", "");
    }
    model.finish()
}

#[derive(Default)]
struct Model {
    text: String,
    flows: usize,
}

impl Model {
    fn node(&mut self, kind: &str, id: &str, attributes: &str) {
        let _ = write!(self.text, "<{kind} id=\"{id}\"{attributes}/>");
    }

    fn flow(&mut self, from: &str, to: &str, condition: &str) {
        self.flows += 1;
        // The default flow of `more`.
        let is_default = from == "more" && condition.is_empty();
        let id = if is_default {
            "out".to_owned()
        } else {
            format!("f{}", self.flows)
        };
        let condition = if condition.is_empty() {
            String::new()
        } else {
            format!("<conditionExpression>{condition}</conditionExpression>")
        };
        let _ = write!(
            self.text,
            "<sequenceFlow id=\"{id}\" sourceRef=\"{from}\" targetRef=\"{to}\">{condition}\
                </sequenceFlow>"
        );
    }

    /// Adds so many tasks in a row; returns the last node.
    fn chain(&mut self, from: &str, name: &str, length: usize) -> String {
        let mut last = from.to_owned();
        for index in 0..length.max(1) {
            let id = format!("{name}{index}");
            self.node("task", &id, "");
            self.flow(&last, &id, "");
            last = id;
        }
        last
    }

    fn finish(self) -> String {
        format!(
            "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" \
                xmlns:stepwire=\"https://stepwire.dev/schema/bpmn/1.0\" id=\"d\" \
                targetNamespace=\"https://stepwire.dev/benches\"><process id=\"p\" \
                isExecutable=\"true\">{}</process></definitions>",
            self.text
        )
    }
}
