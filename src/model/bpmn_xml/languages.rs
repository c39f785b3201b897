//! Reads which language an expression is written in: its own `language`, else the document's
//! `expressionLanguage`, else JavaScript. An expression is never read as another language than the
//! one it says.

use roxmltree::Node;

use super::{reader::Reader, xml::filled};
use crate::model::expression_language::{self, Language};

/// Reports an expression of a language that does not run. XPath that only the document says is a
/// warning: editors write that by themselves.
pub(super) fn check(expression: Node<'_, '_>, element: &str, reader: &mut Reader<'_>) {
    if let Some(language) = filled(expression.attribute("language")) {
        if let Some(found) = expression_language::refusal(language) {
            let message = format!(
                "expected an expression in JavaScript, but its language `{language}` {found}"
            );
            reader.error(element, "unsupported_expression", message);
        }
        return;
    }
    let Some(language) = filled(
        expression
            .document()
            .root_element()
            .attribute("expressionLanguage"),
    ) else {
        return;
    };
    if expression_language::named(language) == Language::XPath {
        let message = format!(
            "expected expressionLanguage to say JavaScript, but the document says `{language}`, \
            as editors do by themselves; the expression is read as JavaScript: remove \
            expressionLanguage, or give the expression language=\"javascript\""
        );
        reader.warning(element, "expression_language", message);
    } else if let Some(found) = expression_language::refusal(language) {
        let message = format!(
            "expected an expression in JavaScript, but the document's expressionLanguage \
            `{language}` {found}"
        );
        reader.error(element, "unsupported_expression", message);
    }
}
