//! Input that no honest client sends: deep, huge, unknown, out of range. Nothing panics, and
//! rejected input has no effect.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use stepwire::{
    engine::{
        Command, InstanceState, RecordBatch,
        command::{RunAction, StartInstance, TimerKey},
        instance_message::InstanceMessage,
        record::{CommandTag, Status},
        state::Seen,
    },
    model::ids::{ElementKey, Time},
};
use uuid::Uuid;

use super::{
    sketch::definition,
    subject::{OWN, Subject, child_key, compiled, starter},
};

fn started(sketch: &str, data: Value) -> Subject {
    let mut subject = Subject::new(compiled(definition(sketch)));
    let head = subject.head(data, None);
    subject
        .start(
            StartInstance {
                trace: None,
                head,
                start_condition: None,
                start_event: None,
            },
            None,
        )
        .expect("the start is valid");
    subject
}

fn run(subject: &mut Subject, action: &str, data: Value) {
    let run = RunAction {
        action: action.to_owned(),
        element: None,
        data,
        file: None,
    };
    subject
        .apply(Command::Run(run), Some(&starter()))
        .expect("the action can run");
}

fn nested(depth: usize) -> Value {
    (1..depth).fold(json!({}), |inner, _| json!({ "d": inner }))
}

#[test]
fn deep_and_huge_payloads() {
    let sketch = r#"
        process p
        start -> a -> b -> end
        user a
          save manual save keys=d back restore
        user b
          tell manual push {"d":{"e":"${d}"}} keys=d optional
          go manual save"#;
    let mut subject = started(sketch, nested(64));
    run(&mut subject, "save", json!({"d": nested(63)}));
    run(&mut subject, "tell", json!({}));
    assert_eq!(
        subject.next().tokens[0]
            .incident
            .as_ref()
            .map(|incident| &*incident.code),
        Some("template_error")
    );
    run(&mut subject, "save", json!({"d": "x".repeat(1 << 20)}));
    run(&mut subject, "tell", json!({}));
    assert_eq!(
        subject.next().tokens[0]
            .incident
            .as_ref()
            .map(|incident| &*incident.code),
        Some("template_error")
    );
    run(
        &mut subject,
        "save",
        json!({"d": (0..50_000).collect::<Vec<_>>()}),
    );
    let wide: Value = (0..5_000)
        .map(|index| (format!("k{index}"), json!({"a": [index]})))
        .collect::<serde_json::Map<_, _>>()
        .into();
    run(&mut subject, "save", json!({"d": wide}));
}

/// A result that grows by one level with each round must not make the log unreadable.
#[test]
fn nested_results_are_bounded() {
    let sketch = "
        process p
        start -> merge -> check -> again
        xor merge
        call check q out=r.r.r.r.r.r.r
        xor again
        again -> merge when go == true
        again -> end default";
    let mut subject = started(sketch, json!({"go": true}));
    while subject.next().tokens[0].incident.is_none() {
        let child = subject
            .state()
            .children()
            .iter()
            .find(|(_, child)| child.status.is_live());
        let (&from, _) = child.expect("the call waits for a child");
        let result = Some(subject.state().data().clone());
        let message = Box::new(InstanceMessage::Ended {
            status: Status::Finished,
            result,
            error: None,
            carried: Map::new(),
        });
        subject
            .apply(
                Command::Receive {
                    trace: None,
                    from,
                    number: 2,
                    message,
                },
                None,
            )
            .expect("messages are never refused");
        assert!(subject.rows.len() < 500, "the result nests without end");
    }
    let incident = subject.next().tokens[0]
        .incident
        .clone()
        .expect("the loop ended with one");
    assert_eq!(incident.code, "output_error");
    let children = subject.state().children().len();
    let element = subject.next().tokens[0].element;
    subject
        .apply(Command::Retry { element }, None)
        .expect("an incident can be retried");
    assert_eq!(
        subject.state().children().len(),
        children + 1,
        "retry goes on without the result, here to the next round"
    );
}

