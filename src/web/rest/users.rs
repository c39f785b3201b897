//! The users of a tenant, for its admins: the same operations as by `stepwire user`. Also the
//! change of one's own password.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Payload},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::{IntoParams, ToSchema};

use super::{json, login, query};
use crate::{
    journal::disk_room::DiskRoom,
    runtime::{
        clock::{real_now, steady_now},
        instance_request::Refusal,
        users::{NewUser, SignInError, UserError, UserUpdate, requests::ListedUser},
    },
    session::{
        auth::token::{Identity, SERVER_OPERATOR},
        protocol::code::ErrorCode,
    },
    web::{
        http::{app::App, audit::Act, body, problem::HttpProblem},
        rest::listing::{cut, part_length},
    },
};

/// The users to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct UsersQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// The `next` of the previous part.
    cursor: Option<String>,
}

/// A part of the users of a tenant, by name.
#[derive(Serialize, ToSchema)]
#[schema(as = UserList)]
struct Users {
    users: Vec<ListedUser>,
    /// The `cursor` of the next part, if there is one.
    next: Option<String>,
}

/// `GET /v1/users?limit=&cursor=` → `{"users","next"}`.
///
/// # Errors
/// 400, 401, 403 without role admin.
#[utoipa::path(get, path = "/v1/users", tag = "users", operation_id = "listUsers", summary = "List \
    the users of the tenant", params(UsersQuery),
    responses((status = 200, body = Users), (status = 400), (status = 403)))]
pub async fn list(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, HttpProblem> {
    let admin = admin(&app, &request)?;
    let parameters: UsersQuery = query(request.query_string())?;
    let limit = part_length(parameters.limit)?;
    let mut users = app.sessions.runtime.users.listed(&admin.tenant);
    users.retain(|user| {
        parameters
            .cursor
            .as_ref()
            .is_none_or(|last| user.name > *last)
    });
    let next = cut(&mut users, limit).map(|user| user.name.clone());
    Ok(json(StatusCode::OK, &Users { users, next }))
}

/// A user to add.
// No `Debug`: it contains a password.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewUser)]
#[serde(deny_unknown_fields)]
struct Added {
    /// The name for signing in.
    name: String,
    /// Of 1 to 1024 bytes.
    password: String,
    /// The roles in its tokens.
    #[serde(default)]
    roles: Vec<String>,
}

/// `POST /v1/users` `{"name","password","roles"}` → 201 and the user.
///
/// # Errors
/// 400, 401, 403 without role admin, 409 for an existing name, 422 for an invalid value.
#[utoipa::path(post, path = "/v1/users", tag = "users", operation_id = "addUser", summary = "Add \
    a user", request_body = Added,
    responses((status = 201, body = ListedUser), (status = 403), (status = 409), (status = 422)))]
pub async fn add(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let admin = admin(&app, &request)?;
    let Added {
        name,
        password,
        roles,
    } = read(
        &request,
        payload,
        r#"{"name":"…","password":"…","roles":["…"]}"#,
    )
    .await?;
    over_users_with(&admin, &roles)?;
    let user = NewUser {
        tenant: &admin.tenant,
        name: &name,
        password: &password,
        roles: &roles,
    };
    let act = Act::by(&app, &request, &admin, "user added")
        .on("user", &name)
        .on("roles", &roles.join(" "));
    act.done(app.sessions.runtime.users.add(user, real_now()))
        .await?;
    user_response(&app, StatusCode::CREATED, &admin.tenant, &name)
}

/// Changes of a user.
// No `Debug`: it may contain a password.
#[derive(Deserialize, ToSchema)]
#[schema(as = UserChange)]
#[serde(deny_unknown_fields)]
struct Changed {
    /// All its roles, from its next token on.
    roles: Option<Vec<String>>,
    /// Its new password; every token issued so far is revoked.
    password: Option<String>,
}

/// `PATCH /v1/users/{name}` `{"roles","password"}`: one of them or both → 200 and the user.
///
/// # Errors
/// 400, 401, 403 without role admin, 404, 409 for an admin's own role, 422.
#[utoipa::path(patch, path = "/v1/users/{name}", tag = "users", operation_id = "changeUser", summary = "Change \
    a user's roles or password",
    params(("name" = String, Path, description = "The user's name")), request_body = Changed,
    responses((status = 200, body = ListedUser), (status = 403), (status = 404), (status = 409), (status = 422)))]
