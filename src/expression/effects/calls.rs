//! Calls in a condition: those of what is no function, that change data, or whose function cannot be
//! known.

use super::{
    super::{
        lexer::Kind,
        names::{is_built_in, is_inherited_name},
    },
    EffectCheck,
};

/// Methods that change the list they are called on, each with an alternative that does not.
const CHANGING: [(&str, &str); 9] = [
    ("copyWithin", "map()"),
    ("fill", "map()"),
    ("pop", "at(-1) or slice(0, -1)"),
    ("push", "[...list, item]"),
    ("reverse", "toReversed()"),
    ("shift", "at(0) or slice(1)"),
    ("sort", "toSorted()"),
    ("splice", "toSpliced()"),
    ("unshift", "[item, ...list]"),
];

/// Methods whose result is a new list, which the condition may change.
const FRESH: [&str; 11] = [
    "concat",
    "entries",
    "filter",
    "from",
    "keys",
    "map",
    "slice",
    "split",
    "toReversed",
    "toSorted",
    "values",
];

/// Functions of `Object` that change their argument.
#[rustfmt::skip]
const CHANGING_OBJECTS: [&str; 9] = [
    "__defineGetter__", "__defineSetter__", "assign", "defineProperties", "defineProperty", "freeze", "preventExtensions",
    "seal", "setPrototypeOf",
];

/// Methods that call their argument.
#[rustfmt::skip]
const CALLING: [&str; 11] =
    ["every", "filter", "find", "findIndex", "findLast", "findLastIndex", "flatMap", "forEach", "map", "reduce", "some"];

/// Methods of texts and lists in other languages, and their JavaScript equivalents.
const OTHER_METHODS: [(&str, &str); 8] = [
    ("contains", "includes(x)"),
    ("containsKey", "x in object"),
    ("equals", "=="),
    ("equalsIgnoreCase", "toLowerCase() =="),
    ("isEmpty", "length == 0"),
    ("length", "length"),
    ("matches", "/…/.test(text)"),
    ("size", "length"),
];

/// A member access with the name given in the text.
struct NamedMember<'t> {
    name: &'t str,
    /// Index of its dot, or of the opening bracket of its index.
    dot: usize,
    /// Index of the token after it.
    next: usize,
}

