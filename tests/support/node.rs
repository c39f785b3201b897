//! Node for the tests: installs packages when the lock file changed, and handles a missing Node.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// A folder of the project.
pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Installs a folder's packages if its lock file has changed.
///
/// # Errors
/// The missing program, as a sentence.
pub fn prepare(name: &str) -> Result<(), String> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock();
    let folder = folder(name);
    Command::new("node")
        .arg("--version")
        .output()
        .map_err(|_| "Node is missing".to_owned())?;
    let wanted = fs::read(folder.join("package-lock.json")).map_err(|error| error.to_string())?;
    let stamp = folder.join("node_modules/.stepwire-stamp");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let arguments = [
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--prefer-offline",
    ];
    let installed = npm().args(arguments).current_dir(folder).output();
    match installed {
        Ok(output) if output.status.success() => {
            fs::write(stamp, wanted).map_err(|error| error.to_string())
        }
        Ok(output) => Err(format!(
            "npm ci failed: {}",
            String::from_utf8_lossy(&output.stderr)
        )),
        Err(error) => Err(format!("npm: {error}")),
    }
}

/// The package manager.
pub fn npm() -> Command {
    Command::new(NPM)
}

/// A script of a folder's `package.json`.
pub fn npm_run(name: &str, script: &str) -> Command {
    let mut command = npm();
    command
        .args(["run", "--silent", script])
        .current_dir(folder(name));
    command
}

/// Prints the name of a skipped test; with `STEPWIRE_TEST=all` it panics.
#[track_caller]
pub fn skip(test: &str, why: &str) {
    assert!(
        env::var("STEPWIRE_TEST").as_deref() != Ok("all"),
        "{test} must not be skipped, but: {why}"
    );
    eprintln!("skipped: {test}: {why}");
}
