//! The content of a rendered template, as far as the template determines it: constants as they are,
//! texts, and `Json` for values of the data.

use super::{
    Constants,
    types::{Type, TypeMember},
};
use crate::model::template::Shape;

/// The type of the result of a template.
pub(super) fn body(shape: &Shape<'_>, constants: Constants) -> Type {
    let body = |shape: &Shape<'_>| body(shape, constants);
    match shape {
        Shape::Constant(value) if constants == Constants::Widened => Type::wide(value),
        Shape::Constant(value) => Type::literal((*value).clone()),
        Shape::Value => Type::json(),
        Shape::Text => Type::named("string"),
        Shape::TextOrNull => Type::Union(vec![Type::named("string"), Type::named("null")]),
        Shape::Array(items) => Type::Tuple(items.iter().map(body).collect()),
        Shape::Object(members) => Type::Object(
            members
                .iter()
                .map(|(name, shape)| TypeMember::required(name, body(shape)))
                .collect(),
        ),
    }
}
