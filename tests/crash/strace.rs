//! Runs a server under `strace`, which answers system calls instead of the system, delays them, or
//! kills the server at them. It is replaced by the server, whose process is the one that is
//! started.

use std::{path::Path, process::Command};

/// Whether `strace` is installed and may trace.
pub fn is_there() -> bool {
    let tried = Command::new("strace")
        .args(["-D", "-o", "/dev/null", "true"])
        .status();
    tried.is_ok_and(|status| status.success())
}

/// The wrapper command that injects `what` into the server's system calls of these kinds, of all
/// files or of one: `error=EIO:when=40`, `delay_enter=200000`, `signal=SIGKILL:when=7`.
pub fn injecting(calls: &str, what: &str, file: Option<&Path>) -> Vec<String> {
    let mut words: Vec<String> = ["strace", "-D", "-f", "-o", "/dev/null"]
        .map(str::to_owned)
        .into();
    if let Some(file) = file {
        let file = file.to_str().expect("a path of the tests is UTF-8");
        words.extend(["-P".to_owned(), file.to_owned()]);
    }
    for expression in [format!("trace={calls}"), format!("inject={calls}:{what}")] {
        words.extend(["-e".to_owned(), expression]);
    }
    words
}
