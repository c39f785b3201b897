//! The languages that documents and expressions declare, as far as they have to be distinguished:
//! JavaScript, which runs; XPath, which many editors declare by default; and others, which are
//! refused by name.

/// A language, by one of its names, media types or URLs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Language {
    /// Runs here.
    JavaScript,
    /// BPMN's default, which editors declare whatever the expressions are written in.
    XPath,
    /// Any other, by its usual name or as written.
    Other(String),
}

/// Names of JavaScript: a whole name, the subtype of a media type, or the end of a URL.
#[rustfmt::skip]
const JAVASCRIPT: [&str; 10] = [
    "javascript", "ecmascript", "js", "es", "jscript", "livescript", "nashorn", "rhino", "graal.js", "ecma-262",
];

/// Other languages by a word in their name or URL. `Java` comes last: JavaScript is not Java, but
/// some URLs contain both.
#[rustfmt::skip]
const OTHERS: [(&str, &str); 17] = [
    ("feel", "FEEL"), ("juel", "JUEL"), ("groovy", "Groovy"), ("jython", "Python"), ("python", "Python"), ("jruby", "Ruby"),
    ("ruby", "Ruby"), ("mvel", "MVEL"), ("xquery", "XQuery"), ("spel", "SpEL"), ("ognl", "OGNL"), ("drools", "Drools"),
    ("kotlin", "Kotlin"), ("typescript", "TypeScript"), ("jsonpath", "JSONPath"), ("jsonata", "JSONata"), ("java", "Java"),
];

/// The language with this name, media type or URL.
pub fn named(text: &str) -> Language {
    let lower = text.trim().to_ascii_lowercase();
    let without_parameters = lower
        .split(';')
        .next()
        .unwrap_or_default()
        .trim_end_matches(['/', '#', ' ']);
    let last = without_parameters
        .rsplit(['/', '#', ':'])
        .next()
        .unwrap_or_default();
    let last = last
        .trim_start_matches("x-")
        .trim_end_matches(".html")
        .trim_end_matches(".htm");
    // A version at its end, as in `ecmascript6` or `javascript 1.8`.
    let name =
        last.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '_' | ' '));
    if JAVASCRIPT.contains(&name) || last == "ecma-262" || last == "ecma262" {
        return Language::JavaScript;
    }
    if lower.contains("xpath") {
        return Language::XPath;
    }
    let known = OTHERS.iter().find(|(word, _)| lower.contains(word));
    Language::Other(known.map_or_else(|| text.trim().to_owned(), |(_, name)| (*name).to_owned()))
}

/// What to say about text in a language that does not run: its name, and why or what to do, as the
/// end of a sentence; `None` for JavaScript.
pub fn refusal(text: &str) -> Option<String> {
    let remove = "write it in JavaScript and remove the language, or say JavaScript";
    Some(match named(text) {
        Language::JavaScript => return None,
        Language::XPath => format!("is XPath, which is not supported; {remove}"),
        Language::Other(name) if name == "FEEL" => {
            format!("is FEEL, which comes with DMN and is not supported yet; {remove}")
        }
        Language::Other(name) => format!("is {name}, which is not supported; {remove}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_recognised_by_all_their_names() {
        for name in [
            "javascript",
            "JavaScript",
            "js",
            "text/javascript",
            "application/javascript; version=1.5",
            "application/x-javascript",
            "http://www.ecma-international.org/ecma-262",
            "http://www.javascript.com/javascript",
            "ECMAScript6",
            "JavaScript 1.8",
            "https://tc39.es/ecma262/",
            "urn:stepwire:javascript",
            "application/ecmascript",
            "http://www.ecma-international.org/publications/standards/Ecma-262.htm",
        ] {
            assert_eq!(named(name), Language::JavaScript, "{name}");
        }
        for name in [
            "http://www.w3.org/1999/XPath",
            "xpath",
            "http://www.w3.org/TR/xpath20/",
        ] {
            assert_eq!(named(name), Language::XPath, "{name}");
        }
        for (text, name) in [
            ("FEEL", "FEEL"),
            ("https://www.omg.org/spec/DMN/20191111/FEEL/", "FEEL"),
            ("http://www.omg.org/spec/FEEL/20140401", "FEEL"),
            ("juel", "JUEL"),
            ("http://www.java.com/java", "Java"),
            ("http://www.mvel.org/2.0", "MVEL"),
            ("http://example.com/not-javascript-at-all", "Java"),
            ("groovy", "Groovy"),
            ("python", "Python"),
            ("COBOL", "COBOL"),
        ] {
            assert_eq!(named(text), Language::Other(name.to_owned()), "{text}");
        }
        assert!(refusal("feel").is_some_and(|sentence| sentence.contains("comes with DMN")));
        assert_eq!(refusal("js"), None);
    }
}
