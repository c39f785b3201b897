//! `stepwire user`: makes a request from the command line, and prints the response.

use std::io::{Read, Write};

use super::request::perform;
use crate::{
    config::{Config, UserCommand},
    limits,
    runtime::users::requests::{ListedUser, UserOperation, UserRequest},
    text,
};

/// Runs the command; reads a password from `input` if needed.
///
/// # Errors
/// Why it failed, as a sentence.
pub async fn run(
    config: &Config,
    command: UserCommand,
    input: impl Read,
    mut output: impl Write,
) -> Result<(), String> {
    let new = matches!(command, UserCommand::Add(_));
    if !new && !config.data.exists() {
        return Err(format!(
            "expected a data directory, but there is none at {}: name it with --data or \
            STEPWIRE_DATA",
            config.data.display()
        ));
    }
    let listed_as_json = matches!(&command, UserCommand::List(list) if list.json);
    let done = done(&command);
    let users = perform(config, request(command, input)?).await?;
    let text = match done {
        Some(done) => format!("{done}\n"),
        None if listed_as_json => json(&users),
        None => table(&users),
    };
    output
        .write_all(text.as_bytes())
        .map_err(|error| format!("expected to print the answer, but: {error}"))
}

fn request(command: UserCommand, input: impl Read) -> Result<UserRequest, String> {
    let (principal, operation) = match command {
        UserCommand::Add(add) => {
            let (name, password, roles) = (add.user.name.clone(), password(input)?, add.roles);
            (
                add.user,
                UserOperation::Add {
                    name,
                    password,
                    roles,
                },
            )
        }
        UserCommand::Passwd(passwd) => {
            let (name, password) = (passwd.user.name.clone(), password(input)?);
            (passwd.user, UserOperation::SetPassword { name, password })
        }
        UserCommand::Role(role) => {
            let (name, roles) = (role.user.name.clone(), role.roles);
            (role.user, UserOperation::SetRoles { name, roles })
        }
        UserCommand::Revoke(user) => (user.clone(), UserOperation::Revoke { name: user.name }),
        UserCommand::Remove(user) => (user.clone(), UserOperation::Remove { name: user.name }),
        UserCommand::List(list) => {
            return Ok(UserRequest {
                tenant: list.tenant,
                operation: UserOperation::List,
            });
        }
    };
    Ok(UserRequest {
        tenant: principal.tenant,
        operation,
    })
}

/// The output on success; a list needs no further text.
fn done(command: &UserCommand) -> Option<String> {
    Some(match command {
        UserCommand::Add(add) => format!("user '{}' added", add.user.name),
        UserCommand::Passwd(passwd) => format!(
            "user '{}' has a new password; its tokens are no longer good",
            passwd.user.name
        ),
        UserCommand::Role(role) => format!(
            "user '{}' has these roles from its next token: {:?}",
            role.user.name, role.roles
        ),
        UserCommand::Revoke(user) => {
            format!("the tokens of user '{}' are no longer good", user.name)
        }
        UserCommand::Remove(user) => format!("user '{}' removed", user.name),
        UserCommand::List(_) => return None,
    })
}

/// The password from standard input, without the newline that tools append.
fn password(input: impl Read) -> Result<String, String> {
    let limit = limits::PASSWORD_BYTES;
    // Space for a byte order mark, the newline, and one byte that shows that there is more.
    let text = text::read_all(input, limit as u64 + 6)
        .map_err(|error| format!("expected to read the password, but: {error}"))?;
    let password = text.strip_suffix('\n').map_or(text.as_str(), |line| {
        line.strip_suffix('\r').unwrap_or(line)
    });
    match password.len() {
        0 => Err("expected a password on standard input, but there is none".to_owned()),
        length if length > limit => Err(format!(
            "expected a password of at most {limit} bytes, but it is longer"
        )),
        _ => Ok(password.to_owned()),
    }
}

fn json(users: &[ListedUser]) -> String {
    // Only fields with text keys.
    serde_json::to_string_pretty(users).unwrap_or_default() + "\n"
}

fn table(users: &[ListedUser]) -> String {
    let width = users
        .iter()
        .map(|user| user.name.chars().count())
        .max()
        .unwrap_or(0)
        .max("NAME".len());
    let line =
        |name: &str, created: &str, roles: &str| format!("{name:width$}  {created:24}  {roles}\n");
    let rows = users
        .iter()
        .map(|user| line(&user.name, &user.created_at, &user.roles.join(" ")));
    std::iter::once(line("NAME", "CREATED", "ROLES"))
        .chain(rows)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &[u8], expected: Result<&str, &str>) {
        match (password(input), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(sentence), Err(part)) => assert!(sentence.contains(part), "{sentence}"),
            (found, expected) => panic!(
                "expected {expected:?}, but it is {:?}",
                found.map(|password| password.len())
            ),
        }
    }

    #[test]
    fn one_trailing_newline_is_cut_off_a_password() {
        check(b"secret\n", Ok("secret"));
        check(b"secret", Ok("secret"));
        check(b"secret\r\n", Ok("secret"));
        check(b" secret \n\n", Ok(" secret \n"));
        check(b"two\nlines\n", Ok("two\nlines"));
        check(b"secret\r", Ok("secret\r"));
        check(b"\xef\xbb\xbfsecret\n", Ok("secret"));
    }

    #[test]
    fn an_invalid_password_is_refused() {
        check(b"", Err("there is none"));
        check(b"\n", Err("there is none"));
        check(b"\xff\xfe", Err("UTF-8"));
        let longest = "x".repeat(limits::PASSWORD_BYTES);
        check(format!("{longest}\r\n").as_bytes(), Ok(&longest));
        check(
            format!("{longest}x\n").as_bytes(),
            Err("at most 1024 bytes"),
        );
        check(
            format!("{longest}{longest}\n").as_bytes(),
            Err("at most 1024 bytes"),
        );
    }

    #[test]
    fn a_list_is_a_table_or_json() {
        let user = ListedUser {
            name: "ada".into(),
            tenant: "default".into(),
            roles: vec!["admin".into(), "clerk".into()],
            created_at: "2026-11-21T09:30:00.000Z".into(),
            revoked_at: None,
        };
        let users = [user];
        assert_eq!(
            table(&users),
            "NAME  CREATED                   ROLES\nada   2026-11-21T09:30:00.000Z  admin clerk\n"
        );
        assert_eq!(
            serde_json::from_str::<Vec<ListedUser>>(&json(&users)).unwrap(),
            users
        );
    }
}