pub async fn change(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let admin = admin(&app, &request)?;
    let form = r#"{"roles":["…"]} or {"password":"…"} or both"#;
    let Changed { roles, password } = read(&request, payload, form).await?;
    if roles.is_none() && password.is_none() {
        return Err(HttpProblem::new(
            ErrorCode::BadRequest,
            format!("expected {form}, but there is nothing to change"),
        ));
    }
    over_user(&app, &admin, &path)?;
    over_users_with(&admin, roles.as_deref().unwrap_or_default())?;
    if roles
        .as_ref()
        .is_some_and(|roles| !roles.iter().any(|role| role == "admin"))
    {
        not_oneself(&admin, &path)?;
    }
    let update = UserUpdate {
        roles: roles.as_deref(),
        password: password.as_deref(),
    };
    let mut act = Act::by(&app, &request, &admin, "user changed").on("user", &*path);
    if let Some(roles) = update.roles {
        let names = if roles.is_empty() {
            "none".to_owned()
        } else {
            roles.join(" ")
        };
        act = act.on("roles", &names);
    }
    if update.password.is_some() {
        act = act.on("password", "new");
    }
    act.done(
        app.sessions
            .runtime
            .users
            .update(&admin.tenant, &path, update, real_now()),
    )
    .await?;
    user_response(&app, StatusCode::OK, &admin.tenant, &path)
}

/// Administrators do not lock themselves out by a slip.
///
/// # Errors
/// 409.
fn not_oneself(admin: &Identity, name: &str) -> Result<(), HttpProblem> {
    if admin.subject == name {
        let sentence = "expected another admin to take this role away, as you would lock yourself out: \
            ask another admin, or use the command line";
        return Err(HttpProblem::new(ErrorCode::Conflict, sentence));
    }
    Ok(())
}

/// `DELETE /v1/users/{name}` → 204: its password and all tokens of its name become invalid.
///
/// # Errors
/// 401, 403 without role admin, 404, 409 for oneself.
#[utoipa::path(delete, path = "/v1/users/{name}", tag = "users", operation_id = "removeUser", summary = "Remove \
    a user",
    params(("name" = String, Path, description = "The user's name")), responses((status = 204, description = "The \
        user is removed"), (status = 403), (status = 404), (status = 409)))]
