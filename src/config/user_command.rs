//! The command line of `stepwire user`. Not here: its work (`web::local`).

use clap::{Args, Subcommand};

/// Changes users. Passwords are no arguments, because other users of the machine can see those.
#[derive(Subcommand, Clone, Debug, PartialEq, Eq)]
pub enum UserCommand {
    /// Add a user who signs in with a password
    Add(AddUser),
    /// Set the password of a user; tokens issued before end
    Passwd(SetPassword),
    /// Replace the roles of a user; tokens issued from then on have the new roles
    Role(SetRoles),
    /// List the users of a tenant
    List(ListUsers),
    /// Revoke all tokens issued to a user; signing in again issues new ones
    Revoke(UserName),
    /// Remove a user; its password and its tokens become invalid
    Remove(UserName),
}

/// A user of a tenant.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct UserName {
    /// Name with which the user signs in
    pub name: String,
    /// Tenant of the user
    #[arg(long, default_value = "default")]
    pub tenant: String,
}

/// The source of the password.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct FromInput {
    /// Read the password from standard input; one trailing newline is cut off
    #[arg(long, required = true)]
    pub password_stdin: bool,
}

/// A user to add.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct AddUser {
    /// The user.
    #[command(flatten)]
    pub user: UserName,
    /// Role to grant: admin, designer, operator or a lane's; may be repeated
    #[arg(long = "role", value_name = "ROLE")]
    pub roles: Vec<String>,
    /// The password.
    #[command(flatten)]
    pub password: FromInput,
}

/// A user whose password is set.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct SetPassword {
    /// The user.
    #[command(flatten)]
    pub user: UserName,
    /// The new password.
    #[command(flatten)]
    pub password: FromInput,
}

/// A user whose roles are replaced.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct SetRoles {
    /// The user.
    #[command(flatten)]
    pub user: UserName,
    /// Role to grant; all other roles are removed; may be repeated
    #[arg(
        long = "role",
        value_name = "ROLE",
        required_unless_present = "no_role"
    )]
    pub roles: Vec<String>,
    /// Remove all roles
    #[arg(long, conflicts_with = "roles")]
    pub no_role: bool,
}

/// The users of a tenant.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ListUsers {
    /// Tenant of the users
    #[arg(long, default_value = "default")]
    pub tenant: String,
    /// Print a JSON array
    #[arg(long)]
    pub json: bool,
}
