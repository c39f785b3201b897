//! Converts rows of the tables, column by column in the order in which `read` selects them.

use rusqlite::{Result, Row};
use uuid::Uuid;

use super::values::{INSTANCE_ITSELF, Revision, Roles, Seq, StatusNumber};
use crate::journal::{
    definition::DefinitionRow,
    listing::{IncidentRow, InstanceRow, TaskRow, TimerRow, TimerRowKey},
    packed_source::PackedSource,
    row::{LogRow, OutboxMessage, OutboxRow, StoredRow},
    schedule::{ScheduleKey, ScheduleRow},
    user::UserRow,
};
use crate::{
    engine::command::TimerKind,
    model::ids::{InstanceKey, Time},
};

pub(super) fn stored_row(row: &Row<'_>) -> Result<StoredRow> {
    let (Seq(first_seq), Seq(last_seq)) = (row.get(4)?, row.get(5)?);
    Ok(StoredRow {
        pos: row.get(0)?,
        epoch: row.get(1)?,
        row: LogRow {
            entity: row.get(2)?,
            tenant: row.get(3)?,
            first_seq,
            last_seq,
            time: row.get(6)?,
            body: row.get(7)?,
        },
    })
}

pub(super) fn instance_row(row: &Row<'_>) -> Result<InstanceRow> {
    let key = row.get(0)?;
    Ok(InstanceRow {
        key,
        tenant: row.get(1)?,
        process: row.get(2)?,
        version: row.get(3)?,
        revision: row.get::<_, Revision<String>>(4)?.0,
        status: row.get::<_, StatusNumber>(5)?.name().to_owned(),
        business_key: row.get(6)?,
        started_by: row.get(7)?,
        parent: row.get(8)?,
        root: row.get::<_, Option<InstanceKey>>(9)?.unwrap_or(key),
        created_at: row.get(10)?,
        ended_at: row.get(11)?,
        incidents: row.get(12)?,
        outcome: row.get(13)?,
        open_until: row.get(14)?,
        descendants_ended: row.get(15)?,
        origin: row.get::<_, Option<[u8; 16]>>(16)?.map(Uuid::from_bytes),
    })
}

pub(super) fn task_row(row: &Row<'_>) -> Result<TaskRow> {
    let started_by: String = row.get(9)?;
    let of_root: Option<String> = row.get(10)?;
    Ok(TaskRow {
        instance: row.get(0)?,
        element: row.get(1)?,
        tenant: row.get(2)?,
        process: row.get(3)?,
        node: row.get(4)?,
        name: row.get(5)?,
        lane: row.get(6)?,
        assignee: row.get(7)?,
        candidates: row.get::<_, Option<Roles>>(8)?.map(|Roles(roles)| roles),
        root_started_by: of_root.unwrap_or_else(|| started_by.clone()),
        started_by,
        created_at: row.get(11)?,
        due_at: row.get(12)?,
        reminded_at: row.get(13)?,
        loop_counter: row.get(14)?,
        business_key: row.get(15)?,
    })
}

pub(super) fn incident_row(row: &Row<'_>) -> Result<IncidentRow> {
    Ok(IncidentRow {
        instance: row.get(0)?,
        element: row.get(1)?,
        tenant: row.get(2)?,
        process: row.get(3)?,
        node: row.get(4)?,
        code: row.get(5)?,
        message: row.get(6)?,
        raised_at: row.get(7)?,
    })
}

fn timer_kind(kind: &str, name: &str) -> Result<TimerKind> {
    TimerKind::from_parts(kind, name).ok_or_else(|| {
        let sentence = format!("expected the kind of a timer, but got `{kind}`");
        rusqlite::Error::FromSqlConversionFailure(3, rusqlite::types::Type::Text, sentence.into())
    })
}

pub(super) fn timer_row(row: &Row<'_>) -> Result<TimerRow> {
    let key = TimerRowKey {
        instance: row.get(1)?,
        element: Some(row.get(2)?).filter(|element| *element != INSTANCE_ITSELF),
        kind: timer_kind(&row.get::<_, String>(3)?, &row.get::<_, String>(4)?)?,
        occurrence: row.get(5)?,
    };
    Ok(TimerRow {
        due: row.get(0)?,
        key,
    })
}

pub(super) fn definition_row(row: &Row<'_>) -> Result<DefinitionRow> {
    Ok(DefinitionRow {
        tenant: row.get(0)?,
        id: row.get(1)?,
        version: row.get(2)?,
        revision: row.get(3)?,
        state: row.get(4)?,
        alias: row.get(5)?,
        name: row.get(6)?,
        format: row.get(7)?,
        source: Some(PackedSource::stored(row.get(8)?)),
        created_at: row.get(9)?,
        created_by: row.get(10)?,
    })
}

pub(super) fn schedule_row(row: &Row<'_>) -> Result<ScheduleRow> {
    let Seq(fired) = row.get(8)?;
    Ok(ScheduleRow {
        key: ScheduleKey {
            tenant: row.get(0)?,
            process: row.get(1)?,
            node: row.get(2)?,
        },
        version: row.get(3)?,
        expression: row.get(4)?,
        begun_at: row.get(5)?,
        next_due: row.get(6)?,
        enabled: row.get(7)?,
        fired,
        last_fired: row.get(9)?,
        last_instance: row.get(10)?,
        last_skipped: row.get(11)?,
        last_error: row.get(12)?,
        failed_at: row.get(13)?,
    })
}

pub(super) fn outbox_message(row: &Row<'_>) -> Result<OutboxMessage> {
    let Seq(seq) = row.get(1)?;
    Ok(OutboxMessage {
        source: row.get(0)?,
        row: OutboxRow {
            seq,
            target: row.get(2)?,
            body: row.get(3)?,
            publication: row.get::<_, Option<Seq>>(4)?.map(|Seq(seq)| seq),
        },
    })
}

/// Replaces a damaged row of a user: the user cannot sign in, and all its tokens are refused,
/// because it is not known which were.
pub(super) fn locked_out_user(row: &Row<'_>) -> Option<UserRow> {
    Some(UserRow {
        tenant: row.get(0).ok()?,
        name: row.get(1).ok()?,
        password_hash: None,
        roles: Vec::new(),
        revoked_at: Some(Time(i64::MAX)),
        created_at: Time(0),
    })
}

pub(super) fn user_row(row: &Row<'_>) -> Result<UserRow> {
    let Roles(roles) = row.get(3)?;
    Ok(UserRow {
        tenant: row.get(0)?,
        name: row.get(1)?,
        password_hash: row.get(2)?,
        roles,
        revoked_at: row.get(4)?,
        created_at: row.get(5)?,
    })
}
