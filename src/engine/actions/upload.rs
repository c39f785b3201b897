//! A run with a file: which actions accept one, and the reference to it in the data.
//!
//! The bytes are already stored when the command arrives; the engine knows the file only by its
//! [`StoredFile`]. The reference is merged together with the accepted payload, also at once when
//! the action is delayed.

use serde_json::Value;

use super::selection;
use crate::{
    engine::{
        command::RunAction,
        context::Step,
        record::{Record, StoredFile},
        rejection::{Rejection, RejectionKind},
    },
    limits::FILES_PER_INSTANCE,
    model::{
        deep_merge::deep_merge,
        executable::{ActionWork, ExecutableAction},
        field_error::FieldError,
        ids::ElementKey,
        upload::UploadRules,
    },
};

/// The files that may be uploaded with this run now.
pub(in crate::engine) fn may_upload(
    step: &Step<'_>,
    run: &RunAction,
) -> Result<UploadRules, Rejection> {
    let (_, action) = selection::target(step, run)?;
    let ActionWork::UploadFile { rules, .. } = &action.work else {
        return Err(takes_no_file(action));
    };
    require_room(step)?;
    Ok(rules.clone())
}

/// The file of a run: a fitting one for actions of type `uploadFile`, none for all other actions.
pub(super) fn require(
    step: &Step<'_>,
    action: &ExecutableAction,
    file: Option<StoredFile>,
) -> Result<Option<StoredFile>, Rejection> {
    match (&action.work, file) {
        (ActionWork::UploadFile { rules, .. }, Some(file)) => {
            rules
                .check_type(&file.media_type)
                .and_then(|()| rules.check_size(file.size))
                .map_err(file_problem)?;
            require_room(step)?;
            Ok(Some(file))
        }
        (ActionWork::UploadFile { .. }, None) => Err(file_problem(FieldError::required(
            "file",
            "expected a file, but there is none: send it as multipart/form-data, as the field \
            'file', to POST /v1/instances/{key}/upload?action=NAME",
        ))),
        (_, Some(_)) => Err(takes_no_file(action)),
        (_, None) => Ok(None),
    }
}

/// Merges the data of a run: the accepted payload, and the reference to its file.
pub(super) fn merge(
    step: &mut Step<'_>,
    key: ElementKey,
    action: &ExecutableAction,
    mut accepted: Value,
    file: Option<StoredFile>,
) {
    if let (ActionWork::UploadFile { destination, .. }, Some(file)) = (&action.work, file) {
        deep_merge(&mut accepted, &destination.nest(file.reference()));
        step.record(Record::FileStored(Box::new(file)));
    }
    step.merge(Some(key), accepted);
}

fn require_room(step: &Step<'_>) -> Result<(), Rejection> {
    if step.state.files().len() < FILES_PER_INSTANCE {
        return Ok(());
    }
    let sentence = format!(
        "expected at most {FILES_PER_INSTANCE} files of one instance, but this is one more: \
        start another"
    );
    Err(file_problem(
        FieldError::new("maxItems", sentence).with("limit", FILES_PER_INSTANCE),
    ))
}

fn file_problem(error: FieldError) -> Rejection {
    Rejection::invalid_data([("file".to_owned(), error)].into())
}

fn takes_no_file(action: &ExecutableAction) -> Rejection {
    let sentence = format!(
        "expected an action of type uploadFile for a file, but '{}' is of type {}: run it \
        without a file",
        action.name, action.type_name
    );
    Rejection::new(RejectionKind::BadRequest, sentence)
}
