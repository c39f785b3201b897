//! Random commands.

use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_oneof},
    sample::select,
};

/// Commands, each as a few numbers that are mapped to the instance when the command is applied.
pub fn commands() -> impl Strategy<Value = Vec<Move>> {
    let payload = || {
        select(vec![
            r#"{}"#,
            r#"{"n":0,"again":false}"#,
            r#"{"n":1,"x":{"y":[1,null,{"z":1.5}]}}"#,
            r#"{"n":2,"x":7,"odd":{"a":{"b":"c"}},"again":true}"#,
            r#"{"n":"text","x":{},"r":{"r":-9007199254740993}}"#,
            r#"{"x":null}"#,
            r#"[1]"#,
            r#"{"again":null,"n":1e300}"#,
            r#"{"comment":"fine","n":"bob","x":{"y":"PT1M"}}"#,
            r#"{"comment":["odd"],"n":null}"#,
        ])
    };
    let kind = prop_oneof![
        // Mostly offered actions, so that processes make progress; sometimes any.
        30 => (any::<usize>(), payload()).prop_map(|(offer, payload)| Move::Offer(offer, payload)),
        3 => (any::<usize>(), any::<u64>(), payload()).prop_map(|(name, element, payload)| Move::Any(name, element % 60, payload)),
        5 => (0..20_i64).prop_map(Move::Wait),
        1 => (any::<usize>(), any::<u32>()).prop_map(|(timer, nr)| Move::Stale(timer, nr % 4)),
        8 => (any::<usize>(), 0..10_u8, 0..8_u64, payload()).prop_map(|(peer, what, again, payload)| Move::Receive(peer, what, again, payload)),
        6 => (any::<usize>(), 0..6_u8, payload()).prop_map(|(call, what, payload)| Move::Answer(call, what, payload)),
        3 => any::<usize>().prop_map(Move::Retry),
        2 => any::<usize>().prop_map(Move::Skip),
        2 => (any::<usize>(), any::<usize>()).prop_map(|(token, node)| Move::Token(token, node)),
        2 => any::<u8>().prop_map(Move::Life),
        6 => (any::<usize>(), 0..6_u8, payload()).prop_map(|(to, again, payload)| Move::Deliver(to, again, payload)),
        1 => (any::<u8>(), payload()).prop_map(|(key, payload)| Move::Message(key, payload)),
        3 => (any::<usize>(), any::<u8>()).prop_map(|(element, what)| Move::Task(element, what)),
        4 => any::<u8>().prop_map(Move::As),
        1 => any::<u64>().prop_map(|seq| Move::Done(seq % 50)),
        2 => (any::<usize>(), payload()).prop_map(|(scope, payload)| Move::Patch(scope, payload)),
        1 => Just(Move::Terminate),
    ];
    vec(kind, 10..80)
}

/// One command of a random run.
#[derive(Clone, Debug)]
pub enum Move {
    Offer(usize, &'static str),
    Any(usize, u64, &'static str),
    Wait(i64),
    Stale(usize, u32),
    /// Sender, message, 0 for a number that was already received, payload.
    Receive(usize, u8, u64, &'static str),
    /// Call, kind of result, body of the response.
    Answer(usize, u8, &'static str),
    Retry(usize),
    Skip(usize),
    /// An operator moves one of the tokens to one of the nodes.
    Token(usize, usize),
    /// Hold, unhold, or more seldom dismiss.
    Life(u8),
    /// A delivery of a message or signal to a subscriber; 0 for one that was already received.
    Deliver(usize, u8, &'static str),
    /// A client sends the instance a message.
    Message(u8, &'static str),
    /// Claim, release or assign an active element.
    Task(usize, u8),
    /// Changes the sender of the following commands.
    As(u8),
    Done(u64),
    /// Corrects the data, or the variables of an active element.
    Patch(usize, &'static str),
    Terminate,
}
