//! Limits the amount of markup of a document before the XML library reads it: the library compares
//! every attribute of an element with the others, and searches for every prefix among all
//! declarations around it, so large numbers would cost their square.
//!
//! It splits tags, comments and the like as XML does and checks nothing else. The library checks
//! whether the document is well-formed; if it is not, the numbers here may be wrong, but are still
//! bounded.

/// Attributes of one element; hand-written files have a dozen.
const ATTRIBUTES: usize = 256;
/// Declarations of namespaces in a document; files of modelling tools have about ten.
const NAMESPACES: usize = 512;

/// The counts of one pass over a document.
#[derive(Default)]
struct MarkupCounter {
    attributes: usize,
    namespaces: usize,
}

/// Checks that a document has no more markup than models have. Takes time in proportion to its
/// length.
///
/// # Errors
/// The kind of markup that exceeds its limit, with its line, as a sentence.
pub fn check(xml: &str) -> Result<(), String> {
    let mut counting = MarkupCounter::default();
    let mut rest = xml;
    while let Some(open) = rest.find('<') {
        rest = &rest[open..];
        let skipped = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")]
            .into_iter()
            .find_map(|(begin, end)| {
                let inside = rest.strip_prefix(begin)?;
                Some(inside.find(end).map_or("", |at| &inside[at + end.len()..]))
            });
        rest = match skipped {
            Some(after) => after,
            None => counting.tag(&rest[1..]).map_err(|found| {
                let line = xml[..xml.len() - rest.len()].matches('\n').count() + 1;
                format!("{found} in line {line}")
            })?,
        };
    }
    Ok(())
}

impl MarkupCounter {
    /// Counts the parts of a tag; returns the text after it.
    fn tag<'a>(&mut self, mut rest: &'a str) -> Result<&'a str, String> {
        self.attributes = 0;
        while let Some(at) = rest.find(['=', '>', '"', '\'']) {
            let (before, found) = rest.split_at(at);
            rest = &found[1..];
            match found.as_bytes()[0] {
                b'>' => return Ok(rest),
                b'=' => self.attribute(before)?,
                quote => {
                    rest = rest
                        .find(char::from(quote))
                        .map_or("", |end| &rest[end + 1..])
                }
            }
        }
        Ok("")
    }

    fn attribute(&mut self, before: &str) -> Result<(), String> {
        self.attributes += 1;
        if self.attributes > ATTRIBUTES {
            return Err(format!(
                "expected at most {ATTRIBUTES} attributes of one element, but there are more"
            ));
        }
        let name = before
            .split_ascii_whitespace()
            .next_back()
            .unwrap_or_default();
        if name == "xmlns" || name.starts_with("xmlns:") {
            self.namespaces += 1;
        }
        if self.namespaces > NAMESPACES {
            return Err(format!(
                "expected at most {NAMESPACES} declarations of namespaces, but there are more, \
                the next one"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn many(count: usize, of: impl Fn(usize) -> String) -> String {
        (0..count).map(of).collect()
    }

    #[test]
    fn markup_of_real_models_passes() {
        let attributes = many(ATTRIBUTES, |number| format!(" a{number}='>{number}'"));
        for xml in [
            String::new(),
            "<a b='1' c=\"2>3\"/> = = text".to_owned(),
            format!("<a{attributes}/><b{attributes}></b>"),
            format!("<!-- {} --><a/>", "a='1' ".repeat(1_000)),
            format!("<![CDATA[<a {}>]]>", "a='1' ".repeat(1_000)),
            format!("<?pi {}?>", "a='1' ".repeat(1_000)),
            format!("<a b='{}'/>", "c='1' ".replace('\'', "\"").repeat(1_000)),
            many(20_000, |number| format!("<t id='{number}' x='1'/>")),
        ] {
            assert_eq!(check(&xml), Ok(()), "{}", &xml[..xml.len().min(60)]);
        }
    }

    #[test]
    fn markup_of_quadratic_cost_is_refused() {
        let attributes = many(ATTRIBUTES + 1, |number| format!(" a{number}='1'"));
        let nested = many(NAMESPACES + 1, |number| {
            format!("\n<a xmlns:n{number}='u'>")
        });
        let unquoted = format!("<a {}>", "=".repeat(ATTRIBUTES + 1));
        for (xml, part) in [
            (
                format!("<a>\n<b{attributes}/></a>"),
                "attributes of one element, but there are more in line 2",
            ),
            (
                nested,
                "declarations of namespaces, but there are more, the next one in line 514",
            ),
            (unquoted, "attributes of one element"),
        ] {
            let sentence = check(&xml).expect_err(part);
            assert!(sentence.contains(part), "{sentence}");
        }
    }

    #[test]
    fn malformed_markup_is_left_to_the_parser() {
        for xml in [
            "<",
            "<a",
            "<a b",
            "<a b=",
            "<a b='",
            "<!--",
            "<![CDATA[",
            "<?",
            "a>b",
            "<a b='\">",
            "<é ü='ö'>",
        ] {
            assert_eq!(check(xml), Ok(()), "{xml}");
        }
    }
}
