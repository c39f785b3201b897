//! The schemas of wire values whose text is written by hand: keys, channels, statuses. For the
//! documents.
//!
//! Derived wire types have their documentation beside their fields. Not here: the shapes of whole
//! frames (`catalog`).

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        KnownFormat, ObjectBuilder, RefOr, SchemaFormat,
        schema::{Schema, Type},
    },
};

use super::{channel::Channel, client::Payload, code::ErrorCode};
use crate::{
    engine::record::Status,
    model::{
        action::Required,
        ids::{ElementKey, InstanceKey},
    },
};

/// The form of an element key.
const ELEMENT: &str = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-[0-9]+$";
/// The form of a channel's name.
const CHANNEL: &str =
    "^(tasks|changes|process/.+|instance/[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$";

macro_rules! looks_like {
    ($($named:ty => $schema:expr;)*) => {$(
        impl PartialSchema for $named {
            fn schema() -> RefOr<Schema> {
                $schema.build().into()
            }
        }

        impl ToSchema for $named {}
    )*};
}

looks_like! {
    InstanceKey => text("The key of an instance, as the answer to its start tells it")
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
    ElementKey => text("The key of an element: its instance's, and a number").pattern(Some(ELEMENT));
    Channel => text("`instance/KEY`, `tasks` or `process/ID`").pattern(Some(CHANNEL));
    Status => one_of(Status::ALL.map(Status::name)).description(Some("The status of an instance"));
    Required => one_of(["mandatory", "optional"]).description(Some("Whether a node waits for an \
        action"));
    ErrorCode => one_of(ErrorCode::ALL.map(ErrorCode::name)).description(Some("Why something was \
        refused"));
    Payload => ObjectBuilder::new().description(Some("A JSON object"));
}

fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
}

fn one_of<const N: usize>(names: [&'static str; N]) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(names))
}
