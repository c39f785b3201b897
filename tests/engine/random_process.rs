//! Random valid definitions: a main path of random nodes, with random forks, joins, choices and
//! loops between them, and random actions on the nodes that may have some.

mod moves;
mod words;
mod writer;

use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_oneof},
    sample::select,
};

pub use moves::{Move, commands};
use words::*;
use writer::Writer;

/// A sketch of a process, as [`super::sketch`] reads it.
pub fn sketch() -> impl Strategy<Value = String> {
    let head = (any::<bool>(), any::<u8>(), any::<u8>());
    let events = proptest::option::weighted(0.3, event_scope(vec(block(1), 0..2)));
    (
        vec(block(2), 1..5),
        (head, instantiates()),
        events,
        vec(action(), 0..2),
        vec(action(), 0..2),
    )
        .prop_map(
            |(blocks, ((keys, lanes, expiry), starts), events, first, last)| {
                let expiry = if expiry % 6 == 0 { " expiry=PT3M" } else { "" };
                let webhook = if lanes % 2 == 0 {
                    "webhook https://hooks.example.com/x data\n"
                } else {
                    ""
                };
                let mut writer = Writer {
                    text: format!("process p{expiry}\n{webhook}"),
                    ..Writer::default()
                };
                if starts == "global" {
                    writer.global(&first);
                    return writer.text;
                }
                let begin = match starts {
                    "" => {
                        let keys = if keys { "required=n keys=x" } else { "" };
                        writer.line(&format!("start start {keys}"));
                        writer.actions(&first, true);
                        "start".to_owned()
                    }
                    starts => writer.instantiating(starts, &first),
                };
                let behind = writer.path(&blocks, &begin);
                let throws = if lanes % 5 == 0 {
                    "message=m also signal=s"
                } else {
                    ""
                };
                writer.line(&format!("end end {throws}"));
                writer.actions(&last, false);
                writer.flow(&behind, "end");
                if let Some(events) = &events {
                    writer.event_subprocess(events);
                }
                if lanes % 3 == 0 {
                    writer.lane(lanes);
                }
                writer.text
            },
        )
}

