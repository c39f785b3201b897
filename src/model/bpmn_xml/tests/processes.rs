//! Which processes of a document are read.

use super::{
    others::{problems, says},
    *,
};

#[test]
fn non_executable_processes_are_read_if_none_is_executable() {
    let process = |id: &str, attributes: &str, content: &str| {
        format!(r#"<process id="{id}" {attributes}>{content}</process>"#)
    };
    let document = |processes: &[String]| {
        format!(
            r#"<definitions xmlns="{BPMN_NAMESPACE}">{}</definitions>"#,
            processes.concat()
        )
    };
    let (off, task) = ("isExecutable=\"false\"", "<task/>");
    let ids = |xml: &str| -> Vec<String> {
        let read = read(xml).unwrap_or_else(|problems| panic!("{xml}: {problems:?}"));
        read.into_iter()
            .map(|(definition, _)| definition.id)
            .collect()
    };
    let alone = document(&[process("a", "isExecutable=\"0\"", task)]);
    assert_eq!(ids(&alone), ["a"]);
    says(
        &alone,
        "not_executable",
        &["`a`", "set isExecutable=\"true\""],
        &[],
    );
    let both = document(&[process("a", off, task), process("b", off, task)]);
    assert_eq!(ids(&both), ["a", "b"]);
    let mixed = document(&[
        process("a", off, task),
        process("b", "", task),
        process("c", off, ""),
    ]);
    assert_eq!(ids(&mixed), ["b"]);
    let found: Vec<&str> = problems(&mixed)
        .iter()
        .map(|problem| problem.code)
        .collect();
    assert_eq!(found, ["process_not_deployed", "process_not_deployed"]);
    let pool = document(&[process("a", off, task), process("pool", "", "")]);
    assert_eq!(ids(&pool), ["a"]);
}

#[test]
fn other_formats_are_recognised_by_name() {
    for (root, namespace, name) in [
        ("Package", "http://www.wfmc.org/2009/XPDL2.2", "XPDL"),
        (
            "definitions",
            "https://www.omg.org/spec/DMN/20191111/MODEL/",
            "DMN",
        ),
        (
            "definitions",
            "http://schema.omg.org/spec/BPMN/2.0",
            "a draft of BPMN 2.0",
        ),
        (
            "BpmnDiagram",
            "http://stp.eclipse.org/bpmn",
            "a drawing of BPMN 1.x",
        ),
    ] {
        says(
            &format!(r#"<{root} xmlns="{namespace}"/>"#),
            "not_bpmn",
            &[namespace, &format!("which is {name}")[..]],
            &[],
        );
    }
    let doctype = |declared: &str| {
        format!(
            "<!DOCTYPE definitions{declared}>\n{}",
            document("", "<task/>")
        )
    };
    for harmless in ["", " SYSTEM \"x.dtd\""] {
        assert!(read(&doctype(harmless)).is_ok(), "{harmless}");
    }
    says(
        &doctype(" [<!ENTITY e 'x'>]"),
        "dtd_refused",
        &["entities"],
        &[],
    );
}