#[test]
fn unknown_elements_actions_and_occurrences_are_ignored() {
    let sketch = "
        process p
        start -> a -> b -> end
        user a
          late auto push {} timer=PT1S free
          save manual save back
        user b
          go manual save";
    let mut subject = started(sketch, json!({}));
    for element in [0, 1, 2, 3, 4, 5, 6, 7, u64::MAX - 1, u64::MAX].map(ElementKey) {
        for action in ["late", "save", "", "b", "\u{0}", &"x".repeat(10_000)] {
            for occurrence in [0, 2, u32::MAX] {
                let timer = TimerKey::action(element, action, occurrence);
                assert!(
                    subject
                        .apply(Command::FireTimer(timer), None)
                        .expect("timers are never refused")
                        .row
                        .is_none()
                );
            }
            if action != "save" {
                let run = RunAction {
                    action: action.to_owned(),
                    element: Some(element),
                    data: Value::Null,
                    file: None,
                };
                assert!(subject.apply(Command::Run(run), None).is_err());
            }
        }
        assert!(subject.apply(Command::Retry { element }, None).is_err());
        assert!(
            subject
                .apply(Command::CloseOffer { seq: element.0 }, None)
                .is_err()
        );
        let message = Box::new(InstanceMessage::StartRefused {
            message: String::new(),
        });
        let receive = Command::Receive {
            trace: None,
            from: child_key(element.0),
            number: u64::MAX,
            message,
        };
        assert!(
            subject
                .apply(receive, None)
                .expect("messages are never refused")
                .row
                .is_none()
        );
    }
    for now in [i64::MIN, i64::MAX] {
        subject.now = Time(now);
        run(&mut subject, "save", Value::Null);
    }
}

/// The lineage through many joins in sequence: the number of paths doubles with each, the work must
/// not.
#[test]
fn many_joins_are_decided_quickly() {
    let mut sketch = "process p\nuser x\n  save manual save back\nstart -> x -> f0\n".to_owned();
    for index in 0..60 {
        let next = index + 1;
        sketch.push_str(&format!(
            "and f{index}\nand j{index}\nf{index} -> j{index}\nf{index} -> \
                j{index}\nj{index} -> f{next}\n"
        ));
    }
    sketch.push_str("user f60\nf60 -> end\n");
    let mut subject = started(&sketch, json!({}));
    let begin = Instant::now();
    run(&mut subject, "save", json!({}));
    run(&mut subject, "save", json!({}));
    // This is no measurement: there are 2^60 paths.
    assert!(begin.elapsed() < Duration::from_secs(60));
}

#[test]
fn command_ids_are_remembered() {
    let sketch = "
        process p
        start -> a -> end
        user a
          add manual save repeat
          done manual save";
    let mut subject = started(sketch, json!({}));
    let tag = |number: u128, subject: &str| CommandTag {
        id: Uuid::from_u128(number << 64 | number),
        subject: subject.to_owned(),
        hash: 7,
    };
    let seen = |of: &Subject, number, by: &str| {
        let tag = tag(number, by);
        of.state().commands().seen(tag.id, &tag.subject)
    };
    assert_eq!(seen(&subject, 1, "ada"), Seen::New);
    for number in 1..=130 {
        subject.tag = Some(tag(number, "ada"));
        run(&mut subject, "add", json!({}));
    }
    assert_eq!(seen(&subject, 1, "ada"), Seen::PerhapsLongAgo);
    assert_eq!(seen(&subject, 2, "ada"), Seen::PerhapsLongAgo);
    let first_seq = subject.rows[3].first_seq;
    assert_eq!(
        seen(&subject, 3, "ada"),
        Seen::Applied { hash: 7, first_seq }
    );
    assert_eq!(
        seen(&subject, 3, "eve"),
        Seen::New,
        "another subject's id is unknown"
    );
    assert_eq!(seen(&subject, 131, "ada"), Seen::New);

    subject.tag = Some(tag(200, "ada"));
    let refused = RunAction {
        action: "nothing".to_owned(),
        element: None,
        data: Value::Null,
        file: None,
    };
    assert!(subject.apply(Command::Run(refused), None).is_err());
    assert_eq!(
        seen(&subject, 200, "ada"),
        Seen::New,
        "a refused command leaves no id behind"
    );
}

/// The status between the first record and the start event, which is in no commit.
#[test]
fn an_instance_is_created_before_its_start_event_begins() {
    let subject = started("process p\nstart -> a -> end\nuser a", json!({}));
    let row = &subject.rows[0];
    let first = RecordBatch {
        records: row.records[..1].to_vec(),
        ..row.clone()
    };
    let status = |row| {
        InstanceState::replay(None, [row])
            .expect("there is a first record")
            .status()
    };
    assert_eq!(
        (status(&first), status(row)),
        (Status::Created, Status::Started)
    );
}

