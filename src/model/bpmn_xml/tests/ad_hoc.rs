//! Ad-hoc subprocesses.

use super::*;
use crate::model::ad_hoc::{ActiveElements, AdHoc};
use crate::model::definition::FlowNode;

fn ad_hoc(attributes: &str, content: &str) -> FlowNode {
    let text = format!(
        r#"<adHocSubProcess id="h" {attributes}>{content}<task id="a"/></adHocSubProcess>"#
    );
    let definitions = read(&document("", &text)).expect("it can be read");
    definitions[0].0.nodes[0].clone()
}

#[test]
fn ordering_condition_and_initial_activities_are_read() {
    let plain = ad_hoc("", "");
    assert_eq!(plain.kind, ElementType::AdHocSubProcess);
    assert_eq!(plain.ad_hoc, None);
    let full = ad_hoc(
        r#"ordering="Sequential" cancelRemainingInstances="false" stepwire:activeElements='["a"]'"#,
        "<completionCondition>${n &gt; 1}</completionCondition>",
    );
    let expected = AdHoc {
        sequential: true,
        completion_condition: Some("${n > 1}".to_owned()),
        cancel_remaining_instances: false,
        active_elements: Some(ActiveElements::Ids(vec!["a".to_owned()])),
    };
    assert_eq!(full.ad_hoc, Some(expected));
    let path = Some(ActiveElements::Path("todo.list".to_owned()));
    let read_path = ad_hoc(r#"stepwire:activeElements="todo.list""#, "");
    assert_eq!(read_path.ad_hoc.map(|it| it.active_elements), Some(path));
    check(
        r#"<adHocSubProcess id="h" ordering="Random"><task id="a"/></adHocSubProcess>"#,
        &[("h", "invalid_value")],
    );
}

#[test]
fn zeebe_attributes_are_read() {
    let of = |expression: &str| {
        let content = format!(
            r#"<extensionElements><zeebe:adHoc xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" activeElementsCollection="{expression}"/></extensionElements>"#
        );
        let read = ad_hoc("", &content);
        read.ad_hoc.and_then(|it| it.active_elements)
    };
    let ids = vec!["a".to_owned()];
    assert_eq!(of("=[&quot;a&quot;]"), Some(ActiveElements::Ids(ids)));
    let path = ActiveElements::Path("todo".to_owned());
    assert_eq!(of("= todo"), Some(path));
}
