//! TypeScript types and how they are written.

use std::fmt;

use serde_json::Value;

/// A type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Type {
    /// A type by its name, or a literal.
    Named(String),
    /// An object with these members and no others.
    Object(Vec<TypeMember>),
    /// An object with any names.
    Map(Box<Type>),
    /// A list.
    List(Box<Type>),
    /// A list of this length.
    Tuple(Vec<Type>),
    /// One of these; an empty union has no values.
    Union(Vec<Type>),
    /// All of these at once.
    Intersection(Vec<Type>),
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TypeMember {
    pub name: String,
    pub required: bool,
    pub meaning: Type,
}

impl TypeMember {
    /// A member that is always there.
    pub fn required(name: &str, meaning: Type) -> Self {
        Self {
            name: name.to_owned(),
            required: true,
            meaning,
        }
    }
}

impl Type {
    pub fn named(name: &str) -> Self {
        Self::Named(name.to_owned())
    }

    /// Any JSON.
    pub fn json() -> Self {
        Self::named("Json")
    }

    /// Any JSON object.
    pub fn any_object() -> Self {
        Self::Map(Box::new(Self::json()))
    }

    /// The type of this one text, number, boolean or `null`; for an object or list, of its shape.
    pub fn literal(value: impl Into<Value>) -> Self {
        match value.into() {
            Value::Array(items) => Self::Tuple(items.into_iter().map(Self::literal).collect()),
            Value::Object(members) => Self::Object(
                members
                    .into_iter()
                    .map(|(name, value)| TypeMember::required(&name, Self::literal(value)))
                    .collect(),
            ),
            scalar => Self::Named(scalar.to_string()),
        }
    }

    /// The general type of a value.
    pub fn wide(value: &Value) -> Self {
        match value {
            Value::Null => Self::named("null"),
            Value::Bool(_) => Self::named("boolean"),
            Value::Number(_) => Self::named("number"),
            Value::String(_) => Self::named("string"),
            Value::Array(items) => Self::Tuple(items.iter().map(Self::wide).collect()),
            Value::Object(members) => Self::Object(
                members
                    .iter()
                    .map(|(name, value)| TypeMember::required(name, Self::wide(value)))
                    .collect(),
            ),
        }
    }

    /// All of these, in the shortest notation.
    pub fn all(mut types: Vec<Self>) -> Self {
        types.dedup();
        if types.len() == 1 {
            types.remove(0)
        } else {
            Self::Intersection(types)
        }
    }

    /// One of these, in the shortest notation.
    pub fn any(mut types: Vec<Self>) -> Self {
        types.dedup();
        if types.len() == 1 {
            types.remove(0)
        } else {
            Self::Union(types)
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, indent: usize) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::Object(members) if members.is_empty() => f.write_str("{ [name: string]: never }"),
            Self::Object(members) => {
                f.write_str("{\n")?;
                for TypeMember {
                    name,
                    required,
                    meaning,
                } in members
                {
                    let (name, mark) =
                        (Value::from(name.as_str()), if *required { "" } else { "?" });
                    write!(f, "{:indent$}  {name}{mark}: ", "")?;
                    meaning.write(f, indent + 2)?;
                    f.write_str(";\n")?;
                }
                write!(f, "{:indent$}}}", "")
            }
            Self::Map(meaning) => {
                f.write_str("{ [name: string]: ")?;
                meaning.write(f, indent)?;
                f.write_str(" }")
            }
            Self::List(item) => {
                item.write_operand(f, indent)?;
                f.write_str("[]")
            }
            Self::Tuple(items) => {
                f.write_str("[")?;
                for (number, item) in items.iter().enumerate() {
                    f.write_str(if number == 0 { "" } else { ", " })?;
                    item.write(f, indent)?;
                }
                f.write_str("]")
            }
            Self::Union(types) if types.is_empty() => f.write_str("never"),
            Self::Intersection(types) if types.is_empty() => f.write_str("Json"),
            Self::Union(types) => join(f, types, " | ", indent),
            Self::Intersection(types) => join(f, types, " & ", indent),
        }
    }

    fn write_operand(&self, f: &mut fmt::Formatter<'_>, indent: usize) -> fmt::Result {
        if !matches!(self, Self::Union(_) | Self::Intersection(_)) {
            return self.write(f, indent);
        }
        f.write_str("(")?;
        self.write(f, indent)?;
        f.write_str(")")
    }
}

fn join(f: &mut fmt::Formatter<'_>, types: &[Type], sign: &str, indent: usize) -> fmt::Result {
    for (number, operand) in types.iter().enumerate() {
        f.write_str(if number == 0 { "" } else { sign })?;
        operand.write_operand(f, indent)?;
    }
    Ok(())
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}
