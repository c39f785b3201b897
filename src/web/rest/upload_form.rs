//! Reads a form with a file while it arrives: the file is written to disk piece by piece and is
//! never completely in memory.
//!
//! Not here: the command of the upload (`rest::uploads`), storing files (`runtime::files`).

use std::{cell::Cell, rc::Rc, sync::Arc, time::Instant};

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::{
    HttpRequest,
    error::PayloadError,
    web::{self, Bytes, Payload},
};
use futures_util::{Stream, StreamExt};
use tokio::time::timeout_at;

use super::{
    super::{
        body_pace::BodyPace,
        http::{app::App, body, problem::HttpProblem},
    },
    file_name,
};
use crate::{
    engine::Rejection,
    journal::disk_room::DiskRoom,
    limits::{self, Limit, PotPlace},
    model::{
        field_error::FieldError,
        ids::InstanceKey,
        upload::{UNKNOWN_TYPE, UploadRules, media_type},
    },
    runtime::{
        Runtime,
        files::{Incoming, NoUpload, Received},
        instance_request::Refusal,
    },
    session::protocol::code::ErrorCode,
    text,
};

/// The size of a form beyond its fields: boundaries and headers.
const OVERHEAD_BYTES: u64 = 16 * 1024;

/// A form that was read to its end.
pub struct ReceivedForm {
    /// The bytes of the file.
    pub received: Received,
    /// Its cleaned name.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// The text of the field `data`.
    pub data: Option<String>,
}

/// Reads the form of an upload to `instance`: a field `file` that conforms to `rules`, optionally a
/// field `data`.
///
/// # Errors
/// 413 and 422 for a file that violates the rules, 400 for another form or one that breaks off, 408
/// for one that arrives too slowly, 415 for none, 503 if the disk is full or too many uploads are
/// in progress.
pub async fn read(
    request: &HttpRequest,
    payload: Payload,
    app: &App,
    instance: InstanceKey,
    rules: &UploadRules,
) -> Result<ReceivedForm, HttpProblem> {
    if body::media_type(request).as_deref() != Some("multipart/form-data") {
        return Err(HttpProblem::unsupported_media_type("multipart/form-data"));
    }
    let limit = rules.max_bytes() + limits::REST_BODY_BYTES.get() as u64 + OVERHEAD_BYTES;
    if body::length(request).is_some_and(|length| length > limit) {
        return Err(too_large(rules));
    }
    let taker = app.taker(request);
    let place = app.uploads.take_for(taker.clone());
    let _place = place.ok_or_else(|| no_upload(&NoUpload::Busy))?;
    let pace = Rc::new(Cell::new(BodyPace::new(
        Instant::now(),
        limits::UPLOAD_TIME.get(),
    )));
    let form = limited(payload, limit, pace.clone());
    let mut reading = FormReader {
        form: Multipart::new(request.headers(), form),
        pace,
        data_room: app.sessions.memory.permit(taker),
        runtime: &app.sessions.runtime,
        instance,
        rules,
        file: None,
        data: None,
    };
    reading.fields().await?;
    let (received, name, media_type) = reading.file.ok_or_else(|| {
        let sentence = "expected the file as the field 'file' of the form, but the form has no \
            such field: add it";
        file_problem(FieldError::required("file", sentence))
    })?;
    Ok(ReceivedForm {
        received,
        name,
        media_type,
        data: reading.data,
    })
}

/// The same bytes, but at most `limit`, counted for their pace.
fn limited(
    payload: Payload,
    limit: u64,
    pace: Rc<Cell<BodyPace>>,
) -> impl Stream<Item = Result<Bytes, PayloadError>> {
    let mut left = limit;
    payload.map(move |bytes| {
        let bytes = bytes?;
        pace.update(|pace| pace.after(bytes.len()));
        left = left
            .checked_sub(bytes.len() as u64)
            .ok_or(PayloadError::Overflow)?;
        Ok(bytes)
    })
}

struct FormReader<'a> {
    form: Multipart,
    pace: Rc<Cell<BodyPace>>,
    /// Memory for the field `data`.
    data_room: PotPlace,
    runtime: &'a Arc<Runtime>,
    instance: InstanceKey,
    rules: &'a UploadRules,
    file: Option<(Received, String, String)>,
    data: Option<String>,
}

