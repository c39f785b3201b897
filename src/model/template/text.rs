//! Templates of plain text: URLs and header values. They may refer to secrets, which are never in
//! data.
//!
//! `${secret.NAME}` is no path into the data: it refers to a value that only the server has and
//! inserts when a call is sent. The user of such a template says where secrets are allowed.

use std::borrow::Cow;

use serde_json::Value;

use super::{
    Builtins, DataPath, Piece, Placeholder, Template, TemplateError, TemplatePart, Variables,
    parser, renderer,
};

/// The member by which templates of calls refer to secrets.
const SECRET: &str = "secret";

/// A compiled template of plain text.
#[derive(Clone, Debug)]
pub struct TextTemplate {
    pub(super) pieces: Vec<Piece>,
    pub(super) paths: Vec<DataPath>,
}

/// A piece of a rendered text.
#[derive(Clone, Debug, PartialEq)]
pub enum Filled<'a> {
    /// As the modeller wrote it.
    Literal(&'a str),
    /// The value of a placeholder; `null` if there is none.
    Value(Cow<'a, Value>),
    /// The name of a secret.
    Secret(String),
}

impl TextTemplate {
    /// Compiles a text.
    ///
    /// # Errors
    /// The first placeholder that cannot be read.
    pub fn compile(text: &str) -> Result<Self, TemplateError> {
        parser::parse_text(text)
    }

    /// The pieces of the text with these variables, in order.
    pub fn fill<'a>(
        &'a self,
        variables: &'a Variables<'a>,
        builtins: &'a Builtins<'a>,
    ) -> impl Iterator<Item = Filled<'a>> {
        self.pieces.iter().map(move |piece| match piece {
            Piece::Literal(text) => Filled::Literal(text),
            Piece::Placeholder(Placeholder::Builtin(builtin)) => {
                Filled::Value(Cow::Owned(renderer::builtin(*builtin, builtins)))
            }
            Piece::Placeholder(Placeholder::Path(index)) => match secret(&self.paths[*index]) {
                Some(name) => Filled::Secret(name),
                None => Filled::Value(
                    variables
                        .at(&self.paths[*index])
                        .map_or(Cow::Owned(Value::Null), Cow::Borrowed),
                ),
            },
        })
    }

    /// The literal pieces in order; `None` for a placeholder.
    pub fn outline(&self) -> impl Iterator<Item = Option<&str>> {
        self.pieces.iter().map(|piece| match piece {
            Piece::Literal(text) => Some(text.as_str()),
            Piece::Placeholder(_) => None,
        })
    }

    /// Names of the secrets that it uses.
    pub fn secrets(&self) -> impl Iterator<Item = String> {
        self.paths.iter().filter_map(secret)
    }
}

impl Template {
    /// The members of a template that is an object, as texts; a member of another kind (a list, an
    /// object, `null`) is `None`.
    pub fn members(&self) -> Option<Vec<(&str, Option<TextTemplate>)>> {
        let TemplatePart::Object(members) = &self.root else {
            return None;
        };
        let text = |part: &TemplatePart| {
            parser::pieces_of(part.clone()).map(|pieces| {
                // Each text only keeps the paths that it uses, so that its secrets are its own.
                let mut paths = Vec::new();
                let own = |piece: Piece| match piece {
                    Piece::Placeholder(Placeholder::Path(index)) => {
                        paths.push(self.paths[index].clone());
                        Piece::Placeholder(Placeholder::Path(paths.len() - 1))
                    }
                    other => other,
                };
                let pieces = pieces.into_iter().map(own).collect();
                TextTemplate { pieces, paths }
            })
        };
        Some(
            members
                .iter()
                .map(|(name, part)| (name.as_str(), text(part)))
                .collect(),
        )
    }

    /// Names of the secrets that it refers to, which no JSON template may use.
    pub fn secrets(&self) -> impl Iterator<Item = String> {
        self.paths.iter().filter_map(secret)
    }
}

/// A value as it appears inside a longer text.
pub fn as_text(value: &Value) -> Cow<'_, str> {
    renderer::as_text(value)
}

/// The name of the secret that a path refers to, if it does.
fn secret(path: &DataPath) -> Option<String> {
    let text = path.to_string();
    let name = text.strip_prefix(SECRET)?;
    if name.is_empty() {
        Some(String::new())
    } else {
        name.strip_prefix('.').map(str::to_owned)
    }
}
