//! The column forms of keys, times, seqs and states. All reads and writes use these.

use rusqlite::{
    ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};
use uuid::Uuid;

use crate::{
    engine::record::Status,
    journal::{
        definition::{DefinitionFormat, DefinitionState},
        row::Entity,
    },
    model::{
        hash_text,
        ids::{ElementKey, InstanceKey, Time},
    },
};

/// A seq as a column: SQLite has no unsigned integers, and no seq comes near 2^63.
pub(super) struct Seq(pub u64);

impl ToSql for Seq {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let number = i64::try_from(self.0).unwrap_or(i64::MAX);
        Ok(number.into())
    }
}

impl FromSql for Seq {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        u64::try_from(number)
            .map(Self)
            .map_err(|_| FromSqlError::OutOfRange(number))
    }
}

/// Represents the instance itself in a timer's row, because no record has this number; NULL values
/// would not be equal to each other in the key.
pub(super) const INSTANCE_ITSELF: ElementKey = ElementKey(0);

impl ToSql for ElementKey {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(i64::try_from(self.0).unwrap_or(i64::MAX).into())
    }
}

impl FromSql for ElementKey {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Seq::column_result(value).map(|seq| Self(seq.0))
    }
}

impl ToSql for Time {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for Time {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self)
    }
}

impl ToSql for InstanceKey {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.0.as_bytes())))
    }
}

impl FromSql for InstanceKey {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        uuid(value).map(Self)
    }
}

/// Reads a 16-byte blob.
fn uuid(value: ValueRef<'_>) -> FromSqlResult<Uuid> {
    <[u8; 16]>::column_result(value).map(Uuid::from_bytes)
}

impl FromSql for Entity {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bytes = <[u8; 17]>::column_result(value)?;
        Self::from_bytes(bytes).ok_or_else(|| unknown("entity kind", &bytes[0].to_string()))
    }
}

/// A list of roles, stored as one text: no role contains a blank.
#[derive(Clone)]
pub(super) struct Roles(pub Vec<String>);

impl ToSql for Roles {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.join(" ").into())
    }
}

impl FromSql for Roles {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(Self(
            value
                .as_str()?
                .split(' ')
                .filter(|role| !role.is_empty())
                .map(str::to_owned)
                .collect(),
        ))
    }
}

impl ToSql for DefinitionState {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.name().into())
    }
}

impl FromSql for DefinitionState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "draft" => Ok(Self::Draft),
            "published" => Ok(Self::Published),
            "disabled" => Ok(Self::Disabled),
            "deprecated" => Ok(Self::Deprecated),
            "replaced" => Ok(Self::Replaced),
            "deleted" => Ok(Self::Deleted),
            other => Err(unknown("definition state", other)),
        }
    }
}

impl ToSql for DefinitionFormat {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let text = match self {
            Self::Bpmn => "bpmn",
            Self::Json => "json",
        };
        Ok(text.into())
    }
}

impl FromSql for DefinitionFormat {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "bpmn" => Ok(Self::Bpmn),
            "json" => Ok(Self::Json),
            other => Err(unknown("definition format", other)),
        }
    }
}

/// A status as a column: its index among all statuses. An unknown name has an index that no row
/// has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct StatusNumber(pub i64);

impl StatusNumber {
    /// The status with this name.
    pub fn of(name: &str) -> Self {
        let place = Status::ALL.iter().position(|status| status.name() == name);
        Self(place.map_or(-1, |place| place as i64))
    }

    /// The name of the status.
    pub fn name(self) -> &'static str {
        let status = usize::try_from(self.0).ok();
        status
            .and_then(|place| Status::ALL.get(place))
            .map_or("", |status| status.name())
    }
}

impl ToSql for StatusNumber {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for StatusNumber {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = Self(value.as_i64()?);
        match number.name() {
            "" => Err(unknown("status", &number.0.to_string())),
            _ => Ok(number),
        }
    }
}

/// A revision as a column: 16 bytes if it is a hash of 32 hexadecimal digits (half of the text), as
/// all revisions made by this program are.
pub(super) struct Revision<T>(pub T);

impl ToSql for Revision<&str> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match hash_text::bytes(self.0) {
            Some(hash) => hash.to_vec().into(),
            None => self.0.into(),
        })
    }
}

impl FromSql for Revision<String> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(Self(match value {
            ValueRef::Blob(_) => hash_text::text(uuid(value)?.into_bytes()),
            _ => value.as_str()?.to_owned(),
        }))
    }
}

fn unknown(what: &str, found: &str) -> FromSqlError {
    FromSqlError::Other(format!("expected a {what} of this version, but found `{found}`").into())
}
