//! Templates of plain text: addresses and header values. They know secrets, which data never hold.
//!
//! `${secret.NAME}` is no path into the data: it names what only the server knows and what is
//! filled in when a call leaves. Who takes such a template says where secrets are allowed.

use std::borrow::Cow;

use serde_json::Value;

use super::{
    Builtins, DataPath, Piece, Placeholder, Template, TemplateError, TemplatePart, Variables,
    parser, renderer,
};

/// The member under which templates of calls find secrets.
const SECRET: &str = "secret";

/// A compiled template of plain text.
#[derive(Clone, Debug)]
pub struct TextTemplate {
    pub(super) pieces: Vec<Piece>,
    pub(super) paths: Vec<DataPath>,
}

/// A piece of a filled-in text.
#[derive(Clone, Debug, PartialEq)]
pub enum Filled<'a> {
    /// As the modeller wrote it.
    Literal(&'a str),
    /// What a placeholder stands for; `null` when there is nothing.
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

    /// The pieces of the text over these variables, in order.
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

    /// The literal pieces in order; `None` stands for a placeholder.
    pub fn outline(&self) -> impl Iterator<Item = Option<&str>> {
        self.pieces.iter().map(|piece| match piece {
            Piece::Literal(text) => Some(text.as_str()),
            Piece::Placeholder(_) => None,
        })
    }

    /// Names of the secrets it is filled in with.
    pub fn secrets(&self) -> impl Iterator<Item = String> {
        self.paths.iter().filter_map(secret)
    }
}

impl Template {
    /// The members of a template that is an object, as texts; a member that is not one (a list, an
    /// object, `null`) is `None`.
    pub fn members(&self) -> Option<Vec<(&str, Option<TextTemplate>)>> {
        let TemplatePart::Object(members) = &self.root else {
            return None;
        };
        let text = |part: &TemplatePart| {
            parser::pieces_of(part.clone()).map(|pieces| {
                // Each text keeps the paths it uses only, so that its secrets are its own.
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

    /// Names of the secrets it asks for, which no JSON template is filled in with.
    pub fn secrets(&self) -> impl Iterator<Item = String> {
        self.paths.iter().filter_map(secret)
    }
}

/// A value as it is inside a longer text.
pub fn as_text(value: &Value) -> Cow<'_, str> {
    renderer::as_text(value)
}

/// The name of the secret a path means, if it means one.
fn secret(path: &DataPath) -> Option<String> {
    let text = path.to_string();
    let name = text.strip_prefix(SECRET)?;
    if name.is_empty() {
        Some(String::new())
    } else {
        name.strip_prefix('.').map(str::to_owned)
    }
}
