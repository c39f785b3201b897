//! The report on played scenarios: lines for people, JSON, and JUnit XML for build servers.

use std::{fmt::Write, path::PathBuf, time::Duration};

use serde_json::{Value, json};

/// A played scenario.
pub struct Played {
    /// Its file.
    pub file: PathBuf,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// How many steps it has.
    pub steps: usize,
    /// How long it took.
    pub took: Duration,
    /// The first step that deviates, if any.
    pub outcome: Result<(), Mismatch>,
}

/// A step that deviates from the expectation.
pub struct Mismatch {
    /// Its line in the file.
    pub line: u64,
    /// The work of the step.
    pub step: String,
    /// The differences: each with its name, the expected (`-`) and the found value (`+`).
    pub lines: Vec<String>,
}

impl Played {
    fn title(&self) -> String {
        let file = self.file.display();
        match &self.name {
            Some(name) => format!("{file}: {name}"),
            None => file.to_string(),
        }
    }

    /// As lines for people.
    pub fn text(&self) -> String {
        let (title, took) = (self.title(), self.took.as_millis());
        match &self.outcome {
            Ok(()) => format!("good    {title} ({} steps, {took} ms)", self.steps),
            Err(mismatch) => format!("failed  {title}\n{}", mismatch.text()),
        }
    }

    /// As an object.
    pub fn json(&self) -> Value {
        let mut entry = json!({
            "file": self.file, "name": self.name, "steps": self.steps,
            "ms": self.took.as_millis() as u64,
            "exit": if self.outcome.is_ok() { "good" } else { "failed" },
        });
        if let Err(mismatch) = &self.outcome {
            entry["line"] = json!(mismatch.line);
            entry["step"] = json!(mismatch.step);
            entry["differences"] = json!(mismatch.lines);
        }
        entry
    }
}

impl Mismatch {
    fn text(&self) -> String {
        let mut text = format!("  line {}: {}", self.line, self.step);
        for line in &self.lines {
            text += &format!("\n    {line}");
        }
        text
    }
}

/// All of them as JUnit XML.
pub fn junit(all: &[Played]) -> String {
    let failures = all.iter().filter(|played| played.outcome.is_err()).count();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"stepwire\" tests=\"{}\" failures=\"{failures}\">\n",
        all.len()
    );
    for played in all {
        let name = played
            .name
            .clone()
            .unwrap_or_else(|| played.file.display().to_string());
        // Writing to a string does not fail.
        let _ = write!(
            xml,
            "<testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
            escaped(&played.file.display().to_string()),
            escaped(&name),
            played.took.as_secs_f64()
        );
        match &played.outcome {
            Ok(()) => xml += "/>\n",
            Err(mismatch) => {
                let message = format!("line {}: {}", mismatch.line, mismatch.step);
                let _ = writeln!(
                    xml,
                    "><failure message=\"{}\">{}</failure></testcase>",
                    escaped(&message),
                    escaped(&mismatch.lines.join("\n"))
                );
            }
        }
    }
    xml + "</testsuite>\n</testsuites>\n"
}

/// Escaped for an attribute or text of XML, which allows no control characters.
fn escaped(text: &str) -> String {
    let fit = |c: char| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\n' | '\t' => c.to_string(),
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    };
    text.chars().map(fit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_junit_report_contains_the_differences() {
        let played = |outcome| Played {
            file: "a.yaml".into(),
            name: Some("A <b>".to_owned()),
            steps: 2,
            took: Duration::from_millis(20),
            outcome,
        };
        let mismatch = Mismatch {
            line: 3,
            step: "expect".to_owned(),
            lines: vec!["view.x".to_owned(), "  - \"a\"".to_owned()],
        };
        let xml = junit(&[played(Ok(())), played(Err(mismatch))]);
        for part in [
            "tests=\"2\" failures=\"1\"",
            "name=\"A &lt;b&gt;\" time=\"0.020\"/>",
            "message=\"line 3: expect\">view.x\n  - &quot;a&quot;</failure>",
        ] {
            assert!(xml.contains(part), "{xml}");
        }
    }
}
