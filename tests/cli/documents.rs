//! What docs/command-line.md and docs/backup.md print is what the program does: each `$` line is
//! run by a shell, and the lines after it must appear on standard output. `…` stands for anything,
//! `KEY` for the first key that was printed.

use std::{fs, path::Path, process::Command};

use super::server::file;
use crate::users::program::Installation;

/// The program on a directory of its own, with the project's examples beside it.
struct Shell {
    installation: Installation,
    place: tempfile::TempDir,
    key: Option<String>,
    status: i32,
}

impl Shell {
    fn new() -> Self {
        let mut installation = Installation::new();
        installation.start();
        let place = tempfile::tempdir().expect("a temporary directory");
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        std::os::unix::fs::symlink(examples, place.path().join("examples")).expect("a link");
        Self {
            installation,
            place,
            key: None,
            status: 0,
        }
    }

    fn run(&mut self, line: &str) -> String {
        if line == "echo $?" {
            return format!("{}\n", self.status);
        }
        let program = Path::new(env!("CARGO_BIN_EXE_stepwire"))
            .parent()
            .expect("it is in a directory");
        let path = format!(
            "{}:{}",
            program.display(),
            std::env::var("PATH").expect("there is a path")
        );
        let mut shell = Command::new("sh");
        shell
            .args([
                "-c",
                &line.replace("KEY", self.key.as_deref().unwrap_or("KEY")),
            ])
            .current_dir(self.place.path());
        let output = shell
            .env("PATH", path)
            .env("STEPWIRE_DATA", self.installation.data())
            .env("RUST_LOG", "error")
            .output();
        let output = output.expect("a shell runs");
        self.status = output.status.code().expect("it ends by itself");
        String::from_utf8(output.stdout).expect("it speaks UTF-8")
    }

    /// Plays a block of lines.
    fn play(&mut self, block: &str) {
        let mut commands = block.split("$ ").skip(1);
        commands.all(|command| {
            let (line, printed) = command.split_once('\n').expect("a command is a line");
            let found = self.run(line);
            if self.key.is_none() && printed.starts_with("KEY") {
                self.key = found.get(..36).map(str::to_owned);
            }
            let printed = printed.replace("KEY", self.key.as_deref().unwrap_or("KEY"));
            assert!(
                agrees(&printed, &found),
                "expected of '{line}':\n{printed}but it printed:\n{found}"
            );
            true
        });
    }
}

/// Whether the printed lines match; the parts around `…` have to appear in order.
fn agrees(printed: &str, found: &str) -> bool {
    let (printed, found): (Vec<&str>, Vec<&str>) =
        (printed.lines().collect(), found.lines().collect());
    printed.len() == found.len()
        && printed
            .iter()
            .zip(found)
            .all(|(printed, found)| line_agrees(printed, found))
}

fn line_agrees(printed: &str, found: &str) -> bool {
    let mut pieces = printed.split('…');
    let Some(mut rest) = pieces.next().and_then(|start| found.strip_prefix(start)) else {
        return false;
    };
    let mut last = None;
    for piece in pieces {
        let Some(at) = rest.find(piece) else {
            return false;
        };
        rest = &rest[at + piece.len()..];
        last = Some(piece);
    }
    // Nothing may follow the last part, unless it ends with `…`.
    rest.is_empty() || last == Some("")
}

#[test]
fn the_pages_print_what_the_program_does() {
    let mut shell = Shell::new();
    let mut played = 0;
    for page in ["command-line.md", "backup.md"] {
        let text = fs::read_to_string(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("docs")
                .join(page),
        )
        .expect("the page is there");
        // The second page begins with two instances, whatever the first has left.
        if page == "backup.md" {
            shell = Shell::new();
            shell
                .installation
                .run(&["deploy", &file("ends.bpmn"), "--publish", "-q"], "")
                .ends(0);
            (0..2).for_each(|_| {
                drop(
                    shell
                        .installation
                        .run(&["start", "atOnce", "-q"], "")
                        .ends(0),
                )
            });
        }
        for block in text.split("```console\n").skip(1) {
            shell.play(block.split("```").next().unwrap_or_default());
            played += 1;
        }
    }
    assert_eq!(played, 2);
}

#[test]
fn omitted_parts_of_printed_lines_match_anything() {
    assert!(line_agrees("a…c", "abc") && line_agrees("…c…", "abcd") && line_agrees("abc", "abc"));
    assert!(!line_agrees("a…c", "abcd") && !line_agrees("ab", "abc") && !line_agrees("…x…", "abc"));
}

/// The examples and the benchmarks' definitions: one that no longer deploys is found here, and not
/// by the next measurement.
#[test]
fn the_definitions_of_the_project_have_no_problem() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files: Vec<_> = ["examples", "benches/load"]
        .iter()
        .flat_map(|folder| fs::read_dir(root.join(folder)).expect("a folder of the project"))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "bpmn"))
        .collect();
    assert!(files.len() > 3, "{files:?}");
    let output = Command::new(env!("CARGO_BIN_EXE_stepwire"))
        .arg("check")
        .args(&files)
        .output()
        .expect("the program runs");
    let reported = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{reported}");
}
