//! The soundness explorer: the shipped examples, and a catalogue of small models with known
//! verdicts.
//!
//! `tests/explorer/models.case` contains the models, as sketches (`tests/engine/sketch.rs`), each
//! below a title `# verdict: name` with its known verdict; the explorer's output is below `---`.
//! `UPDATE_EXPECT=1 cargo test --test main explorer` writes the output, to be reviewed before it is
//! committed; a verdict that differs from the title fails nevertheless.

use std::{fmt::Write, fs};

use stepwire::{
    explorer::{Exploration, explore},
    model::{
        definition::ProcessDefinition,
        source::{SourceFormat, read_control_flow, read_source},
    },
};

use crate::{engine::sketch, support::expected};

/// States a model of the catalogue has at most.
const STATES: usize = 3_000;

#[test]
fn the_catalogue_of_models_has_its_known_verdicts() {
    let path = expected::path(&["tests", "explorer", "models.case"]);
    let text = expected::read(&path);
    let (mut written, mut wrong) = (String::new(), Vec::new());
    for case in expected::cases(&text) {
        let Some(title) = case.lines().next().and_then(|line| line.strip_prefix("# ")) else {
            written.push_str(&case);
            continue;
        };
        let model = case.split("\n---").next().unwrap_or(&case);
        let sketched = model.split_once('\n').map_or("", |(_, sketch)| sketch);
        let exploration = explore(&model_of(sketched), STATES)
            .unwrap_or_else(|problems| panic!("{title}: {problems:#?}"));
        let (known, _) = title.split_once(": ").unwrap_or_default();
        let found = verdict(&exploration);
        if found != known {
            wrong.push(format!("{title}: found {found}\n{}", shown(&exploration)));
        }
        let _ = writeln!(written, "{}\n---", model.trim_end());
        let _ = writeln!(written, "{}", shown(&exploration));
    }
    expected::settle(&path, &text, &written);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_examples_are_sound() {
    let examples = fs::read_dir(expected::path(&["examples"])).expect("the examples are there");
    let mut seen = 0;
    for path in examples.map(|entry| entry.expect("the folder can be read").path()) {
        if path.extension().is_none_or(|ending| ending != "bpmn") {
            continue;
        }
        let source = fs::read(&path).expect("an example can be read");
        let read = read_source(&source, SourceFormat::BpmnXml).expect("an example is read");
        for (definition, _) in read {
            let exploration = explore(&definition, STATES).expect("an example deploys");
            let reported = shown(&exploration);
            assert!(exploration.is_sound(), "{}: {reported}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 0, "there are examples");
}

/// A drawing may lack parts that do not belong to the control flow; the same file does not deploy.
#[test]
fn an_incomplete_model_can_be_explored() {
    let drawing = |behind: &str| {
        format!(
            r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p" isExecutable="true">
            <startEvent id="start"><messageEventDefinition/></startEvent><sequenceFlow id="f1" sourceRef="start" targetRef="split"/>
            <exclusiveGateway id="split"/>
            <sequenceFlow id="f2" sourceRef="split" targetRef="a"><conditionExpression>is it Monday?</conditionExpression></sequenceFlow>
            <sequenceFlow id="f3" sourceRef="split" targetRef="wait"/>
            <userTask id="a"><multiInstanceLoopCharacteristics/></userTask><sequenceFlow id="f4" sourceRef="a" targetRef="join"/>
            <boundaryEvent id="late" attachedToRef="a"><timerEventDefinition/></boundaryEvent><sequenceFlow id="f5" sourceRef="late" targetRef="end"/>
            <intermediateCatchEvent id="wait"/><sequenceFlow id="f6" sourceRef="wait" targetRef="call"/>
            <callActivity id="call"/><sequenceFlow id="f7" sourceRef="call" targetRef="gate"/>
            <eventBasedGateway id="gate"/><sequenceFlow id="f8" sourceRef="gate" targetRef="signal"/><sequenceFlow id="f9" sourceRef="gate" targetRef="receive"/>
            <intermediateCatchEvent id="signal"><signalEventDefinition/></intermediateCatchEvent><sequenceFlow id="f10" sourceRef="signal" targetRef="join"/>
            <receiveTask id="receive"/><sequenceFlow id="f11" sourceRef="receive" targetRef="join"/>
            {behind}<sequenceFlow id="f12" sourceRef="join" targetRef="end"/><endEvent id="end"/></process></definitions>"#
        )
    };
    for (join, known) in [
        (r#"<exclusiveGateway id="join"/>"#, "sound"),
        (r#"<parallelGateway id="join"/>"#, "deadlock"),
    ] {
        let text = drawing(join);
        read_source(text.as_bytes(), SourceFormat::BpmnXml).expect_err("it does not deploy");
        let read = read_control_flow(text.as_bytes(), SourceFormat::BpmnXml);
        let read = read.unwrap_or_else(|problems| panic!("{problems:#?}"));
        let exploration =
            explore(&read[0].0, STATES).unwrap_or_else(|problems| panic!("{join}: {problems:#?}"));
        assert_eq!(verdict(&exploration), known, "{}", shown(&exploration));
    }
}

#[test]
fn a_model_with_too_many_states_has_no_verdict() {
    let branches: Vec<String> = (0..8)
        .map(|nr| format!("fork -> a{nr} -> b{nr} -> join\nuser a{nr}\nuser b{nr}"))
        .collect();
    let sketched = format!(
        "start -> fork\n{}\njoin -> end\nand fork\nand join",
        branches.join("\n")
    );
    let exploration = explore(&model_of(&sketched), 500).expect("it deploys");
    assert_eq!(verdict(&exploration), "no verdict");
    assert!(exploration.states <= 520, "{}", exploration.states);
    // So many conditions have more combinations of answers than are explored: nothing is called
    // dead.
    let ways: Vec<String> = (0..10)
        .map(|nr| format!("split -> a{nr} when x > {nr}\na{nr} -> join\ntask a{nr}"))
        .collect();
    let sketched = format!(
        "or split\nor join\nstart -> split\njoin -> end\n{}",
        ways.join("\n")
    );
    let exploration = explore(&model_of(&sketched), STATES).expect("it deploys");
    assert_eq!(verdict(&exploration), "no verdict");
}

/// A model, which may list its flows before its nodes.
fn model_of(sketched: &str) -> ProcessDefinition {
    let (flows, nodes): (Vec<&str>, Vec<&str>) =
        sketched.lines().partition(|line| line.contains("->"));
    let (nodes, flows) = (nodes.join("\n"), flows.join("\n"));
    sketch::definition(&format!("process p\n{nodes}\n{flows}"))
}

/// The verdict in one word, as titles say it: `sound`, or the kinds of faults.
fn verdict(exploration: &Exploration) -> String {
    let mut kinds: Vec<&str> = exploration
        .faults
        .iter()
        .filter(|fault| fault.kind.is_fault())
        .map(|fault| fault.kind.code())
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    match (&kinds[..], exploration.is_complete) {
        ([], true) => "sound".to_owned(),
        ([], false) => "no verdict".to_owned(),
        (kinds, _) => kinds.join(" "),
    }
}

fn shown(exploration: &Exploration) -> String {
    let mut text = format!("  {}\n", exploration.verdict());
    for fault in &exploration.faults {
        let _ = writeln!(text, "  {}: {}", fault.kind.code(), fault.sentence);
        for step in &fault.path {
            let _ = writeln!(text, "    {step}");
        }
    }
    text
}
