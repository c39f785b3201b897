//! How a copy is reported: a bar on a terminal while it is made, and the result.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::manifest::Manifest;
use crate::config::ProgressFormat;

/// Tells.
pub struct Reporter {
    telling: ProgressFormat,
    bar: Option<ProgressBar>,
}

impl Reporter {
    /// As it was asked to.
    pub fn new(telling: ProgressFormat) -> Self {
        Self { telling, bar: None }
    }

    /// Something begins that has `all` parts; without a terminal this is a line.
    pub fn begin(&mut self, what: &str, all: u64) {
        self.end();
        if self.telling.quiet {
            return;
        }
        if !std::io::stderr().is_terminal() {
            eprintln!("stepwire: {what}");
            return;
        }
        let bar = ProgressBar::new(all);
        // Known to be good.
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(what.to_owned());
        self.bar = Some(bar);
    }

    /// So many parts of it are done, of so many.
    pub fn at(&self, done: u64, all: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(all);
            bar.set_position(done);
        }
    }

    /// The result: a copy's manifest.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn result(&mut self, text: &str, manifest: &Manifest) -> Result<(), String> {
        // Without its parts, which are in the file.
        let brief = Manifest {
            parts: Vec::new(),
            ..manifest.clone()
        };
        self.print(text, &brief)
    }

    /// A result, as text or as JSON.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn print(&mut self, text: &str, result: &impl Serialize) -> Result<(), String> {
        self.end();
        let line = if self.telling.json {
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
