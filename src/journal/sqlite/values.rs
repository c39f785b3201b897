//! How keys, times, seqs and states look in a column. All reads and writes of both sides go through
//! these.

use rusqlite::{
    ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};
use uuid::Uuid;

use crate::{
    journal::{
        definition::{DefinitionFormat, DefinitionState},
        row::Entity,
    },
    model::ids::{ElementKey, InstanceKey, Time},
};

/// A seq as a column: SQLite has no unsigned numbers, and no seq comes near 2^63.
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

/// Stands in a timer's row for the instance itself, as no record has this number; NULL would keep
/// rows of one key apart.
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

/// A list of roles, stored as one text: no role has a blank.
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

fn unknown(what: &str, found: &str) -> FromSqlError {
    FromSqlError::Other(format!("expected a {what} of this version, but found `{found}`").into())
}
