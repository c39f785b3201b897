//! Lines for people on standard error, which may be closed or on a full disk: then nobody can be told,
//! and the program goes on.
//!
//! Not here: the log (`logging`).

use std::io::{self, Write};

/// Writes a sentence, with the name of the program.
pub fn complain(sentence: &str) {
    note(&format!("stepwire: {sentence}"));
}

/// Writes a line.
pub fn note(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
