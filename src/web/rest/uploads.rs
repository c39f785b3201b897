//! Files: uploaded with a run of a manual action, and downloaded by users who may see the instance.

use std::{
    fs::File,
    io::{self, Read},
};

use actix_web::{
    HttpRequest, HttpResponse,
    body::SizedStream,
    http::{
        StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, ETAG, IF_NONE_MATCH,
        },
    },
    web::{self, Bytes, Data, Path, Payload},
};
use futures_util::{Stream, stream};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    commands::{answer, command_id},
    json_text, query,
};
use crate::{
    journal::StoredKind,
    model::ids::InstanceKey,
    runtime::files::file_name as stored_name,
    session::protocol::{body as fields, code::ErrorCode, to_command},
    web::{
        http::{app::App, problem::HttpProblem},
        instance_client::instance_key,
        openapi::shared::{Answered, CommandRefused, IdempotencyKey, InstancePath},
        rest::{file_name, upload_form},
    },
};

/// Bytes of a file that are read at once.
const PIECE_BYTES: usize = 64 * 1024;

/// The query of an upload: the fields of `run` except `data`.
#[derive(Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UploadQuery {
    /// The action's name.
    #[param(required)]
    action: Option<String>,
    /// The element, if several offer the action.
    element: Option<String>,
    /// Refuse unless the instance is at this number.
    if_seq: Option<u64>,
}

/// The form: a file, and optionally data.
// It is never completely in memory: `upload_form` reads it piece by piece.
#[derive(ToSchema)]
pub struct UploadForm {
    /// The file's bytes.
    #[schema(value_type = String, format = Binary)]
    pub file: Vec<u8>,
    /// The user's other input: a JSON object.
    #[schema(nullable = false)]
    pub data: Option<String>,
}

/// The bytes of a file of any type.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
struct FileBytes(#[expect(dead_code, reason = "only its schema is used")] Vec<u8>);

/// `POST /v1/instances/{key}/upload?action=NAME&element=…&ifSeq=…`, a form with the field `file`
/// and optionally `data` (JSON). Whether the action may run is checked first, so a refusal does not
/// wait for the bytes.
///
/// # Errors
/// Problems, as for the frame `run`; those of the file: 413, 422; of the form: 400, 415.
#[utoipa::path(post, path = "/v1/instances/{key}/upload", tag = "instances", operation_id = "uploadFile", summary = "Run \
    a manual action with a file",
    params(InstancePath, UploadQuery, IdempotencyKey), request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 200, body = Answered), CommandRefused))]
pub async fn upload(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let principal = app.bearer(&request)?;
    let key = instance_key(&path)?;
    let parameters: UploadQuery = query(request.query_string())?;
    // Serialising texts and numbers cannot fail.
    let parameters = serde_json::to_string(&parameters).unwrap_or_default();
    let mut run = fields::run(&parameters, command_id(&request)?, key)?;
    let rules = app
        .may_upload(
            key,
            &principal.caller,
            to_command::may_upload(&run, &principal.caller),
        )
        .await?;
    let form = upload_form::read(&request, payload, &app, key, &rules).await?;
    run.data = form.data.as_deref().map(fields::data).transpose()?;
    let file = form.received.named(form.name, form.media_type);
    let instance_request = to_command::upload(run, file, &principal.caller)?;
    let outcome = app
        .upload(key, &principal.caller, instance_request, form.received)
        .await?;
    Ok(json_text(
        StatusCode::OK,
        answer(&outcome, &principal.caller, None),
    ))
}

/// `GET /v1/instances/{key}/files/{id}`: the bytes, to be saved, not displayed.
///
/// # Errors
/// 401, 404.
#[utoipa::path(get, path = "/v1/instances/{key}/files/{id}", tag = "instances", operation_id = "downloadFile", summary = "Download \
    a file of an instance",
    params(InstancePath, ("id" = Uuid, Path, description = "The file's id")),
    responses(
        (status = 200, description = "Its bytes, as an attachment", content(
            (FileBytes = "application/octet-stream"), (FileBytes = "*/*"))),
        (status = 304, description = "As it was"), (status = 404),
    ))]
pub async fn file(
    request: HttpRequest,
    path: Path<(String, String)>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let principal = app.bearer(&request)?;
    let (key, id) = path.into_inner();
    let key = instance_key(&key)?;
    // A text that is no id is the id of no file: neither answer reveals whether the instance
    // exists.
    let file = app
        .file(
            key,
            &principal.caller,
            Uuid::parse_str(&id).unwrap_or_default(),
        )
        .await?;
    let tag = format!("\"{}\"", file.sha256);
    let mut response = HttpResponse::Ok();
    response
        .insert_header((ETAG, tag.as_str()))
        .insert_header((CACHE_CONTROL, "private"));
    if is_known(&request, &tag) {
        return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
    }
    response
        .content_type(file.media_type.as_str())
        .insert_header((CONTENT_DISPOSITION, file_name::attachment(&file.name)))
        .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"));
    let (runtime, size, stored) = (app.sessions.runtime.clone(), file.size, file.id);
    let opened = web::block(move || whole(runtime.files.open_file(key, file.id)?, size)).await;
    match opened.unwrap_or_else(|_| Err(io::ErrorKind::Other.into())) {
        Ok(bytes) => Ok(response.body(SizedStream::new(size, pieces(bytes)))),
        Err(error) => Err(missing(&app, key, stored, &error)),
    }
}

fn is_known(request: &HttpRequest, tag: &str) -> bool {
    let known = request
        .headers()
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    known
        .split(',')
        .map(str::trim)
        .any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

fn whole(file: File, size: u64) -> io::Result<File> {
    if file.metadata()?.len() == size {
        Ok(file)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

fn pieces(file: File) -> impl Stream<Item = io::Result<Bytes>> {
    stream::try_unfold(file, |file| async move {
        let read = web::block(move || piece(file)).await;
        let (piece, file) = read.unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))?;
        Ok((!piece.is_empty()).then(|| (Bytes::from(piece), file)))
    })
}

fn piece(mut file: File) -> io::Result<(Vec<u8>, File)> {
    let mut piece = vec![0; PIECE_BYTES];
    let length = file.read(&mut piece)?;
    piece.truncate(length);
    Ok((piece, file))
}

/// 409: the instance is unchanged, but a file of it is missing in the data directory.
fn missing(app: &App, key: InstanceKey, file: Uuid, error: &io::Error) -> HttpProblem {
    let damaged = &app.sessions.runtime.damaged;
    let name = stored_name(key, file);
    damaged.note(StoredKind::File, &name, &error.to_string());
    HttpProblem::new(
        ErrorCode::Conflict,
        format!(
            "expected the file {file} as it was uploaded, but the server's data directory does not \
            have it: 'stepwire doctor' tells the operator what is wrong and what to do"
        ),
    )
}
