//! Reads the language of an expression: its own `language`, otherwise the document's
//! `expressionLanguage`, otherwise JavaScript. An expression is never read as another language than
//! the declared one, except that a plain one is translated to JavaScript.

use roxmltree::Node;

use super::{
    reader::Reader,
    xml::{filled, text},
};
use crate::model::{
    expression_language::{self, Language},
    plain_expression,
};

/// The text of an expression, in JavaScript. One in a language that does not run, and that is not
/// plain, is reported. XPath declared only by the document is a warning, because editors write it
/// by default.
pub(super) fn read(expression: Node<'_, '_>, element: &str, reader: &mut Reader<'_>) -> String {
    let written = reader.counted.in_bpmn(expression, text(expression));
    let language = filled(expression.attribute("language"));
    let foreign = match language {
        Some(language) => expression_language::refusal(language).is_some(),
        None => document_language(expression)
            .is_some_and(|name| matches!(expression_language::named(name), Language::Other(_))),
    };
    let name = language.or_else(|| document_language(expression));
    let compares = ["FEEL", "XPath"].map(str::to_lowercase);
    let single_equals = name.is_some_and(|name| {
        let name = name.to_lowercase();
        compares.iter().any(|language| name.contains(language))
    });
    if foreign && let Some((inner, plain)) = plain(&written, single_equals) {
        // FEEL compares in another way, so it stays FEEL.
        let is_feel = name.is_some_and(|name| name.to_lowercase().contains("feel"));
        return match is_feel {
            true => format!("= {}", inner.trim()),
            false => format!("${{{plain}}}"),
        };
    }
    check(expression, language, element, reader);
    written
}

/// A plain expression without the marks around it, and the same in JavaScript.
fn plain(written: &str, single_equals: bool) -> Option<(&str, String)> {
    let inner = ["${", "#{"]
        .into_iter()
        .find_map(|open| written.strip_prefix(open)?.strip_suffix('}'))
        .or_else(|| written.strip_prefix('='))
        .unwrap_or(written);
    Some((
        inner,
        plain_expression::in_javascript(inner, single_equals)?,
    ))
}

fn document_language<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    filled(
        node.document()
            .root_element()
            .attribute("expressionLanguage"),
    )
}

fn check(expression: Node<'_, '_>, language: Option<&str>, element: &str, reader: &mut Reader<'_>) {
    if let Some(language) = language {
        if let Some(found) = expression_language::refusal(language) {
            let message = format!(
                "expected an expression in JavaScript, but its language `{language}` {found}"
            );
            reader.left_open(element, "unsupported_expression", message);
        }
        return;
    }
    let Some(language) = document_language(expression) else {
        return;
    };
    if expression_language::named(language) == Language::XPath {
        let message = format!(
            "expected expressionLanguage to say JavaScript, but the document says `{language}`, as \
            many editors write by default; the expression is read as JavaScript: remove \
            expressionLanguage, or give the expression language=\"javascript\""
        );
        reader.warning(element, "expression_language", message);
    } else if let Some(found) = expression_language::refusal(language) {
        let message = format!(
            "expected an expression in JavaScript, but the document's expressionLanguage \
            `{language}` {found}"
        );
        reader.left_open(element, "unsupported_expression", message);
    }
}
