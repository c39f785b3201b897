//! Finds the known name that was probably meant by a mistyped one.

/// The most letters that may differ.
const WRONG: usize = 2;
/// Longer names are not compared.
const LONGEST: usize = 40;

/// The known name closest to this one, if it is close: other case, or one or two letters that are
/// wrong, missing or added.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST {
        return None;
    }
    let close = |known: &'a str| {
        let wrong = distance(&name.to_lowercase(), &known.to_lowercase());
        // In a short name, two wrong letters make another name.
        (wrong <= WRONG && wrong * 2 <= known.len()).then_some((wrong, known))
    };
    known
        .into_iter()
        .filter_map(close)
        .min()
        .map(|(_, known)| known)
}

/// Advice about a name that is not known.
pub fn advice<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(name, known) {
        Some(known) => format!("write '{known}'"),
        None => "leave it out".to_owned(),
    }
}

/// The number of letters to change, insert, remove, or exchange with their neighbour.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for i in 1..=one.len() {
        let mut row = vec![i];
        for j in 1..=other.len() {
            let changed = rows[i - 1][j - 1] + usize::from(one[i - 1] != other[j - 1]);
            let mut best = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

#[test]
fn mistyped_names_are_recognised() {
    let known = ["data", "process", "businessKey", "id", "test"];
    let check =
        |name: &str, expected: Option<&str>| assert_eq!(nearest(name, known), expected, "{name}");
    check("dta", Some("data"));
    check("daat", Some("data"));
    check("Data", Some("data"));
    check("proces", Some("process"));
    check("business_key", Some("businessKey"));
    check("ix", Some("id"));
    check("xy", None);
    check("variables", None);
    check(&"data".repeat(100), None);
}
