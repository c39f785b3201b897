//! The language of an expression, by its own declaration and the document's.

use super::*;

#[test]
fn the_language_of_an_expression_is_checked() {
    let check_languages = |says: &str, own: &str, expected: &[(&str, &str)]| {
        let flow = format!(
            r#"<sequenceFlow id="f" sourceRef="a" targetRef="b"><conditionExpression {own}>a.b() == 1</conditionExpression></sequenceFlow>
            <sequenceFlow id="g" sourceRef="a" targetRef="b"/>"#
        );
        let xml = document("", &flow).replacen("<definitions", &format!("<definitions {says}"), 1);
        let problems = match read(&xml) {
            Ok(read) => read
                .into_iter()
                .flat_map(|(_, warnings)| warnings)
                .collect(),
            Err(problems) => problems,
        };
        let found: Vec<_> = problems
            .iter()
            .map(|problem| (problem.element.as_str(), problem.code))
            .collect();
        let found: Vec<_> = found
            .into_iter()
            .filter(|(_, code)| code.contains("expression"))
            .collect();
        assert_eq!(found, expected, "{says} {own}");
    };
    let xpath = r#"expressionLanguage="http://www.w3.org/1999/XPath""#;
    check_languages("", "", &[]);
    check_languages("", r#"language="application/javascript""#, &[]);
    check_languages(xpath, "", &[("f", "expression_language")]);
    check_languages(xpath, r#"language="javascript""#, &[]);
    check_languages(
        xpath,
        r#"language="feel""#,
        &[("f", "unsupported_expression")],
    );
    check_languages(
        "",
        r#"language="http://www.w3.org/1999/XPath""#,
        &[("f", "unsupported_expression")],
    );
    check_languages(r#"expressionLanguage="JavaScript""#, "", &[]);
    for other in [
        "https://www.omg.org/spec/DMN/20191111/FEEL/",
        "juel",
        "groovy",
        "python",
        "http://www.java.com/java",
    ] {
        check_languages(
            &format!(r#"expressionLanguage="{other}""#),
            "",
            &[("f", "unsupported_expression")],
        );
        check_languages(
            &format!(r#"expressionLanguage="{other}""#),
            r#"language="js""#,
            &[],
        );
        check_languages(
            "",
            &format!(r#"language="{other}""#),
            &[("f", "unsupported_expression")],
        );
    }
}

#[test]
fn the_language_of_a_default_flows_condition_is_ignored() {
    let condition = r#"<conditionExpression language="feel">a</conditionExpression>"#;
    check(
        &format!(
            r#"<exclusiveGateway id="g" default="f"/><sequenceFlow id="f" sourceRef="g" targetRef="b">{condition}</sequenceFlow>"#
        ),
        &[],
    );
}

#[test]
fn a_plain_expression_of_another_language_is_read_in_javascript() {
    for (language, text) in [
        (
            "https://www.omg.org/spec/DMN/20191111/FEEL/",
            "order.paid = true",
        ),
        ("http://www.java.com/java", "return order.paid == true;"),
        ("http://www.mvel.org/2.0", "order.paid == true"),
        ("juel", "${order.paid eq true}"),
    ] {
        let flow = format!(
            r#"<sequenceFlow id="f" sourceRef="a" targetRef="b"><conditionExpression language="{language}">{text}</conditionExpression></sequenceFlow>"#
        );
        let (definition, problems) = read_one(&flow);
        assert_eq!(problems, [], "{language}");
        // FEEL compares in another way, so it stays FEEL.
        let expected = match language.ends_with("FEEL/") {
            true => "= order.paid = true",
            false => "${order.paid == true}",
        };
        assert_eq!(definition.flows[0].condition.as_deref(), Some(expected));
    }
}