pub async fn remove(
    request: HttpRequest,
    path: Path<String>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let admin = admin(&app, &request)?;
    over_user(&app, &admin, &path)?;
    not_oneself(&admin, &path)?;
    let act = Act::by(&app, &request, &admin, "user removed").on("user", &*path);
    act.done(
        app.sessions
            .runtime
            .users
            .remove(&admin.tenant, &path, real_now()),
    )
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /v1/users/{name}/revoke` → 204: revokes every token of the user issued so far.
///
/// # Errors
/// 401, 403 without role admin, 404.
#[utoipa::path(post, path = "/v1/users/{name}/revoke", tag = "users", operation_id = "revokeTokens", summary = "Revoke \
    every token of a user",
    params(("name" = String, Path, description = "The user's name")), responses((status = 204, description = "The \
        tokens are revoked"), (status = 403), (status = 404)))]
pub async fn revoke(
    request: HttpRequest,
    path: Path<String>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let admin = admin(&app, &request)?;
    over_user(&app, &admin, &path)?;
    let act = Act::by(&app, &request, &admin, "tokens of a user revoked").on("user", &*path);
    act.done(
        app.sessions
            .runtime
            .users
            .revoke(&admin.tenant, &path, real_now()),
    )
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A change of one's own password.
// No `Debug`: it contains both passwords.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    /// The present password.
    old: String,
    /// Of 1 to 1024 bytes.
    new: String,
}

/// `PUT /v1/users/me/password` `{"old","new"}` → 200, as a sign-in with the new password: every
/// token issued before is revoked.
///
/// # Errors
/// 400, 401, 403 for a wrong old password, 422, 429 after too many.
#[utoipa::path(put, path = "/v1/users/me/password", tag = "users", operation_id = "changeOwnPassword", summary = "Change \
    one's own password",
    request_body = PasswordChange,
    responses((status = 200, body = login::IssuedToken), (status = 403), (status = 422)))]
pub async fn own_password(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let (_, identity) = app.user(&request)?;
    let PasswordChange { old, new } = read(&request, payload, r#"{"old":"…","new":"…"}"#).await?;
    let users = &app.sessions.runtime.users;
    let Identity {
        tenant, subject, ..
    } = &identity;
    let address = app.approach(request.head()).address;
    let present = users
        .sign_in(tenant, subject, &old, address, steady_now())
        .await
        .map_err(|error| match error {
            SignInError::Wrong => {
                let sentence =
                    "expected the present password of a user of this server, but it is another";
                HttpProblem::new(ErrorCode::Forbidden, sentence)
            }
            other => other.into(),
        });
    present.inspect_err(|problem| app.sign_in_failed(&request, Some(subject), problem))?;
    let update = UserUpdate {
        roles: None,
        password: Some(&new),
    };
    let act = Act::by(&app, &request, &identity, "user changed")
        .on("user", subject)
        .on("password", "new");
    act.done(users.update(tenant, subject, update, real_now()))
        .await?;
    let identity = app.sign_in(&request, tenant, subject, &new).await?;
    login::signed_in(&app, &request, &identity)
}

/// The identity of a user who may change users: an admin, in its own tenant.
pub(super) fn admin(app: &App, request: &HttpRequest) -> Result<Identity, HttpProblem> {
    let (_, identity) = app.user(request)?;
    if identity.is_admin() {
        return Ok(identity);
    }
    Err(HttpProblem::new(
        ErrorCode::Forbidden,
        "expected role admin, but the token does not grant it",
    ))
}

/// Refuses an admin of a tenant who would act on a user with permissions over the whole server,
/// because an admin who sets a password or issues a token gets the roles of that user.
///
/// # Errors
/// 403.
pub(super) fn over_user(app: &App, admin: &Identity, name: &str) -> Result<(), HttpProblem> {
    let user = app.sessions.runtime.users.get(&admin.tenant, name);
    let roles = user.as_ref().map(|user| &*user.roles);
    over_users_with(admin, roles.unwrap_or_default())
}

/// Refuses an admin of a tenant for a user with these roles, as [`over_user`].
fn over_users_with(admin: &Identity, roles: &[String]) -> Result<(), HttpProblem> {
    if admin.is_server_operator() || !roles.iter().any(|role| role == SERVER_OPERATOR) {
        return Ok(());
    }
    let sentence = format!(
        "expected role {SERVER_OPERATOR} to change a user who has it or to give it, but the token \
        does not grant it; ask the server's owner, who may use `stepwire user`"
    );
    Err(HttpProblem::new(ErrorCode::Forbidden, sentence))
}

/// A body with this form. Refusals repeat no values, which may be passwords.
pub(super) async fn read<T: DeserializeOwned + Send + 'static>(
    request: &HttpRequest,
    payload: Payload,
    form: &'static str,
) -> Result<T, HttpProblem> {
    body::json(request, payload, move |text| body::read(text, form)).await?
}

/// The user as it is now; it may have been removed again.
fn user_response(
    app: &App,
    status: StatusCode,
    tenant: &str,
    name: &str,
) -> Result<HttpResponse, HttpProblem> {
    let user = app
        .sessions
        .runtime
        .users
        .get(tenant, name)
        .ok_or_else(|| UserError::Unknown(name.to_owned()))?;
    Ok(json(status, &ListedUser::from(&*user)))
}

impl From<UserError> for HttpProblem {
    fn from(error: UserError) -> Self {
        let code = match &error {
            UserError::Exists(_) => ErrorCode::Conflict,
            UserError::Unknown(_) => ErrorCode::NotFound,
            UserError::Invalid(_) => ErrorCode::InvalidData,
            UserError::Busy | UserError::Failed => ErrorCode::Busy,
            UserError::NoRoom => return Refusal::NoRoom(DiskRoom::Full).into(),
            UserError::OutcomeUnknown => return Refusal::Unknown.into(),
        };
        Self::new(code, error.to_string())
    }
}
