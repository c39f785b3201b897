//! Rust source as tokens: enough of a lexer to find matches and imports.
//!
//! Comments and lifetimes are left out, literals are `""`. Macros are not expanded: their arguments
//! are read as code.

/// A token and the line it is on, from 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

/// The tokens of a source text, up to its unit tests.
pub fn tokens(text: &str) -> Vec<Token> {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let letters: Vec<char> = text.chars().collect();
    let (mut at, mut line, mut found) = (0, 1, Vec::new());
    while at < letters.len() {
        let end = end_of(&letters, at);
        let token: String = letters[at..end].iter().collect();
        if let Some(text) = kept(&token) {
            found.push(Token { text, line });
        }
        line += token.matches('\n').count();
        at = end;
    }
    found
}

/// The tokens in a piece of source.
fn kept(piece: &str) -> Option<String> {
    let first = piece.chars().next()?;
    let is_lifetime = first == '\'' && !piece[1..].ends_with('\'');
    if first.is_whitespace() || piece.starts_with("//") || piece.starts_with("/*") || is_lifetime {
        return None;
    }
    let is_literal =
        first.is_ascii_digit() || first == '\'' || (piece.len() > 1 && piece.contains('"'));
    Some(if is_literal {
        "\"\"".to_owned()
    } else {
        piece.to_owned()
    })
}

/// The end of the piece that begins here.
fn end_of(letters: &[char], at: usize) -> usize {
    let here = |offset: usize| letters.get(at + offset).copied().unwrap_or('\0');
    let while_ = |from: usize, goes_on: &dyn Fn(char) -> bool| {
        (from..letters.len())
            .find(|&at| !goes_on(letters[at]))
            .unwrap_or(letters.len())
    };
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    match here(0) {
        letter if letter.is_whitespace() => while_(at, &char::is_whitespace),
        '/' if here(1) == '/' => while_(at, &|letter| letter != '\n'),
        '/' if here(1) == '*' => end_of_comment(letters, at),
        '"' => end_of_text(letters, at + 1),
        'r' | 'b' if raw_text(letters, at).is_some() => raw_text(letters, at).unwrap_or(at + 1),
        'b' if here(1) == '"' => end_of_text(letters, at + 2),
        '\'' if here(1) == '\\' => while_(at + 3, &|letter| letter != '\'') + 1,
        '\'' if here(2) == '\'' => at + 3,
        '\'' => while_(at + 1, &is_word),
        letter if is_word(letter) => while_(at, &is_word),
        '=' if here(1) == '>' => at + 2,
        ':' if here(1) == ':' => at + 2,
        '.' if here(1) == '.' => at + 2,
        _ => at + 1,
    }
}

fn end_of_comment(letters: &[char], at: usize) -> usize {
    let (mut at, mut depth) = (at + 2, 1);
    while at < letters.len() && depth > 0 {
        let pair = (letters[at], letters.get(at + 1).copied().unwrap_or('\0'));
        match pair {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
    }
    at
}

fn end_of_text(letters: &[char], from: usize) -> usize {
    let mut at = from;
    while at < letters.len() && letters[at] != '"' {
        at += if letters[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(letters.len())
}

/// The end of a raw text that begins here, if one does.
fn raw_text(letters: &[char], at: usize) -> Option<usize> {
    let mut from = at + usize::from(letters[at] == 'b');
    if letters.get(from) != Some(&'r') {
        return None;
    }
    from += 1;
    let hashes = letters[from..]
        .iter()
        .take_while(|letter| **letter == '#')
        .count();
    if letters.get(from + hashes) != Some(&'"') {
        return None;
    }
    let closing: Vec<char> = std::iter::once('"')
        .chain(std::iter::repeat_n('#', hashes))
        .collect();
    let body = from + hashes + 1;
    let end = letters[body..]
        .windows(closing.len())
        .position(|window| window == closing)?;
    Some(body + end + closing.len())
}

/// The position after the bracket that closes the one at this position.
pub fn behind(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match &*token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}
