//! The secret that signs tokens: given, or generated once in the data directory.
//!
//! Not here: the tokens signed with it (`session::auth::token`).

use std::{
    fmt, fs,
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use super::ConfigError;
use crate::text;

/// The number of bytes read from the file at most.
const SECRET_FILE_BYTES: u64 = 64 << 10;
/// Name of the file in the data directory that contains a generated secret.
pub const SECRET_FILE: &str = "jwt-secret";

/// The source of the secret.
#[derive(Clone, PartialEq, Eq)]
pub enum JwtSecret {
    /// Given by an option.
    Given(String),
    /// In this file, which is created at first use.
    Generated(PathBuf),
}

impl JwtSecret {
    /// The source of the secret for a server with this option and data directory.
    pub(super) fn new(option: Option<String>, data: &Path) -> Self {
        option.map_or_else(|| Self::Generated(data.join(SECRET_FILE)), Self::Given)
    }

    /// The file in which a generated secret has yet to be stored; `None` when the secret exists.
    pub fn missing_file(&self) -> Option<&Path> {
        match self {
            Self::Generated(path) if !path.exists() => Some(path),
            Self::Generated(_) | Self::Given(_) => None,
        }
    }

    /// The text of the secret. A generated one is created when its file does not exist: 256 random
    /// bits, readable by the owner only.
    pub fn load(&self) -> Result<String, ConfigError> {
        match self {
            Self::Given(text) => Ok(text.clone()),
            Self::Generated(path) => {
                read_or_generate(path, &|random| BASE64_URL_SAFE_NO_PAD.encode(random))
            }
        }
    }
}

impl fmt::Debug for JwtSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(_) => f.write_str("Given(…)"),
            Self::Generated(path) => f.debug_tuple("Generated").field(path).finish(),
        }
    }
}

/// The text of the file of a secret, which is created when it does not exist: 256 random bits,
/// readable by the owner only.
pub(super) fn read_or_generate(
    path: &Path,
    write: &dyn Fn(&[u8]) -> String,
) -> Result<String, ConfigError> {
    let found = match read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => generate(path, write),
        found => found,
    };
    found.map_err(|error| {
        ConfigError(format!(
            "expected to read or make the secret file {}, but: {error}",
            path.display()
        ))
    })
}

/// The files of secrets in a data directory that cannot be used, each with the reason; missing ones
/// are not listed, as they are created when needed.
pub fn unusable_secrets(data: &Path) -> Vec<(&'static str, String)> {
    let unusable = |name: &'static str| match read(&data.join(name)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Some((name, error.to_string())),
        _ => None,
    };
    let names = [SECRET_FILE, super::WEBHOOK_SECRET_FILE];
    names.into_iter().filter_map(unusable).collect()
}

fn read(path: &Path) -> io::Result<String> {
    let text = text::read_all(fs::File::open(path)?, SECRET_FILE_BYTES)?
        .trim()
        .to_owned();
    if text.len() < 32 {
        return Err(io::Error::new(
            ErrorKind::InvalidData,
            "it holds less than 32 characters; delete it to have it made again",
        ));
    }
    Ok(text)
}

/// Creates the file under another name and links it into place, so that a server and a `stepwire
/// token` started together never read half a secret and never get two.
fn generate(path: &Path, write: &dyn Fn(&[u8]) -> String) -> io::Result<String> {
    if let Some(directory) = path.parent() {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(directory)?;
    }
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(io::Error::from)?;
    let secret = write(&random);

    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = private().open(&draft)?;
    file.write_all(secret.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Ok(()) => Ok(secret),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => read(path),
        Err(error) => Err(error),
    }
}

fn private() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_generated_once_and_private() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        let secret = JwtSecret::new(None, &data);
        let first = secret.load().unwrap();
        assert_eq!(first.len(), 43);
        assert_eq!(secret.load().unwrap(), first);
        assert_eq!(fs::read_dir(&data).unwrap().count(), 1, "no draft is left");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(
                fs::metadata(data.join(SECRET_FILE))
                    .unwrap()
                    .permissions()
                    .mode()
                    & 0o777,
                0o600
            );
        }
    }

    #[test]
    fn a_damaged_secret_file_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(SECRET_FILE), "short").unwrap();
        let error = JwtSecret::new(None, directory.path()).load().unwrap_err();
        assert!(error.to_string().contains("delete it"), "{error}");
    }

    #[test]
    fn a_given_secret_is_never_shown() {
        assert_eq!(format!("{:?}", JwtSecret::Given("hush".into())), "Given(…)");
    }
}