impl FormReader<'_> {
    async fn fields(&mut self) -> Result<(), HttpProblem> {
        while let Some(field) = patiently(&mut self.form, &self.pace, self.rules).await? {
            match field.name() {
                Some("file") if self.file.is_none() => self.file = Some(self.file(field).await?),
                Some("data") if self.data.is_none() => self.data = Some(self.data(field).await?),
                Some(name @ ("file" | "data")) => {
                    return Err(bad_form(&format!(
                        "'{name}' is there twice: send one upload for each file"
                    )));
                }
                _ => return Err(bad_form("there is another field: leave it out")),
            }
        }
        Ok(())
    }

    async fn file(&self, mut field: Field) -> Result<(Received, String, String), HttpProblem> {
        let declared = field
            .content_type()
            .and_then(|declared| media_type(declared.essence_str()));
        let media_type = declared.unwrap_or_else(|| UNKNOWN_TYPE.to_owned());
        self.rules.check_type(&media_type).map_err(file_problem)?;
        let name = file_name::clean(
            field
                .content_disposition()
                .and_then(|header| header.get_filename())
                .unwrap_or_default(),
        );
        let (runtime, instance) = (self.runtime.clone(), self.instance);
        let mut incoming = blocking(move || runtime.files.begin(instance)).await?;
        let mut size = 0;
        while let Some(bytes) = patiently(&mut field, &self.pace, self.rules).await? {
            size += bytes.len() as u64;
            if size > self.rules.max_bytes() {
                return Err(too_large(self.rules));
            }
            incoming = blocking(move || write(incoming, &bytes)).await?;
        }
        self.rules.check_size(size).map_err(file_problem)?;
        let received = blocking(move || incoming.finish().map_err(NoUpload::Failed)).await?;
        Ok((received, name, media_type))
    }

    async fn data(&mut self, mut field: Field) -> Result<String, HttpProblem> {
        let mut bytes = Vec::new();
        while let Some(chunk) = patiently(&mut field, &self.pace, self.rules).await? {
            if !self.data_room.resize(bytes.len() + chunk.len()) {
                return Err(body::no_room());
            }
            bytes.extend_from_slice(&chunk);
            if bytes.len() > limits::REST_BODY_BYTES.get() {
                Limit::BodyBytes.refused();
                let sentence = format!(
                    "expected 'data' of at most {} bytes, but it is longer",
                    limits::REST_BODY_BYTES.get()
                );
                return Err(HttpProblem::new(ErrorCode::TooLarge, sentence));
            }
        }
        text::utf8(&bytes)
            .map(str::to_owned)
            .map_err(|found| bad_form(&format!("'data' should be JSON in UTF-8: {found}")))
    }
}

fn write(mut incoming: Incoming, bytes: &[u8]) -> Result<Incoming, NoUpload> {
    incoming
        .write(bytes)
        .map(|()| incoming)
        .map_err(NoUpload::Failed)
}

/// The next piece, unless it takes too long to arrive.
async fn patiently<T>(
    pieces: &mut (impl Stream<Item = Result<T, MultipartError>> + Unpin),
    pace: &Cell<BodyPace>,
    rules: &UploadRules,
) -> Result<Option<T>, HttpProblem> {
    let deadline = pace
        .get()
        .deadline()
        .min(Instant::now() + limits::UPLOAD_STALL.get());
    match timeout_at(deadline.into(), pieces.next()).await {
        Ok(piece) => piece.transpose().map_err(|error| match error {
            MultipartError::Payload(PayloadError::Overflow) => too_large(rules),
            error => bad_form(&error.to_string()),
        }),
        Err(_) => Err(body::too_slow()),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, NoUpload> + Send + 'static,
) -> Result<T, HttpProblem> {
    match web::block(work).await {
        Ok(done) => done.map_err(|error| no_upload(&error)),
        Err(_) => Err(HttpProblem::new(
            ErrorCode::Internal,
            "expected to store the file, but an internal error occurred: try again",
        )),
    }
}

fn no_upload(error: &NoUpload) -> HttpProblem {
    let failed = match error {
        NoUpload::Busy => {
            let sentence = format!(
                "expected at most {} uploads at a time, but this is one more: try again",
                limits::UPLOADS.get()
            );
            return HttpProblem::new(ErrorCode::Busy, sentence);
        }
        NoUpload::Failed(failed) => failed,
    };
    log::error!("a file cannot be stored: {failed}");
    if matches!(
        failed.kind(),
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
    ) {
        return Refusal::NoRoom(DiskRoom::Full).into();
    }
    HttpProblem::new(
        ErrorCode::Internal,
        "expected to store the file, but the server's disk failed; nothing was changed: try again",
    )
}

fn too_large(rules: &UploadRules) -> HttpProblem {
    Limit::BodyBytes.refused();
    let sentence = format!(
        "expected a file of at most {} bytes, but it is larger: choose a smaller one",
        rules.max_bytes()
    );
    HttpProblem::new(ErrorCode::TooLarge, sentence)
}

fn file_problem(error: FieldError) -> HttpProblem {
    Rejection::invalid_data([("file".to_owned(), error)].into()).into()
}

fn bad_form(why: &str) -> HttpProblem {
    let sentence =
        format!("expected a form with one field 'file' and optionally a field 'data', but {why}");
    HttpProblem::new(ErrorCode::BadRequest, sentence)
}
