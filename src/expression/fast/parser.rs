//! Parses the expressions of the fast grammar, with JavaScript's precedences: `? :`, `||`, `&&`,
//! equality, relation, sums, products, `!` and `-`.

use super::super::{
    lexer,
    names::{INPUT, input_is_all_data, is_built_in, is_reserved},
};
use super::expression::{
    Arithmetic, Comparison, Expression, Language, Literal, Member, Path, Root,
};
use super::lexer::{FastToken, plain_tokens, tokens};

/// Bounds nesting and the length of a chain of operators at one level, and so the recursion of
/// parsing, evaluating and dropping the tree.
pub(super) const MAX_DEPTH: usize = 24;

/// The condition as a tree; `None` when it is not completely in the fast grammar.
pub fn parse(source: &[lexer::Token<'_>]) -> Option<Expression> {
    parsed(source, &tokens(source)?)
}

/// A plain expression of a language as a tree, with its comparisons.
pub fn parse_plain(source: &[lexer::Token<'_>], language: Language) -> Option<Expression> {
    let tokens = plain_tokens(source, language == Language::Feel)?;
    Some(parsed(source, &tokens)?.in_language(language))
}

fn parsed(source: &[lexer::Token<'_>], tokens: &[FastToken]) -> Option<Expression> {
    let names = Names::Variables {
        input_is_all_data: input_is_all_data(source),
    };
    let mut parser = Parser::of(tokens, names);
    let expression = parser.expression(0)?;
    parser.tokens.is_empty().then_some(expression)
}

/// The names that an expression may read.
pub(super) enum Names {
    /// Those of a condition: the variables.
    Variables {
        /// Whether `input` means all data, not the variable with that name.
        input_is_all_data: bool,
    },
    /// Those of a rule: `input`, and the names that it has declared so far.
    Declared(Vec<Declared>),
}

/// A name that a rule has declared.
pub(super) struct Declared {
    pub name: String,
    /// The place of its value.
    pub place: usize,
    pub is_constant: bool,
}

/// Reads tokens from the front.
pub(super) struct Parser<'t> {
    /// The tokens not read yet.
    pub tokens: &'t [FastToken],
    pub names: Names,
}

impl<'t> Parser<'t> {
    pub fn of(tokens: &'t [FastToken], names: Names) -> Self {
        Self { tokens, names }
    }

    /// An expression `depth` levels below the outermost one; `None` when it is not completely in
    /// the fast grammar.
    pub fn expression(&mut self, depth: usize) -> Option<Expression> {
        if depth > MAX_DEPTH {
            return None;
        }
        let condition = self.any(depth)?;
        if !self.take(&FastToken::Question) {
            return Some(condition);
        }
        let first = self.expression(depth + 1)?;
        if !self.take(&FastToken::Colon) {
            return None;
        }
        let second = self.expression(depth + 1)?;
        Some(Expression::Choose(Box::new((condition, first, second))))
    }

    fn any(&mut self, depth: usize) -> Option<Expression> {
        let mut operands = vec![self.all(depth)?];
        while self.take(&FastToken::Or) {
            operands.push(self.all(depth)?);
        }
        if operands.len() == 1 {
            operands.pop()
        } else {
            Some(Expression::Any(operands))
        }
    }

    fn all(&mut self, depth: usize) -> Option<Expression> {
        let mut operands = vec![self.comparisons(depth, false)?];
        while self.take(&FastToken::And) {
            operands.push(self.comparisons(depth, false)?);
        }
        if operands.len() == 1 {
            operands.pop()
        } else {
            Some(Expression::All(operands))
        }
    }

    /// A left-associative chain of equalities, or one level below (`relations`) of `<`, `<=`, `>`,
    /// `>=`.
    fn comparisons(&mut self, depth: usize, relations: bool) -> Option<Expression> {
        let operand = |parser: &mut Self| {
            if relations {
                parser.sums(depth)
            } else {
                parser.comparisons(depth, true)
            }
        };
        let mut left = operand(self)?;
        let mut length = depth;
        while let Some(&FastToken::Comparison(comparison)) = self.tokens.first() {
            if is_relation(comparison) != relations {
                break;
            }
            self.tokens = &self.tokens[1..];
            length += 1;
            if length > MAX_DEPTH {
                return None;
            }
            left = Expression::Compare(comparison, Box::new((left, operand(self)?)));
        }
        Some(left)
    }

    fn sums(&mut self, depth: usize) -> Option<Expression> {
        let is_sum = |operator| matches!(operator, Arithmetic::Plus | Arithmetic::Minus);
        self.chain(depth, is_sum, |parser| {
            parser.chain(
                depth,
                |operator| !is_sum(operator),
                |parser| parser.unary(depth),
            )
        })
    }

    /// A left-associative chain of these operators.
    fn chain(
        &mut self,
        depth: usize,
        takes: impl Fn(Arithmetic) -> bool,
        operand: impl Fn(&mut Self) -> Option<Expression>,
    ) -> Option<Expression> {
        let mut left = operand(self)?;
        let mut length = depth;
        while let Some(&FastToken::Arithmetic(operator)) = self.tokens.first()
            && takes(operator)
        {
            self.tokens = &self.tokens[1..];
            length += 1;
            if length > MAX_DEPTH {
                return None;
            }
            left = Expression::Compute(operator, Box::new((left, operand(self)?)));
        }
        Some(left)
    }

    fn unary(&mut self, depth: usize) -> Option<Expression> {
        if depth > MAX_DEPTH {
            return None;
        }
        match self.next()? {
            FastToken::Not => Some(Expression::Not(Box::new(self.unary(depth + 1)?))),
            FastToken::Arithmetic(Arithmetic::Minus) => match self.unary(depth + 1)? {
                Expression::Literal(Literal::Number(number)) => {
                    Some(Expression::Literal(Literal::Number(-number)))
                }
                Expression::Literal(Literal::BigInt(whole)) => {
                    Some(Expression::Literal(Literal::BigInt(-whole)))
                }
                operand => Some(Expression::Negative(Box::new(operand))),
            },
            FastToken::Open => {
                let inner = self.expression(depth + 1)?;
                self.take(&FastToken::Close).then_some(inner)
            }
            FastToken::Number(number) => Some(Expression::Literal(Literal::Number(*number))),
            FastToken::BigInt(whole) => Some(Expression::Literal(Literal::BigInt(*whole))),
            FastToken::Text(text) => Some(Expression::Literal(Literal::Text(text.clone()))),
            FastToken::Word(word) => self.literal_or_path(word),
            _ => None,
        }
        .filter(|_| !self.continues())
    }

    fn literal_or_path(&mut self, word: &str) -> Option<Expression> {
        Some(Expression::Literal(match word {
            "true" => Literal::Bool(true),
            "false" => Literal::Bool(false),
            "null" => Literal::Null,
            "undefined" => Literal::Undefined,
            "NaN" => Literal::Number(f64::NAN),
            "Infinity" => Literal::Number(f64::INFINITY),
            _ if is_reserved(word) || is_built_in(word) => return None,
            _ => return self.path(word).map(Expression::Path),
        }))
    }

    fn path(&mut self, word: &str) -> Option<Path> {
        let root = match &self.names {
            Names::Variables { input_is_all_data } if *input_is_all_data && word == INPUT => {
                Root::AllData
            }
            Names::Variables { .. } => Root::Variable(word.to_owned()),
            Names::Declared(_) if word == INPUT => Root::AllData,
            Names::Declared(names) => {
                let declared = names.iter().find(|declared| declared.name == word)?;
                Root::Local(declared.place)
            }
        };
        let mut members = Vec::new();
        loop {
            if self.take(&FastToken::Dot) {
                let FastToken::Word(name) = self.next()? else {
                    return None;
                };
                members.push(Member::new(name.clone())?);
            } else if self.take(&FastToken::OpenIndex) {
                members.push(match self.next()? {
                    FastToken::Text(name) => Member::new(name.clone())?,
                    FastToken::Number(number)
                        if number.fract() == 0.0 && (0.0..4_294_967_295.0).contains(number) =>
                    {
                        Member::new(format!("{number:.0}"))?
                    }
                    _ => return None,
                });
                if !self.take(&FastToken::CloseIndex) {
                    return None;
                }
            } else {
                return Some(Path { root, members });
            }
        }
    }

    /// Whether a member access or call follows that the grammar does not allow there: `'x'.length`,
    /// `(a).b`, `a()`.
    fn continues(&self) -> bool {
        matches!(
            self.tokens.first(),
            Some(FastToken::Dot | FastToken::OpenIndex | FastToken::Open)
        )
    }

    pub fn next(&mut self) -> Option<&'t FastToken> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    pub fn take(&mut self, token: &FastToken) -> bool {
        let found = self.tokens.first() == Some(token);
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }
}

fn is_relation(comparison: Comparison) -> bool {
    matches!(
        comparison,
        Comparison::Less
            | Comparison::LessOrEqual
            | Comparison::Greater
            | Comparison::GreaterOrEqual
    )
}
