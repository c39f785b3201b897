//! The nesting depth of a JSON text, without parsing it: a deep text is refused before any reader
//! recurses into it.

/// Whether objects and arrays nest deeper than `limit`. The text need not be JSON: then its
/// brackets are counted, and the parser refuses it afterwards.
pub fn deeper_than(text: &str, limit: usize) -> bool {
    // Almost every frame has fewer brackets than the limit, and counting them is many times faster
    // than tracking strings.
    if text
        .bytes()
        .filter(|byte| matches!(byte, b'{' | b'['))
        .count()
        <= limit
    {
        return false;
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_brackets_outside_of_strings_count() {
        assert!(!deeper_than(r#"{"a":[1,[2]]}"#, 3));
        assert!(deeper_than(r#"{"a":[1,[2]]}"#, 2));
        assert!(!deeper_than(r#"{"a":"[[[[","b":"\"[[[\\"}"#, 1));
        assert!(!deeper_than("[] [] [] {}", 1));
        assert!(deeper_than(&"[".repeat(1_000_000), 64));
        assert!(!deeper_than("]]]]", 1));
    }
}
