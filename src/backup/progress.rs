//! Reports on a copy: a progress bar on a terminal, and the result.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::manifest::Manifest;
use crate::{config::ProgressFormat, text::standard_error};

/// Prints progress and results.
pub struct Reporter {
    format: ProgressFormat,
    bar: Option<ProgressBar>,
}

impl Reporter {
    /// Creates a reporter with this format.
    pub fn new(format: ProgressFormat) -> Self {
        Self { format, bar: None }
    }

    /// Starts an operation with `all` parts; without a terminal this prints a line.
    pub fn begin(&mut self, what: &str, all: u64) {
        self.end();
        if self.format.quiet {
            return;
        }
        if !std::io::stderr().is_terminal() {
            standard_error::complain(what);
            return;
        }
        let bar = ProgressBar::new(all);
        // The template is valid.
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(what.to_owned());
        self.bar = Some(bar);
    }

    /// Reports that this many parts of all are done.
    pub fn at(&self, done: u64, all: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(all);
            bar.set_position(done);
        }
    }

    /// Prints the result: the manifest of a copy.
    ///
    /// # Errors
    /// The reader has closed the output.
    pub fn result(&mut self, text: &str, manifest: &Manifest) -> Result<(), String> {
        // Without the list of parts, which is in the file.
        let brief = Manifest {
            parts: Vec::new(),
            ..manifest.clone()
        };
        self.print(text, &brief)
    }

    /// Prints a result, as text or as JSON.
    ///
    /// # Errors
    /// The reader has closed the output.
    pub fn print(&mut self, text: &str, result: &impl Serialize) -> Result<(), String> {
        self.end();
        let line = if self.format.json {
            serde_json::to_string(result).unwrap_or_default()
        } else {
            text.to_owned()
        };
        writeln!(std::io::stdout(), "{line}")
            .map_err(|error| format!("expected to print the result, but: {error}"))
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
