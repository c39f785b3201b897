//! The attributes of random nodes: what is waited for, how often something runs, what it owns.

use proptest::{prelude::Strategy, sample::select};

/// What somebody waits for, each of the kinds that are waited for.
pub(super) fn event() -> impl Strategy<Value = &'static str> {
    select(vec![
        "after=PT10S",
        "after=PT20S",
        "message=m",
        "message=m key=${n}",
        "signal=s",
        "signal=${x.y}",
        "when=\"n == 2\"",
        "when=\"again == true && n != 1\"",
    ])
}

/// What undoes a task; some fail, some wait.
pub(super) fn handler() -> impl Strategy<Value = &'static str> {
    select(vec![
        "task",
        "user",
        "user",
        "call",
        "subprocess",
        "user times=2",
    ])
}

/// A task that waits for a message, or without one for its user.
pub(super) fn receive() -> impl Strategy<Value = &'static str> {
    select(vec![
        "message=m",
        "message=m key=${n}",
        "message=m key=${loopCounter}",
        "message=${x.y}",
        "",
    ])
}

/// When the join of a complex gateway goes on; some never do, some fail by some data.
pub(super) fn activation() -> impl Strategy<Value = &'static str> {
    select(vec![
        "",
        "when=\"activationCount >= 1\"",
        "when=\"activationCount >= 2\"",
        "when=\"activationCount >= 3\"",
        "when=\"n == 2\"",
        "when=\"x.y.z > 1\"",
    ])
}

/// What starts the process in place of a start event, once for each of several.
pub(super) fn instantiates() -> impl Strategy<Value = &'static str> {
    select(vec![
        "",
        "",
        "",
        "receive",
        "events starts",
        "events starts parallel",
    ])
}

/// How an ad-hoc subprocess runs; `A` stands for an activity in it.
pub(super) fn ad_hoc() -> impl Strategy<Value = &'static str> {
    select(vec![
        "",
        "",
        "onebyone",
        "done=n>1",
        "done=again==true keep",
        "onebyone done=n==1",
        "begin=A",
        "begin=A,A done=n==2 keep",
        "begin=$up.list",
    ])
}

/// An own action of an ad-hoc subprocess; `A` stands for an activity in it.
pub(super) fn own_start() -> impl Strategy<Value = &'static str> {
    select(vec![
        "",
        "",
        "go manual starts A keys=n",
        "go manual starts A optional repeat",
        "finish manual save keys=n",
    ])
}

/// The escalation boundary event of a subprocess.
pub(super) fn caught_escalation() -> impl Strategy<Value = &'static str> {
    select(vec![
        "",
        "",
        "escalation=LATE",
        "escalation=LATE beside",
        "escalation beside",
    ])
}

/// The timer of a boundary event; some come again, some cannot be read off some data.
pub(super) fn timer() -> impl Strategy<Value = &'static str> {
    select(vec![
        "",
        "after=PT10S",
        "after=PT20S beside",
        "cycle=R2/PT10S beside",
        "cycle=R/PT5S beside",
        "after=${x.y}",
    ])
}

/// How an activity runs more than once, if it does; some cannot tell how often, by some data.
pub(super) fn looping() -> impl Strategy<Value = &'static str> {
    select(vec![
        "",
        "",
        "",
        "",
        "",
        "",
        "each=x.y",
        "each=x.y sequential list=r gives=${item}",
        "times=3 until=${n==loopCounter} list=r gives={\"n\":\"${n}\",\"i\":\"${loopCounter}\"}",
        "times=${n} sequential",
        "times=2 list=up.list gives=${n}",
        "times=4 sequential until=${numberOfCompletedInstances>=2}",
        "while=${loopCounter<3}",
        "while=${again==true} before",
        "most=2",
    ])
}

/// Whose a user task is, when it is due and reminds; some cannot be read off some data.
pub(super) fn terms() -> impl Strategy<Value = &'static str> {
    select(vec![
        "",
        "",
        "",
        "",
        "",
        "assignee=bob",
        "assignee=${r.by}",
        "assignee=${r.by} due=PT20S",
        "due=PT20S remind=PT15S",
        "due=PT20S remind=PT5S again=PT1M assignee=${n}",
        "due=${x.y} remind=PT0S",
        "due=1970-01-01T00:01:00Z remind=PT1M again=PT1M",
    ])
}

/// What an element owns and gives out. Nothing is given out to what a restart keeps (`n`, `x.y`): a
/// second restart would keep that.
pub(super) fn mappings() -> impl Strategy<Value = &'static str> {
    select(vec![
        "",
        "",
        "",
        "  input n x.y",
        "  input x.y n\n  input own x\n  output r.own own",
        "  output up.n r.n\n  output up.y [\"${n}\"]",
        "  input r {\"n\":\"${n}\"}\n  output again false",
        "  input again true\n  input x {}\n  output up.x x",
    ])
}

/// The data objects of a subprocess.
pub(super) fn data_objects() -> impl Strategy<Value = &'static str> {
    select(vec![
        "",
        "",
        "data n in=SCOPE 1",
        "data x in=SCOPE {\"y\":[1,2]}\ndata r in=SCOPE",
        "data again in=SCOPE true\ndata up in=SCOPE {\"here\":{}}",
        "data x in=SCOPE {\"y\":\"PT10S\"}",
    ])
}