/// A client decides the length of a collection, and each child may get all data: both have a limit.
#[test]
fn collections_are_bounded() {
    let stuck = |data: Value| {
        let mut subject = started("process p\nstart -> all -> end\ncall all q each=list", data);
        // One step starts a part of them.
        let element = subject.next().tokens[0].element;
        for number in 0..1_000 {
            let message = Box::new(InstanceMessage::StartMore { element, turn: 1 });
            let more = Command::Receive {
                trace: None,
                from: OWN,
                number,
                message,
            };
            let row = subject.apply(more, None).expect("taken").row;
            if row.is_none() {
                break;
            }
            assert!(row.is_some_and(|row| row.records.len() <= 3 * 64 + 1));
        }
        let incident = subject.next().tokens[0].incident.clone();
        (
            incident.map(|incident| incident.code),
            subject.state().children().len(),
        )
    };
    let over = Some("collection_error".to_owned());
    assert_eq!(
        stuck(json!({"list": (0..1_000).collect::<Vec<_>>()})),
        (None, 1_000)
    );
    assert_eq!(
        stuck(json!({"list": (0..1_001).collect::<Vec<_>>()})),
        (over.clone(), 0)
    );
    assert_eq!(
        stuck(json!({"list": [1, 2], "big": "x".repeat(9 << 20)})),
        (over, 0)
    );
}

/// Merges that no back step can need are dropped, and the size of the others grows with their data,
/// not with their number.
#[test]
fn many_runs_keep_the_state_small() {
    let sketch = "
        process p
        start -> a -> b -> close -> c -> end
        user a
          save manual save keys=x back restore
        user b
          add manual save keys=x repeat
          go manual save
        task close noback
        user c
          add manual save keys=x repeat
          go manual save";
    let mut subject = started(sketch, json!({"x": 0}));
    run(&mut subject, "save", json!({"x": 1}));
    // While the restore is possible, merges of one author are combined. Afterwards even those are
    // dropped that cannot be combined.
    for (node, other) in [("b", json!(100)), ("c", json!({"y": 100}))] {
        let add = |subject: &mut Subject| {
            run(subject, "add", json!({"x": 100}));
            run(subject, "add", json!({ "x": other }));
        };
        add(&mut subject);
        let size = subject.size();
        (0..100).for_each(|_| add(&mut subject));
        assert!(
            subject.size() < size + 16,
            "two hundred runs at {node} grew from {size} to {}",
            subject.size()
        );
        if node == "b" {
            run(&mut subject, "go", json!({}));
        }
    }
}

#[test]
fn a_task_sends_at_most_a_hundred_reminders() {
    let mut subject = started(
        "process p\nstart -> a -> end\nuser a due=PT1M remind=PT1M again=PT1H",
        json!({}),
    );
    while let Some(timer) = subject.next_due(Time(1_000 * 3_600_000)) {
        subject
            .apply(Command::FireTimer(timer), None)
            .expect("timers are never refused");
    }
    assert_eq!((subject.rows.len(), subject.timers.len()), (1 + 100, 0));
}

/// Decisions in a loop with back steps are dropped when no back step can make them the last again.
#[test]
fn many_decisions_keep_the_state_small() {
    let sketch = "
        process p
        start -> a -> merge -> b -> ok -> again
        xor merge
        xor again
        again -> merge when go == true
        again -> end default
        user a
          save manual save back keys=go
        user b
          edit manual save back
        user ok
          approve manual save
          reject manual save";
    let mut subject = started(sketch, json!({"go": true}));
    run(&mut subject, "save", json!({}));
    let mut sizes = Vec::new();
    for round in 0..200 {
        run(&mut subject, "edit", json!({}));
        run(
            &mut subject,
            if round % 2 == 0 { "approve" } else { "reject" },
            json!({}),
        );
        sizes.push(subject.size());
    }
    assert!(sizes[199] <= sizes[20] + 64, "{sizes:?}");
    assert!(
        subject
            .state()
            .last_decision()
            .is_some_and(|decision| !decision.approved)
    );
}
