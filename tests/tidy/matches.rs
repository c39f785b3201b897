//! A `match` over the kinds of BPMN elements, or over records, names every variant, so that the
//! compiler finds the places that a new variant needs.
//!
//! Checked are the arms of every `match` in `src`, except in unit tests, that name a variant by the
//! enum's name (or by `Self` within its `impl`), at any depth of the pattern. An arm without guard
//! that matches every variant is an error. Not found: `if let`, `let … else` and `matches!`, which
//! are about one variant on purpose; variants imported without their enum's name; matches in
//! macros.

use super::{
    assert_none,
    pattern::Pattern,
    sources,
    tokens::{Token, behind, tokens},
};

/// The enums whose variants are always named.
const ENUMS: [&str; 7] = [
    "NodeKind",
    "EventDefinition",
    "ExecutableEventDefinition",
    "TaskKind",
    "GatewayKind",
    "Record",
    "Subscription",
];

#[test]
fn matches_name_every_variant() {
    let mut wrong = Vec::new();
    for (path, text) in sources("src", "rs") {
        if path.components().any(|part| part.as_os_str() == "tests") {
            continue;
        }
        for line in faults(&text) {
            wrong.push(format!("{}:{line}", path.display()));
        }
    }
    assert_none(
        &format!(
            "expected every match over {} to name each variant",
            ENUMS.join(", ")
        ),
        wrong,
    );
}

#[test]
fn a_catch_all_is_found() {
    let wrong = [
        "fn a() { match kind { NodeKind::Start(_) => 1, _ => 2 } }",
        "fn a() { match kind { NodeKind::Start(s) => 1, other => { 2 } } }",
        "fn a() { match (x, kind) { (_, NodeKind::Start(_)) => 1, (a, _) => 2 } }",
        "fn a() { match o { Some(Record::Held) => 1, Some(_) | None => 2 } }",
        "fn a() { match kind { NodeKind::End(EventDefinition::None) => 1, NodeKind::End(_) => 2 } }",
        "impl NodeKind { fn a(&self) { match self { Self::Start(_) => 1, _ => 2 } } }",
        "fn a() { match b { B { kind: NodeKind::Throw(_), .. } => 1, B { .. } => 2 } }",
    ];
    for text in wrong {
        assert_eq!(faults(text), [1], "{text}");
    }
    let right = [
        "fn a() { match kind { NodeKind::Start(_) => 1, NodeKind::End(_) | NodeKind::Task(_) => 2 } }",
        "fn a() { match o { Some(Record::Held) => 1, Some(Record::Unheld) => 1, None => 2 } }",
        "fn a() { match kind { NodeKind::Start(_) => 1, x if c(x) => 2, NodeKind::End(_) => 3 } }",
        "fn a() { match name { \"NodeKind::Start\" => 1, _ => 2 } } // NodeKind::Start => _",
        "fn a() { match kind { NodeKind::Start(s) => match s { Some(a) => a, _ => 2 } } }",
    ];
    for text in right {
        assert_eq!(faults(text), [0usize; 0], "{text}");
    }
}

/// The lines of match arms that skip variants.
fn faults(text: &str) -> Vec<usize> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        if tokens[at].text == "match" {
            let own = enum_around(&tokens, at);
            found.extend(catch_alls(&arms(&tokens, at), own.as_deref()));
        }
    }
    found
}

fn catch_alls(arms: &[Arm], own: Option<&str>) -> Vec<usize> {
    let mut lines = Vec::new();
    for name in ENUMS {
        let is_variant = |path: &str| {
            let mut segments = path.rsplit("::").skip(1);
            segments
                .next()
                .is_some_and(|of| of == name || of == "Self" && own == Some(name))
        };
        for arm in arms.iter().filter(|arm| !arm.guarded) {
            let mut others = arms.iter().filter(|other| other.pattern.names(&is_variant));
            if others.any(|other| arm.pattern.passes_over(&other.pattern, &is_variant)) {
                lines.push(arm.line);
            }
        }
    }
    lines.dedup();
    lines
}

/// One arm of a match.
struct Arm {
    pattern: Pattern,
    guarded: bool,
    line: usize,
}

/// The arms of the match whose keyword is at this position.
fn arms(tokens: &[Token], keyword: usize) -> Vec<Arm> {
    let mut at = keyword + 1;
    while at < tokens.len() && tokens[at].text != "{" {
        at = if ["(", "["].contains(&&*tokens[at].text) {
            behind(tokens, at)
        } else {
            at + 1
        };
    }
    let end = behind(tokens, at).saturating_sub(1);
    at += 1;
    let mut found = Vec::new();
    while at < end {
        if tokens[at].text == "#" {
            at = behind(tokens, at + 1);
            continue;
        }
        let Some((arrow, guard)) = arrow_from(tokens, at, end) else {
            break;
        };
        found.push(Arm {
            pattern: Pattern::parse(&tokens[at..guard.unwrap_or(arrow)]),
            guarded: guard.is_some(),
            line: tokens[at].line,
        });
        at = behind_body(tokens, arrow + 1, end);
    }
    found
}

/// The position of an arm's arrow, and of its guard, if it has one.
fn arrow_from(tokens: &[Token], from: usize, end: usize) -> Option<(usize, Option<usize>)> {
    let (mut at, mut guard) = (from, None);
    while at < end {
        match &*tokens[at].text {
            "=>" => return Some((at, guard)),
            "(" | "[" | "{" => at = behind(tokens, at),
            text => {
                if text == "if" && guard.is_none() {
                    guard = Some(at);
                }
                at += 1;
            }
        }
    }
    None
}

fn behind_body(tokens: &[Token], from: usize, end: usize) -> usize {
    let mut at = from;
    if tokens[at].text == "{" {
        at = behind(tokens, at);
        return if at < end && tokens[at].text == "," {
            at + 1
        } else {
            at
        };
    }
    while at < end {
        match &*tokens[at].text {
            "," => return at + 1,
            "(" | "[" | "{" => at = behind(tokens, at),
            _ => at += 1,
        }
    }
    end
}

/// The type of the enclosing `impl`.
fn enum_around(tokens: &[Token], place: usize) -> Option<String> {
    let mut found = None;
    let mut at = 0;
    while at < place {
        if tokens[at].text != "impl" {
            at += 1;
            continue;
        }
        let open = (at..place).find(|&at| tokens[at].text == "{")?;
        let end = behind(tokens, open);
        if end > place {
            let names = tokens[at..open].iter().map(|token| token.text.clone());
            found = names.take_while(|name| name != "where").last();
            at = open;
        }
        at = if end > place { at + 1 } else { end };
    }
    found
}
