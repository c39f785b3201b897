//! Requests to change or list users as data: what `stepwire user` sends to a running server, or
//! applies to its data directory.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{NewUser, UserError, Users};
use crate::{journal::UserRow, model::ids::Time};

/// A request. No `Debug`: it may contain a password.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserRequest {
    /// The tenant.
    pub tenant: String,
    /// The operation.
    pub operation: UserOperation,
}

/// An operation on users.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UserOperation {
    /// [`Users::add`].
    Add {
        /// The user.
        name: String,
        /// Its password.
        password: String,
        /// Its roles.
        roles: Vec<String>,
    },
    /// [`Users::set_password`].
    SetPassword {
        /// The user.
        name: String,
        /// Its new password.
        password: String,
    },
    /// [`Users::set_roles`].
    SetRoles {
        /// The user.
        name: String,
        /// All its roles from now on.
        roles: Vec<String>,
    },
    /// [`Users::revoke`].
    Revoke {
        /// The user.
        name: String,
    },
    /// [`Users::remove`].
    Remove {
        /// The user.
        name: String,
    },
    /// [`Users::all`].
    List,
}

impl UserRequest {
    /// The name of the change for the log, and the user; `None` for an operation that changes
    /// nothing.
    pub fn change(&self) -> Option<(&'static str, &str)> {
        Some(match &self.operation {
            UserOperation::Add { name, .. } => ("user added", name),
            UserOperation::SetPassword { name, .. } => ("user changed", name),
            UserOperation::SetRoles { name, .. } => ("user changed", name),
            UserOperation::Revoke { name } => ("tokens of a user revoked", name),
            UserOperation::Remove { name } => ("user removed", name),
            UserOperation::List => return None,
        })
    }

    /// The roles it gives, if it gives any.
    pub fn roles(&self) -> Option<&[String]> {
        match &self.operation {
            UserOperation::Add { roles, .. } | UserOperation::SetRoles { roles, .. } => Some(roles),
            _ => None,
        }
    }
}

/// A user in a list.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq, ToSchema)]
#[schema(as = User)]
#[serde(rename_all = "camelCase")]
pub struct ListedUser {
    /// Its name.
    pub name: String,
    /// Its tenant.
    pub tenant: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// When it was added, as ISO 8601.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Tokens issued until then are refused, as ISO 8601.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
}

impl Users {
    /// Carries out a request, at `now` on the real clock. Only a list answers with users.
    ///
    /// # Errors
    /// [`UserError`].
    pub async fn serve(
        &self,
        request: UserRequest,
        now: Time,
    ) -> Result<Vec<ListedUser>, UserError> {
        let UserRequest { tenant, operation } = request;
        match operation {
            UserOperation::Add {
                name,
                password,
                roles,
            } => {
                self.add(
                    NewUser {
                        tenant: &tenant,
                        name: &name,
                        password: &password,
                        roles: &roles,
                    },
                    now,
                )
                .await?;
            }
            UserOperation::SetPassword { name, password } => {
                self.set_password(&tenant, &name, &password, now).await?
            }
            UserOperation::SetRoles { name, roles } => {
                self.set_roles(&tenant, &name, &roles, now).await?
            }
            UserOperation::Revoke { name } => self.revoke(&tenant, &name, now).await?,
            UserOperation::Remove { name } => self.remove(&tenant, &name, now).await?,
            UserOperation::List => return Ok(self.listed(&tenant)),
        }
        Ok(Vec::new())
    }

    /// The users of a tenant by name, without removed ones.
    pub fn listed(&self, tenant: &str) -> Vec<ListedUser> {
        self.all(tenant)
            .iter()
            .map(|row| ListedUser::from(&**row))
            .collect()
    }
}

impl From<&UserRow> for ListedUser {
    fn from(row: &UserRow) -> Self {
        Self {
            name: row.name.clone(),
            tenant: row.tenant.clone(),
            roles: row.roles.clone(),
            created_at: row.created_at.to_string(),
            revoked_at: row.revoked_at.map(|time| time.to_string()),
        }
    }
}
