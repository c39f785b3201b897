//! The attributes of random nodes: events, loops, variables.

use proptest::{prelude::Strategy, sample::select};

/// An event to wait for, of each kind with subscriptions.
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
        "message=m also after=PT10S",
        "message=m also signal=s also message=${x.y} key=${n}",
        "signal=s also message=m key=${n} together",
        "after=PT10S also when=\"n == 2\" together",
        "when=\"again == true\" also signal=${x.y} also message=m together",
    ])
}

/// The start of an event subprocess that is thrown to it, or that occurs repeatedly, alone and as
/// one of several definitions.
pub(super) fn event_start() -> impl Strategy<Value = &'static str> {
    select(vec![
        "error=BROKEN",
        "error",
        "escalation=LATE",
        "escalation",
        "cycle=R2/PT5S",
        "error=BROKEN also message=m also escalation=LATE",
        "escalation also signal=s",
        "escalation=LATE also after=PT5S together",
        "cycle=R/PT5S also message=m together",
        "cycle=R3/PT5S also signal=s",
    ])
}

/// The event that the end event of a subprocess throws; some of them are caught at its boundary.
pub(super) fn ends() -> impl Strategy<Value = (&'static str, &'static str)> {
    select(vec![
        ("", ""),
        ("", ""),
        ("", ""),
        ("", ""),
        ("error=BROKEN", "error=BROKEN"),
        (
            "error=BROKEN also signal=s also escalation=LATE",
            "error=BROKEN also message=m",
        ),
        (
            "error=BROKEN also message=m",
            "error also signal=s also after=PT20S",
        ),
        ("message=m key=${n} also signal=s", ""),
        ("signal=${x.y} also escalation=LATE also terminate", ""),
    ])
}

/// The number of tokens that start and leave an activity; one in most cases.
pub(super) fn quantities() -> impl Strategy<Value = &'static str> {
    select(vec![
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "makes=2",
        "needs=2",
        "needs=2 makes=2",
        "makes=3",
    ])
}

/// The compensation handler of a task; some fail, some wait.
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

/// A task that waits for a message or, without one, for its user.
pub(super) fn receive() -> impl Strategy<Value = &'static str> {
    select(vec![
        "message=m",
        "message=m key=${n}",
        "message=m key=${loopCounter}",
        "message=${x.y}",
        "",
    ])
}

/// The activation condition of a complex gateway; some are never true, some fail for some data.
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

/// The start of the process in place of a start event, one for each of several.
pub(super) fn instantiates() -> impl Strategy<Value = &'static str> {
    select(vec![
        "",
        "",
        "",
        "receive",
        "events starts",
        "events starts parallel",
        "start message=begin also signal=s",
        "start message=begin also message=other together",
        "global",
    ])
}

/// The attributes of an ad-hoc subprocess; `A` is replaced by an activity in it.
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

/// An action of an ad-hoc subprocess; `A` is replaced by an activity in it.
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
        "escalation=LATE also message=m also after=PT20S beside",
        "escalation=LATE also signal=s together beside",
        "escalation also message=m together",
    ])
}

/// The timer of a boundary event; some repeat, some cannot be evaluated for some data.
pub(super) fn timer() -> impl Strategy<Value = &'static str> {
    select(vec![
        "",
        "after=PT10S",
        "after=PT20S beside",
        "cycle=R2/PT10S beside",
        "cycle=R/PT5S beside",
        "after=${x.y}",
        "after=PT20S also date=1970-01-01T00:01:00Z beside",
        "cycle=R/PT5S also message=m also signal=s together beside",
    ])
}

/// The repetition of an activity, if it has one; some cannot be evaluated for some data.
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
        "times=3 behavior=none:signal:s",
        "each=x.y behavior=one:escalation:LATE",
        "times=2 behavior=none:escalation:OTHER sequential list=r gives=${n}",
        "times=3 behavior=complex:signal:s whenever=\"n == loopCounter\"",
        "times=3 behavior=complex:escalation:LATE whenever=\"x.y.z > 1\"",
    ])
}

/// The assignee, due date and reminders of a user task; some cannot be evaluated for some data.
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

/// The variables and output mappings of an element. No output mapping writes to the data that a
/// restart keeps (`n`, `x.y`), because a second restart would keep that value.
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
