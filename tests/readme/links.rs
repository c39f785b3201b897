//! Links of the documents lead to existing files and headings, and README.md names every page.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every document of the project.
fn documents() -> Vec<PathBuf> {
    let in_folder = |folder: &str| {
        let entries = fs::read_dir(root().join(folder))
            .expect("a folder")
            .flatten()
            .map(|entry| entry.path());
        entries
            .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
            .collect::<Vec<_>>()
    };
    ["", "docs", "docs/errors", "sdk"]
        .iter()
        .flat_map(|folder| in_folder(folder))
        .collect()
}

/// The text outside of code.
fn prose(text: &str) -> String {
    let http_calls = text.split("```").step_by(2);
    http_calls
        .flat_map(|part| part.split('`').step_by(2))
        .collect::<Vec<_>>()
        .join("`")
}

fn links(text: &str) -> Vec<String> {
    prose(text)
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next().map(str::to_owned))
        .collect()
}

/// The targets of links in a document: its headings, and its numbered sentences.
fn anchors(text: &str) -> BTreeSet<String> {
    let http_calls = text.split("```").step_by(2).collect::<String>();
    let slug = |heading: &str| -> String {
        let kept = heading.trim().to_lowercase();
        let kept = kept
            .chars()
            .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
        kept.map(|letter| if letter == ' ' { '-' } else { letter })
            .collect()
    };
    let headings = http_calls
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| slug(line.trim_start_matches('#')));
    let sentences = http_calls
        .lines()
        .filter_map(|line| Some(line.strip_prefix("- **")?.split_once("**")?.0.to_owned()));
    headings.chain(sentences).collect()
}

#[test]
fn every_link_has_a_target() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).expect("a document is text");
        for link in links(&text)
            .into_iter()
            .filter(|link| !link.contains("://"))
        {
            seen += 1;
            let (file, anchor) = link
                .split_once('#')
                .map_or((&*link, None), |(file, anchor)| (file, Some(anchor)));
            let target = if file.is_empty() {
                document.clone()
            } else {
                document.with_file_name("").join(file)
            };
            let has = |anchor: &str| {
                fs::read_to_string(&target).is_ok_and(|text| anchors(&text).contains(anchor))
            };
            if !target.exists() || !anchor.is_none_or(has) {
                wrong.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "expected links to files and headings that are there, but found:\n  {}",
        wrong.join("\n  ")
    );
    assert!(seen > 60, "{seen}");
}

#[test]
fn the_readme_names_every_page() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md is there");
    let named: BTreeSet<String> = links(&readme)
        .into_iter()
        .map(|link| link.split('#').next().unwrap_or_default().to_owned())
        .collect();
    for document in documents() {
        let path = document
            .strip_prefix(root())
            .expect("below the root")
            .to_string_lossy()
            .into_owned();
        let is_listed =
            !path.starts_with("docs/errors/") && !["README.md", "CHANGELOG.md"].contains(&&*path);
        assert!(
            !is_listed || named.contains(&path),
            "expected README.md to link to {path}, but it does not"
        );
    }
}
