//! The command line of `stepwire user`. Not here: its work (`web::local`).

use clap::{Args, Subcommand};

/// What is to be done with users. Passwords are no arguments, as those can be seen by others.
#[derive(Subcommand, Clone, Debug, PartialEq, Eq)]
pub enum UserCommand {
    /// Add a user who signs in with a password
    Add(AddUser),
    /// Give a user another password; tokens issued so far end
    Passwd(SetPassword),
    /// Give a user these roles instead of those it has; they count from its next token
    Role(SetRoles),
    /// List the users of a tenant
    List(ListUsers),
    /// End every token of a user issued so far; with its password it gets new ones
    Revoke(UserName),
    /// Remove a user: neither its password nor its tokens are good any more
    Remove(UserName),
}

/// Which user.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct UserName {
    /// Name the user signs in with
    pub name: String,
    /// Tenant of the user
    #[arg(long, default_value = "default")]
    pub tenant: String,
}

/// Where the password comes from.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct FromInput {
    /// Read the password from standard input; one trailing newline is cut off
    #[arg(long, required = true)]
    pub password_stdin: bool,
}

/// A user to add.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct AddUser {
    /// Who.
    #[command(flatten)]
    pub user: UserName,
    /// Role to grant: admin, designer, operator or a lane's; may be repeated
    #[arg(long = "role", value_name = "ROLE")]
    pub roles: Vec<String>,
    /// With which password.
    #[command(flatten)]
    pub password: FromInput,
}

/// A user who gets another password.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct SetPassword {
    /// Who.
    #[command(flatten)]
    pub user: UserName,
    /// Which one.
    #[command(flatten)]
    pub password: FromInput,
}

/// A user who gets other roles.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct SetRoles {
    /// Who.
    #[command(flatten)]
    pub user: UserName,
    /// Role to grant, all others are taken away; may be repeated
    #[arg(
        long = "role",
        value_name = "ROLE",
        required_unless_present = "no_role"
    )]
    pub roles: Vec<String>,
    /// Take all roles away
    #[arg(long, conflicts_with = "roles")]
    pub no_role: bool,
}

/// Users to list.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ListUsers {
    /// Tenant of the users
    #[arg(long, default_value = "default")]
    pub tenant: String,
    /// As a JSON array
    #[arg(long)]
    pub json: bool,
}
