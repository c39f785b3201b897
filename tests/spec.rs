//! Every sentence of docs/process-model.md has a test case; the table of both is written to
//! docs/process-model-cases.md.
//!
//! A sentence is an item that begins with its id: `- **A12** …`. A case names its sentences at the
//! end of its title: `# title [A12, K3]`, in `tests/engine/cases/*.case` and
//! `tests/scenario/cases/*.scenario`; other tests are listed in `tests/spec/elsewhere.txt`.
//! `UPDATE_EXPECT=1 cargo test spec` writes the table.

mod evidence;

use std::{collections::BTreeMap, fmt::Write, path::Path};

use evidence::Evidence;

use crate::support::expected;

/// A sentence of the page.
struct Sentence {
    section: String,
    id: String,
    text: String,
}

#[test]
fn every_sentence_has_a_case() {
    let sentences = sentences(&expected::read(&expected::path(&[
        "docs",
        "process-model.md",
    ])));
    let evidence = Evidence::gather();
    let missing = |id: &&String| !sentences.iter().any(|sentence| sentence.id == **id);
    let unknown: Vec<&String> = evidence.by_sentence.keys().filter(missing).collect();
    assert!(
        unknown.is_empty(),
        "expected tags of sentences in docs/process-model.md, but it has none of {unknown:?}"
    );

    let path = expected::path(&["docs", "process-model-cases.md"]);
    let table = table(&sentences, &evidence);
    println!("{}", table.lines().nth(5).unwrap_or_default());
    expected::settle(&path, &expected::read(&path), &table);

    let without = sentences
        .iter()
        .filter(|sentence| !evidence.by_sentence.contains_key(&sentence.id));
    let without: Vec<&str> = without.map(|sentence| &*sentence.id).collect();
    assert!(
        without.is_empty(),
        "expected a case for every sentence, but there is none for {without:?}"
    );
}

/// The sentences of the page, in order.
fn sentences(page: &str) -> Vec<Sentence> {
    let (mut found, mut section): (Vec<Sentence>, String) = (Vec::new(), String::new());
    let mut in_item = false;
    for line in page.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            title.clone_into(&mut section);
        }
        let item = line
            .strip_prefix("- **")
            .and_then(|rest| rest.split_once("** "));
        if let Some((id, text)) = item {
            assert!(
                found.iter().all(|sentence| sentence.id != id),
                "expected each id once, but {id} is there twice"
            );
            found.push(Sentence {
                section: section.clone(),
                id: id.to_owned(),
                text: text.to_owned(),
            });
        } else if let (true, Some(more), Some(last)) =
            (in_item, line.strip_prefix("  "), found.last_mut())
        {
            last.text.extend([" ", more]);
        }
        in_item = item.is_some() || in_item && line.starts_with("  ");
    }
    found
}

fn table(sentences: &[Sentence], evidence: &Evidence) -> String {
    let mut text = format!(
        "# Sentences of the process model and their cases\n\nWritten by the tests: \
        `UPDATE_EXPECT=1 cargo test --test main spec`. What a case is: \
        `tests/engine/check.rs`,\nwhat a scenario is: `tests/scenario/check.rs`.\n\n{} sentences, \
        {} cases, {} scenarios, {} other tests.\n",
        sentences.len(),
        evidence.cases,
        evidence.scenarios,
        evidence.others
    );
    let mut section = "";
    for sentence in sentences {
        if sentence.section != section {
            section = &sentence.section;
            let _ = write!(text, "\n## {section}\n\n");
        }
        let _ = writeln!(text, "- **{}** {}", sentence.id, sentence.text);
        for (file, titles) in evidence
            .by_sentence
            .get(&sentence.id)
            .unwrap_or(&BTreeMap::new())
        {
            for title in titles {
                let _ = writeln!(text, "  - {file}: {title}");
            }
        }
    }
    if !evidence.untagged.is_empty() {
        text.push_str("\n## Cases that name no sentence\n\n");
        for (file, title) in &evidence.untagged {
            let _ = writeln!(text, "- {file}: {title}");
        }
    }
    text
}

/// The name of a file, for the table.
fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().display().to_string()
}