#[derive(Clone, Debug)]
enum Block {
    Node {
        kind: &'static str,
        back: bool,
        terms: &'static str,
        mappings: &'static str,
        /// How it is repeated, if at all.
        looping: &'static str,
        /// The number of tokens that start it and leave it.
        quantities: &'static str,
        actions: Vec<Action>,
    },
    /// A user task that is decided, and its part to which back steps are possible.
    Approval {
        terms: &'static str,
        approve: &'static str,
        back: &'static str,
    },
    /// Possibly repeated, possibly with a boundary event for a failing child.
    Call {
        out: bool,
        looping: &'static str,
        caught: Option<&'static str>,
        mappings: &'static str,
    },
    /// An embedded subprocess, possibly with a timer, with an end that throws something and an
    /// event that catches it, or with a terminate end event beside its path.
    Scope {
        path: Vec<Block>,
        timer: &'static str,
        looping: &'static str,
        ends: (&'static str, &'static str),
        terminate: bool,
        escalation: &'static str,
        mappings: &'static str,
        objects: &'static str,
    },
    /// An escalation, which an enclosing subprocess may catch.
    Escalation(&'static str),
    /// The two ends of a link.
    Link,
    /// A path that a link enters again while `again` is true.
    LinkLoop(Vec<Block>),
    /// An event thrown by an intermediate event or a send task.
    Throw(&'static str),
    /// A task with a boundary event, and the nodes behind the event.
    Guarded {
        event: &'static str,
        beside: bool,
        path: Vec<Block>,
    },
    /// An event-based gateway: the first event decides.
    Race(Vec<(&'static str, Vec<Block>)>),
    /// A subprocess with an event subprocess beside a path.
    Eventful {
        path: Vec<Block>,
        events: EventScope,
        looping: &'static str,
    },
    /// A task with a compensation handler, possibly repeated.
    Compensable {
        handler: &'static str,
        looping: &'static str,
    },
    /// A subprocess with a compensation handler.
    Handled {
        path: Vec<Block>,
        handler: &'static str,
        looping: &'static str,
    },
    /// A receive task.
    Receive {
        awaited: &'static str,
        looping: &'static str,
    },
    /// Branches between the split and the join of a complex gateway.
    Complex {
        activation: &'static str,
        branches: Vec<Vec<Block>>,
    },
    /// Throws compensation in its scope.
    Compensate(&'static str),
    /// A transaction that is cancelled at its end.
    Transaction(Vec<Block>),
    /// An ad-hoc subprocess over some activities, with attributes; an action of its own starts one
    /// of them.
    AdHoc {
        attributes: &'static str,
        own: &'static str,
        looping: &'static str,
        timer: &'static str,
        inner: Vec<Block>,
    },
    /// An intermediate catch event.
    Catch(&'static str),
    /// A user task with a timer.
    Timed(&'static str),
    /// Branches between an inclusive split and its join.
    Inclusive(Vec<Vec<Block>>),
    /// Branches between a fork and a join, or a wrong join that waits for a flow which is never
    /// taken.
    Parallel(Vec<Vec<Block>>),
    /// A choice by `n`, possibly without a default flow.
    Choice {
        default: bool,
        branches: Vec<Vec<Block>>,
    },
    /// Entered again while `again` is true; without a waiting node it is an endless loop.
    Loop(Vec<Block>),
}

#[derive(Clone, Debug)]
struct Action {
    text: String,
    /// The attributes that make back steps to it possible, if they are.
    back: &'static str,
    child: bool,
}

fn block(depth: u32) -> impl Strategy<Value = Block> {
    let kinds = select(vec!["user", "user", "user", "task", "service", "send"]);
    let actions = vec(action(), 0..5);
    let runs = (looping(), quantities());
    let node = (kinds, any::<u8>(), terms(), runs, mappings(), actions).prop_map(
        |(kind, noback, terms, (looping, quantities), mappings, actions)| Block::Node {
            kind,
            back: noback % 12 != 0,
            terms: if kind == "user" { terms } else { "" },
            mappings,
            looping,
            quantities,
            actions,
        },
    );
    let approve = select(vec![
        "save",
        "http POST https://api.example.com/ok out=r",
        "save autorun",
        "http GET https://api.example.com/ok repeat",
    ]);
    let approval = (terms(), approve, select(vec!["", "back", "back restore"])).prop_map(
        |(terms, approve, back)| Block::Approval {
            terms,
            approve,
            back,
        },
    );
    let catch = select(vec![
        "after=PT10S",
        "date=1970-01-01T00:01:00Z",
        "cycle=R/PT10S",
        "after=${x.y}",
        "message=m",
        "message=m key=${n}",
        "signal=s",
        "when=\"n == 2\"",
        "when=\"x.y.z > 1\"",
    ]);
    let catch = prop_oneof![2 => catch, 1 => event()].prop_map(Block::Catch);
    let thrown = select(vec![
        "throw NODE message=m payload={\"n\":\"${n}\"}",
        "throw NODE message=m key=${n} ttl=PT1H",
        "throw NODE signal=s payload={\"n\":2}",
        "throw NODE signal=${x.y}",
        "throw NODE message=m also signal=s payload={\"n\":\"${n}\"} also escalation=LATE",
        "throw NODE compensate also signal=s",
        "send NODE message=m key=${n}",
    ])
    .prop_map(Block::Throw);
    let timed = timer().prop_map(Block::Timed);
    let escalation = select(vec!["LATE", "OTHER"]).prop_map(Block::Escalation);
    let leaf = prop_oneof![12 => node, 2 => approval, 2 => call(), 3 => catch, 1 => timed,
        2 => escalation, 1 => Just(Block::Link), 1 => thrown,
        2 => (handler(), looping()).prop_map(|(handler, looping)| Block::Compensable { handler, looping }),
        1 => (receive(), looping()).prop_map(|(awaited, looping)| Block::Receive { awaited, looping }),
        1 => select(vec!["", "nowait"]).prop_map(Block::Compensate)];
    leaf.prop_recursive(depth, 12, 3, |inner| {
        let path = vec(inner, 0..3);
        prop_oneof![
            vec(path.clone(), 2..4).prop_map(Block::Parallel),
            vec(path.clone(), 2..4).prop_map(Block::Inclusive),
            (activation(), vec(path.clone(), 2..4)).prop_map(|(activation, branches)| {
                Block::Complex {
                    activation,
                    branches,
                }
            }),
            (path.clone(), handler(), looping()).prop_map(|(path, handler, looping)| {
                Block::Handled {
                    path,
                    handler,
                    looping,
                }
            }),
            (any::<u8>(), vec(path.clone(), 2..3)).prop_map(|(default, branches)| Block::Choice {
                default: default % 8 != 0,
                branches
            }),
            path.clone().prop_map(Block::Loop),
            path.clone().prop_map(Block::Transaction),
            path.clone().prop_map(Block::LinkLoop),
            (event(), any::<bool>(), path.clone()).prop_map(|(event, beside, path)| {
                Block::Guarded {
                    event,
                    beside,
                    path,
                }
            }),
            vec((event(), path.clone()), 2..4).prop_map(Block::Race),
            (path.clone(), event_scope(path.clone()), looping()).prop_map(
                |(path, events, looping)| Block::Eventful {
                    path,
                    events,
                    looping
                }
            ),
            (ad_hoc(), own_start(), looping(), timer(), path.clone()).prop_map(
                |(attributes, own, looping, timer, inner)| Block::AdHoc {
                    attributes,
                    own,
                    looping,
                    timer,
                    inner,
                }
            ),
            (
                path,
                timer(),
                looping(),
                caught_escalation(),
                (ends(), any::<u8>()),
                mappings(),
                data_objects()
            )
                .prop_map(
                    |(path, timer, looping, escalation, (ends, dice), mappings, objects)| {
                        Block::Scope {
                            path,
                            timer,
                            looping,
                            ends,
                            terminate: dice % 4 == 0,
                            escalation,
                            mappings,
                            objects,
                        }
                    }
                ),
        ]
    })
}

/// The start of an event subprocess that compensates the enclosing subprocess.
const UNDOES: &str = "compensate";

/// An event subprocess: its start event, whether it interrupts, and its content.
#[derive(Clone, Debug)]
struct EventScope {
    event: &'static str,
    beside: bool,
    path: Vec<Block>,
}

fn event_scope(path: impl Strategy<Value = Vec<Block>>) -> impl Strategy<Value = EventScope> {
    let begins = prop_oneof![
        3 => event(),
        1 => event_start(),
        1 => Just(UNDOES),
    ];
    (begins, any::<bool>(), path).prop_map(|(event, beside, path)| EventScope {
        event,
        beside: beside && !event.starts_with("error") && event != UNDOES,
        path,
    })
}

fn call() -> impl Strategy<Value = Block> {
    let caught = select(vec![None, Some(""), Some("error=POOR")]);
    (any::<bool>(), looping(), caught, mappings()).prop_map(|(out, looping, caught, mappings)| {
        Block::Call {
            out,
            looping,
            caught,
            mappings,
        }
    })
}

fn action() -> impl Strategy<Value = Action> {
    let work = select(vec![
        "save",
        "save",
        "save",
        r#"push {"n":"${n}","x":{"y":"${x.y}"}}"#,
        "push ${x}",
        r#"ask {"processName":"q"}"#,
        r#"ask {"processName":"q","params":{"startOn":"server","paramsToCopy":["n"]}}"#,
        r#"push^ {"up":"${n}"}"#,
        r#"append up.here {"n":"${n}"}"#,
        "sub q out=r",
        "sub q await out=r",
        "sub q await",
        "upload paper",
        r#"http GET https://api.example.com/${n}?y=${x.y} out=r"#,
        r#"http POST https://api.example.com/x body={"n":"${n}"} headers={"A":"${x.y}","B":"${secret.K}"} output={"n":"${body.n}"}"#,
        "rule {output.r={n:input.n};output.put('x.z',now);}",
        "rule {output.n=input.x.y.z;}",
    ]);
    let flag = |name: &'static str, of: u8| {
        any::<u8>().prop_map(move |dice| if dice % of == 0 { name } else { "" })
    };
    let common = (
        flag("timer=PT10S", 4),
        flag("repeat", 4),
        flag("autorun", 2),
        flag("child", 3),
    );
    let back = select(vec![
        "",
        "",
        "",
        "back",
        "back restore",
        "back restore restart=n,x.y",
    ]);
    let manual = (
        flag("optional", 3),
        back,
        flag("required=x", 5),
        flag("strict", 8),
    );
    (work, any::<bool>(), common, manual, flag("free", 2)).prop_map(
        |(work, automatic, common, manual, free)| {
            let (timer, repeat, autorun, child) = common;
            let (optional, back, required, strict) = manual;
            // Only users upload files.
            let automatic = automatic && !work.starts_with("upload");
            let trigger = if automatic { "auto" } else { "manual" };
            let mut text = format!("{trigger} {work} {timer} {repeat} {autorun}");
            if automatic && !timer.is_empty() {
                text = format!("{text} {free}");
            }
            if !automatic {
                text = format!("{text} {optional} {required} {strict} keys=n,again,r");
            }
            Action {
                text,
                back: if automatic { "" } else { back },
                child: !child.is_empty(),
            }
        },
    )
}
