//! The possible contents of a view: the bodies of all Data messages, merged as clients merge them,
//! in any order.

use super::types::{Type, TypeMember};

/// The type of a view that these bodies are merged into. Each part may be missing, because its
/// message may not have arrived. An `open` view may also contain what children send, which the
/// definition does not determine.
pub(super) fn view(bodies: Vec<Type>, open: bool) -> Type {
    let merged = bodies
        .into_iter()
        .reduce(merge)
        .unwrap_or_else(|| Type::Object(Vec::new()));
    let known = match merged {
        Type::Object(members) => Type::Object(members.into_iter().map(optional).collect()),
        other => other,
    };
    let others = || Type::Map(Box::new(Type::named("unknown")));
    match known {
        Type::Object(members) if open && members.is_empty() => others(),
        known if open => Type::Intersection(vec![known, others()]),
        known => known,
    }
}

fn optional(member: TypeMember) -> TypeMember {
    TypeMember {
        required: false,
        ..member
    }
}

/// The type at a place that two messages write to: one of them has arrived, or both.
fn merge(one: Type, other: Type) -> Type {
    match (one, other) {
        (Type::Object(ours), Type::Object(theirs)) => Type::Object(merge_members(ours, theirs)),
        (one, other) => {
            let mut types = alternatives(one);
            for alternative in alternatives(other) {
                if !types.contains(&alternative) {
                    types.push(alternative);
                }
            }
            if types.contains(&Type::json()) {
                Type::json()
            } else {
                Type::any(types)
            }
        }
    }
}

fn merge_members(ours: Vec<TypeMember>, mut theirs: Vec<TypeMember>) -> Vec<TypeMember> {
    let mut members = Vec::new();
    for our in ours {
        let index = theirs.iter().position(|their| their.name == our.name);
        members.push(match index.map(|index| theirs.remove(index)) {
            Some(their) => TypeMember {
                name: our.name,
                required: our.required && their.required,
                meaning: merge(our.meaning, their.meaning),
            },
            None => optional(our),
        });
    }
    members.extend(theirs.into_iter().map(optional));
    members
}

fn alternatives(meaning: Type) -> Vec<Type> {
    match meaning {
        Type::Union(types) if !types.is_empty() => types,
        other => vec![other],
    }
}
