//! Which processes of a document are read.

use super::{
    others::{problems, says},
    *,
};

#[test]
fn processes_that_are_not_executable_are_read_where_none_is() {
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