impl EffectCheck<'_> {
    /// A call of something that is not a function: data contain no functions.
    pub(super) fn call(&self, index: usize) -> Option<String> {
        let word = self.tokens[index].text;
        let is_called = self.text(index + 1) == "("
            && !matches!(
                word,
                "typeof" | "void" | "in" | "instanceof" | "new" | "async"
            );
        (is_called && !is_built_in(word) && !self.is_parameter(word) && !self.is_method_body(index))
            .then(|| {
                format!(
                    "`{word}` is no function here; write what it computes in JavaScript, or \
                compute it in an action before"
                )
            })
    }

    /// Whether some function within the condition has a parameter with that name.
    pub(super) fn is_parameter(&self, word: &str) -> bool {
        (0..self.tokens.len())
            .filter(|arrow| self.text(*arrow) == "=>")
            .any(|arrow| match arrow.checked_sub(1) {
                Some(close) if self.text(close) == ")" => {
                    let open = self.partner(close).unwrap_or(close);
                    self.tokens[open..close]
                        .iter()
                        .any(|token| token.text == word)
                }
                Some(name) => self.text(name) == word,
                None => false,
            })
    }

    /// Whether the token names a method of an object written in the condition itself; its body is
    /// checked separately.
    fn is_method_body(&self, index: usize) -> bool {
        self.partner(index + 1)
            .is_some_and(|close| self.text(close + 1) == "{")
    }

    /// A call that changes a list or an object of the data: `list.push(1)`, `list['push'](1)`,
    /// `Array.prototype.push.call(list, 1)`.
    pub(super) fn changing_call(&self, index: usize) -> Option<String> {
        let NamedMember { name, dot, next } = self.member(index)?;
        let receiver = dot.checked_sub(1)?;
        if !self.is_call(next) && !self.is_handed_over(receiver) {
            return None;
        }
        if CHANGING_OBJECTS.contains(&name) {
            // A newly created target may be changed.
            let into_new = name == "assign" && self.text(next) == "(" && self.text(next + 1) == "{";
            let is_object = self.text(receiver) == "Object" || name.starts_with("__");
            return (is_object && !into_new).then(|| {
                format!("`{name}` changes an object; write a new one, as in {{...client, age: 18}}")
            });
        }
        let (_, instead) = CHANGING.iter().find(|(changing, _)| *changing == name)?;
        (!self.is_fresh(receiver)).then(|| format!("`{name}` changes its list; write {instead}"))
    }

    /// The member that a token accesses, by `.name` or by `['name']`.
    fn member(&self, index: usize) -> Option<NamedMember<'_>> {
        let text = self.text(index);
        let in_quotes = self.kind(index) != Some(Kind::Word);
        let dot = index.checked_sub(1)?;
        match self.text(dot) {
            "[" if in_quotes && self.text(index + 1) == "]" && self.ends_operand(dot) => {
                Some(NamedMember {
                    name: text.get(1..text.len() - 1)?,
                    dot,
                    next: index + 2,
                })
            }
            "." | "?." if !in_quotes => Some(NamedMember {
                name: text,
                dot,
                next: index + 1,
            }),
            _ => None,
        }
    }

    /// Whether the path that ends at `last` is the argument of a method such as `map`, which calls
    /// it.
    fn is_handed_over(&self, last: usize) -> bool {
        let mut root = last;
        while root >= 2 && matches!(self.text(root - 1), "." | "?.") {
            root -= 2;
        }
        let is_argument = root >= 2 && self.text(root - 1) == "(";
        is_argument && CALLING.contains(&self.text(root - 2))
    }

    /// A call of `Math.random`, the only built-in that gives a different value each time.
    pub(super) fn unrepeatable(&self, index: usize) -> Option<String> {
        let NamedMember { name, dot, next } = self.member(index)?;
        let is_random = name == "random" && dot > 0 && self.text(dot - 1) == "Math";
        let is_called = || self.is_call(next) || self.is_handed_over(dot - 1);
        (is_random && is_called()).then(|| {
            "`Math.random` gives another number each time, and a condition must give the same \
            answer again; let a client send the number as data"
                .to_owned()
        })
    }

    /// A function called with another receiver: `f.call(list, 1)`, recognised by its name.
    pub(super) fn borrowed_method(&self, index: usize) -> Option<String> {
        let NamedMember { name, dot, next } = self.member(index)?;
        if !matches!(name, "call" | "apply" | "bind") || !self.is_call(next) {
            return None;
        }
        let function = dot.checked_sub(1)?;
        let is_known = self.kind(function) == Some(Kind::Word)
            && self.is_name(function)
            && (is_inherited_name(self.text(function)) || self.text(function - 2) == "Math");
        (!is_known).then(|| {
            format!("`{name}` calls a function that nobody knows by its name; call it by its name")
        })
    }

    /// A call of the result of an index or of parentheses, if that may be a method which changes
    /// data.
    pub(super) fn called_value(&self, index: usize) -> Option<String> {
        if self.text(index) != "(" || !self.ends_operand(index) {
            return None;
        }
        let mut close = index - 1;
        if self.text(close) == "?." {
            close = close.checked_sub(1)?;
        }
        let open = self
            .partner(close)
            .filter(|_| matches!(self.text(close), ")" | "]"))?;
        let within = open + 1..close;
        if self.text(close) == "]" {
            let is_plain = within.len() == 1
                && match self.kind(open + 1) {
                    Some(Kind::Number) => true,
                    Some(Kind::Text | Kind::Template { .. }) => !self.text(open + 1).contains('\\'),
                    _ => false,
                };
            return (self.ends_operand(open) && !is_plain).then(|| {
                "a method is called by a name that is computed; write its name, as in \
                list.includes(x)"
                    .to_owned()
            });
        }
        if self.ends_operand(open) {
            return None;
        }
        let changing = within
            .filter_map(|inner| self.member(inner))
            .map(|member| member.name)
            .find(|name| CHANGING.iter().any(|(changing, _)| changing == name))?;
        Some(format!(
            "`{changing}` changes its list, also from within parentheses; write an expression \
            that leaves it as it is"
        ))
    }

    /// A call of a method that no value in the data has: `execution.getVariable('x')`,
    /// `name.equals('x')`.
    pub(super) fn unknown_method(&self, index: usize) -> Option<String> {
        let name = self.tokens[index].text;
        if !self.is_name(index) || self.text(index + 1) != "(" || is_inherited_name(name) {
            return None;
        }
        if let Some((_, instead)) = OTHER_METHODS.iter().find(|(other, _)| *other == name) {
            return Some(format!(
                "`{name}` is no method of JavaScript's texts and lists; write {instead}"
            ));
        }
        // Only a plain path is known to come from the data.
        let mut root = index;
        while root >= 2
            && matches!(self.text(root - 1), "." | "?.")
            && self.kind(root - 2) == Some(Kind::Word)
        {
            root -= 2;
        }
        let word = self.text(root);
        let of_data =
            root < index && !self.is_name(root) && !is_built_in(word) && !self.is_parameter(word);
        of_data.then(|| {
            format!(
                "`{name}` is no method of data, which have names, but no methods of Java; write the \
                path of a value, such as amount or order.amount"
            )
        })
    }

    /// Whether the function is called here, directly or by `call`, `apply` or `bind`.
    fn is_call(&self, next: usize) -> bool {
        match self.text(next) {
            "(" => true,
            "?." if self.text(next + 1) == "(" => true,
            "." | "?." => matches!(self.text(next + 1), "call" | "apply" | "bind"),
            _ => false,
        }
    }

    /// Whether the operand that ends at `last` is a list created by the condition itself.
    fn is_fresh(&self, mut last: usize) -> bool {
        loop {
            let Some(open) = self.partner(last) else {
                return false;
            };
            match (self.text(last), open.checked_sub(2)) {
                ("]", _) => return !self.ends_operand(open),
                (")", Some(dot)) if self.ends_operand(open) => {
                    let method = self.text(open - 1);
                    if FRESH.contains(&method) || self.text(dot) == "new" || method == "Array" {
                        return true;
                    }
                    // These return the list they are called on.
                    if !["sort", "reverse", "fill"].contains(&method) || dot == 0 {
                        return false;
                    }
                    last = dot - 1;
                }
                _ => return false,
            }
        }
    }
}
