//! Finds a member that an object of a JSON text has twice: JSON allows it, readers keep the last
//! one in silence.
//!
//! Not here: whether the text is JSON at all; its reader says so.

use std::collections::HashMap;

/// The first member that an object of a JSON text has twice, as a sentence that names both lines;
/// `None` for a text in which each object has each member once.
///
/// # Errors
/// The sentence.
pub fn check(json: &str) -> Result<(), String> {
    let mut scanner = Scanner {
        text: json.as_bytes(),
        at: 0,
        line: 1,
    };
    // The objects and lists around the present place; a list has no members.
    let mut open: Vec<Option<HashMap<String, usize>>> = Vec::new();
    while let Some(byte) = scanner.next() {
        match byte {
            b'{' => open.push(Some(HashMap::new())),
            b'[' => open.push(None),
            b'}' | b']' => drop(open.pop()),
            b'"' => {
                let line = scanner.line;
                let text = scanner.string();
                if let (true, Some(Some(members))) = (scanner.is_member(), open.last_mut())
                    && let Some(first) = members.insert(text.clone(), line)
                {
                    return Err(format!(
                        "expected each member of an object once, but `{text}` is in line {first} \
                        and in line {line}; remove one"
                    ));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    line: usize,
}

impl Scanner<'_> {
    fn next(&mut self) -> Option<u8> {
        let byte = *self.text.get(self.at)?;
        self.at += 1;
        self.line += usize::from(byte == b'\n');
        Some(byte)
    }

    /// The rest of a string whose opening quote was read, unescaped where it can be.
    fn string(&mut self) -> String {
        let start = self.at - 1;
        while let Some(byte) = self.next() {
            match byte {
                b'\\' => drop(self.next()),
                b'"' => break,
                _ => {}
            }
        }
        let written = &self.text[start..self.at];
        serde_json::from_slice(written)
            .unwrap_or_else(|_| String::from_utf8_lossy(written).into_owned())
    }

    /// Whether a colon follows: the string before was a member's name.
    fn is_member(&self) -> bool {
        self.text[self.at..]
            .iter()
            .find(|byte| !byte.is_ascii_whitespace())
            == Some(&b':')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_twice_is_named_with_both_lines() {
        for once in [
            "{}",
            "[1, \"a\", \"a\"]",
            r#"{"a": {"a": "a"}, "b": ["a", {"a": 1}, {"a": 1}]}"#,
            "",
            "{\"a\"",
            "]]}}",
            "\"\\",
        ] {
            assert_eq!(check(once), Ok(()), "{once}");
        }
        for (twice, name, lines) in [
            ("{\"a\": 1,\n \"a\": 2}", "`a`", [1, 2]),
            (
                "{\"a\": {\"b\": \"}\\\"\",\n\n\"c\": [],\n\"b\" : 2}}",
                "`b`",
                [1, 4],
            ),
            ("[{\"ä\": 1, \"\\u00e4\": 2}]", "`ä`", [1, 1]),
        ] {
            let sentence = check(twice).expect_err(twice);
            let [first, second] = lines;
            assert!(
                sentence.contains(name)
                    && sentence.contains(&format!("line {first} and in line {second}")),
                "{sentence}"
            );
        }
    }
}
