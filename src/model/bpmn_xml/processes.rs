//! Which processes of a document are read: those that are executable or, if none says so, all that
//! are not empty.
//!
//! Not here: the contents of a process (`process`).

use roxmltree::Node;

use super::{
    is_bpmn, nodes,
    xml::{self, Lines, filled},
};
use crate::model::problem::Problem;

/// Most processes that one problem names.
const NAMED: usize = 5;

/// The processes to read, in document order, and problems about the choice. If there is none, an
/// error says why, unless the document `holds_tasks` beside its processes.
pub(super) fn to_read<'a, 'i>(
    root: Node<'a, 'i>,
    holds_tasks: bool,
    lines: &Lines,
) -> (Vec<Node<'a, 'i>>, Vec<Problem>) {
    let all: Vec<Node<'_, '_>> = root
        .children()
        .filter(|child| is_bpmn(*child, "process"))
        .collect();
    let mut problems: Vec<Problem> = all
        .iter()
        .filter_map(|process| unreadable(*process, lines))
        .collect();
    let (filled_ones, empty): (Vec<_>, Vec<_>) = all
        .iter()
        .copied()
        .partition(|process| holds_nodes(*process));
    let (executable, other): (Vec<_>, Vec<_>) = filled_ones
        .into_iter()
        .partition(|process| executable(*process).unwrap_or(true));
    let chosen = match (&executable[..], &other[..], &empty[..]) {
        ([], [], _) if holds_tasks => Vec::new(),
        ([], [], []) => {
            problems.push(no_process());
            Vec::new()
        }
        // The problem of an empty process is that it is empty.
        ([], [], _) => vec![empty[0]],
        ([], [_, ..], _) => {
            problems.extend(other.iter().map(|process| read_nevertheless(*process)));
            other
        }
        ([_, ..], [], _) => executable,
        ([_, ..], [first, ..], _) => {
            problems.push(passed_over(
                *first,
                &other,
                "says isExecutable=\"false\"",
                "set it to true on those that are to run",
            ));
            executable
        }
    };
    if let ([first, ..], true) = (&empty[..], holds_tasks || holds_any(&chosen)) {
        problems.push(passed_over(
            *first,
            &empty,
            "holds no flow node",
            "draw some, or remove it",
        ));
    }
    (chosen, problems)
}

fn holds_any(processes: &[Node<'_, '_>]) -> bool {
    processes.iter().any(|process| holds_nodes(*process))
}

fn holds_nodes(process: Node<'_, '_>) -> bool {
    process.children().any(|child| nodes::is_flow_node(child))
}

/// Whether a process says that it is executable; `None` if it says nothing readable.
fn executable(process: Node<'_, '_>) -> Option<bool> {
    process.attribute("isExecutable").and_then(xml::boolean)
}

fn id<'a>(process: Node<'a, '_>) -> &'a str {
    filled(process.attribute("id")).unwrap_or_default()
}

fn unreadable(process: Node<'_, '_>, lines: &Lines) -> Option<Problem> {
    let value = process.attribute("isExecutable")?;
    if xml::boolean(value).is_some() {
        return None;
    }
    let found = match xml::trimmed(value) {
        "" => "it is empty".to_owned(),
        value => format!("got `{value}`"),
    };
    let message = format!(
        "expected `isExecutable` in line {} to be `true`, `false`, `1` or `0`, but {found}; \
        correct it",
        lines.line(process)
    );
    Some(Problem::error(id(process), "invalid_value", message))
}

fn no_process() -> Problem {
    let message = "expected a process, but the document holds none; draw one, or export the model \
        together with its process";
    Problem::error("", "no_process", message)
}

/// No process of the document is executable. A user who deploys it wants to run its contents.
fn read_nevertheless(process: Node<'_, '_>) -> Problem {
    let id = id(process);
    let message = format!(
        "expected an executable process, but `{id}` says isExecutable=\"false\", as many editors \
        write by default; it is deployed, because no process of the document is executable: set \
        isExecutable=\"true\""
    );
    Problem::warning(id, "not_executable", message)
}

fn passed_over(first: Node<'_, '_>, all: &[Node<'_, '_>], why: &str, advice: &str) -> Problem {
    let named: Vec<String> = all
        .iter()
        .take(NAMED)
        .map(|process| format!("`{}`", id(*process)))
        .collect();
    let more = match all.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let message = format!(
        "expected processes to run only, but {}{more} {why}; not deployed: {advice}",
        named.join(", ")
    );
    Problem::warning(id(first), "process_not_deployed", message)
}
