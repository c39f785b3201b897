//! A fast rule: statements that write expressions of the fast grammar to `output`.
//!
//! It takes a rule completely or not at all: [`FastRule::parse`] gives `None` for a rule with
//! anything else, such as a call or a loop. Where the value of one that it takes is unusual, or is
//! an error, [`FastRule::run`] gives `None`, and the sandbox decides: so results and errors are
//! those of the sandbox. That may happen on any thread, as such a rule ends soon by itself.
//!
//! Not here: expressions (`parser`, `evaluate`), and how their values are written (`written`).

use serde_json::Value;

use super::{
    super::{
        lexer::Token,
        names::{INPUT, is_built_in, is_inherited_name, is_reserved},
        sandbox::Transformed,
    },
    evaluate::evaluate,
    expression::{Expression, Literal},
    lexer::{FastToken, tokens},
    operand::Operand,
    parser::{Declared, MAX_DEPTH, Names, Parser},
    written::Written,
};
use crate::{
    limits::ERROR_CODE_BYTES,
    model::{evaluator::BpmnError, variables::Variables},
};

/// Names of a rule's scope. One that is declared again is left to the sandbox.
const OUTPUT: &str = "output";
const PUT: &str = "put";
const NOW: &str = "now";
const BPMN_ERROR: &str = "BpmnError";
/// Longer messages of errors are left to the sandbox, which cuts them, in bytes.
const MESSAGE_BYTES: usize = 256;

/// A rule in the fast grammar.
#[derive(Debug)]
pub struct FastRule {
    statements: Vec<Statement>,
    /// How many names it declares, `now` included.
    places: usize,
}

#[derive(Debug)]
enum Statement {
    /// `output.put("a.b", value)`, `output.a = value`: the members on the way.
    Write(Vec<String>, Expression),
    /// A local name gets a value, at its place.
    Assign(usize, Expression),
    If(Expression, Box<(Statement, Statement)>),
    Block(Vec<Statement>),
    /// `return`
    Return,
    /// `throw new BpmnError(code, message)`
    Throw(BpmnError),
}

/// How a statement ends.
enum Ending {
    Next,
    Returned,
    Thrown(BpmnError),
}

impl FastRule {
    /// The rule with these tokens, which must be JavaScript statements; `None` when it is not
    /// completely in the fast grammar.
    pub fn parse(script: &str, source: &[Token<'_>]) -> Option<Self> {
        let tokens = tokens(source)?;
        let now = Declared {
            name: NOW.to_owned(),
            place: 0,
            is_constant: true,
        };
        let mut parser = StatementParser {
            parser: Parser::of(&tokens, Names::Declared(vec![now])),
            begins_line: lines(script, source),
            places: 1,
        };
        let statements = parser.statements(0)?;
        let is_all = parser.parser.tokens.is_empty();
        is_all.then_some(Self {
            statements,
            places: parser.places,
        })
    }

    /// What the rule gives; `None` when only the sandbox knows.
    pub fn run(&self, data: &Value, now: &str) -> Option<Transformed> {
        let mut locals = vec![Operand::Undefined; self.places];
        locals[0] = Operand::Text(now.into());
        let variables = Variables::from(data);
        let mut running = Running {
            variables: &variables,
            locals,
            output: Written::default(),
        };
        match running.all(&self.statements)? {
            Ending::Thrown(error) => Some(Transformed::Thrown(error)),
            Ending::Next | Ending::Returned => running.output.to_json().map(Transformed::Output),
        }
    }
}

/// A rule that runs.
struct Running<'v, 'a> {
    variables: &'v Variables<'a>,
    locals: Vec<Operand<'a>>,
    output: Written<'a>,
}

impl<'a> Running<'_, 'a> {
    fn all(&mut self, statements: &'a [Statement]) -> Option<Ending> {
        for statement in statements {
            match self.one(statement)? {
                Ending::Next => {}
                ending => return Some(ending),
            }
        }
        Some(Ending::Next)
    }

    fn one(&mut self, statement: &'a Statement) -> Option<Ending> {
        match statement {
            Statement::Write(way, expression) => {
                let value = self.value(expression)?;
                self.output.put(way, value)?;
            }
            Statement::Assign(place, expression) => {
                let value = self.value(expression)?;
                *self.locals.get_mut(*place)? = value;
            }
            Statement::If(condition, branches) => {
                return match self.value(condition)?.is_truthy() {
                    true => self.one(&branches.0),
                    false => self.one(&branches.1),
                };
            }
            Statement::Block(statements) => return self.all(statements),
            Statement::Return => return Some(Ending::Returned),
            Statement::Throw(error) => return Some(Ending::Thrown(error.clone())),
        }
        Some(Ending::Next)
    }

    /// What fails here fails in the sandbox, too, with the place in the script.
    fn value(&self, expression: &'a Expression) -> Option<Operand<'a>> {
        evaluate(expression, self.variables, &self.locals).ok()
    }
}

/// For each token, whether a line break precedes it.
fn lines(script: &str, tokens: &[Token<'_>]) -> Vec<bool> {
    let mut end = 0;
    let begins_line = |token: &Token<'_>| {
        let between = &script[end..token.at];
        end = token.at + token.text.len();
        between.contains(['\n', '\r', '\u{2028}', '\u{2029}'])
    };
    tokens.iter().map(begins_line).collect()
}

struct StatementParser<'t> {
    parser: Parser<'t>,
    begins_line: Vec<bool>,
    /// How many names are declared, in all blocks.
    places: usize,
}

impl<'t> StatementParser<'t> {
    /// Statements up to the end of their block.
    fn statements(&mut self, depth: usize) -> Option<Vec<Statement>> {
        let outer = self.declared().len();
        let mut found = Vec::new();
        while !matches!(self.peek(), None | Some(FastToken::CloseBlock)) {
            found.push(self.statement(depth)?);
        }
        self.declared().truncate(outer);
        Some(found)
    }

    fn statement(&mut self, depth: usize) -> Option<Statement> {
        if depth > MAX_DEPTH {
            return None;
        }
        let word = match self.parser.next()? {
            FastToken::Semicolon => return Some(Statement::Block(Vec::new())),
            FastToken::OpenBlock => {
                let statements = self.statements(depth + 1)?;
                self.expect(&FastToken::CloseBlock)?;
                return Some(Statement::Block(statements));
            }
            FastToken::Word(word) => word.as_str(),
            _ => return None,
        };
        match word {
            "if" => self.choice(depth),
            "const" | "let" => self.declarations(word == "const"),
            "return" => {
                let ends_here = self.begins_line();
                (ends_here || self.ends()).then_some(Statement::Return)
            }
            "throw" => self.throw(),
            OUTPUT => self.write(),
            name => {
                let of_this_name = |declared: &&mut Declared| declared.name == name;
                let declared = self.declared().iter_mut().find(of_this_name)?;
                let place = (!declared.is_constant).then_some(declared.place)?;
                self.expect(&FastToken::Assign)?;
                let value = self.parser.expression(0)?;
                self.ends().then_some(Statement::Assign(place, value))
            }
        }
    }

    fn choice(&mut self, depth: usize) -> Option<Statement> {
        self.expect(&FastToken::Open)?;
        let condition = self.parser.expression(0)?;
        self.expect(&FastToken::Close)?;
        let first = self.statement(depth + 1)?;
        let second = match self.parser.take(&FastToken::Word("else".to_owned())) {
            true => self.statement(depth + 1)?,
            false => Statement::Block(Vec::new()),
        };
        Some(Statement::If(condition, Box::new((first, second))))
    }

    /// What follows `const` or `let`. A name can be read from the end of its declaration on.
    fn declarations(&mut self, is_constant: bool) -> Option<Statement> {
        let mut found = Vec::new();
        loop {
            let name = self.word()?;
            let is_own = [INPUT, OUTPUT, BPMN_ERROR].contains(&name);
            let is_known = self.declared().iter().any(|known| known.name == name);
            if is_own || is_known || is_reserved(name) || is_built_in(name) {
                return None;
            }
            let value = match self.parser.take(&FastToken::Assign) {
                true => self.parser.expression(0)?,
                false => Expression::Literal(Literal::Undefined),
            };
            let place = self.places;
            self.places += 1;
            self.declared().push(Declared {
                name: name.to_owned(),
                place,
                is_constant,
            });
            found.push(Statement::Assign(place, value));
            if !self.parser.take(&FastToken::Comma) {
                return self.ends().then_some(Statement::Block(found));
            }
        }
    }

    /// What follows `throw`.
    fn throw(&mut self) -> Option<Statement> {
        let is_error = self.word()? == "new" && self.word()? == BPMN_ERROR;
        self.expect(&FastToken::Open).filter(|()| is_error)?;
        let code = self.text()?.to_owned();
        let message = match self.parser.take(&FastToken::Comma) {
            true => self.text()?.to_owned(),
            false => String::new(),
        };
        self.expect(&FastToken::Close)?;
        let is_usual =
            (1..=ERROR_CODE_BYTES).contains(&code.len()) && message.len() <= MESSAGE_BYTES;
        let error = BpmnError { code, message };
        (self.ends() && is_usual).then_some(Statement::Throw(error))
    }

    /// What follows `output`.
    fn write(&mut self) -> Option<Statement> {
        let name = match self.parser.next()? {
            FastToken::Dot => self.word()?,
            FastToken::OpenIndex => {
                let name = self.text()?;
                self.expect(&FastToken::CloseIndex)?;
                name
            }
            _ => return None,
        };
        if name == PUT && self.parser.take(&FastToken::Open) {
            let way: Vec<_> = self.text()?.split('.').map(str::to_owned).collect();
            self.expect(&FastToken::Comma)?;
            let value = self.parser.expression(0)?;
            self.expect(&FastToken::Close)?;
            let is_usual = |name: &String| is_usual(name) && !name.contains(['[', ']']);
            // A member `put` would hide the method from what follows.
            let may_be_put = way.iter().all(is_usual) && way[0] != PUT;
            return (self.ends() && may_be_put).then_some(Statement::Write(way, value));
        }
        self.expect(&FastToken::Assign)?;
        let value = self.parser.expression(0)?;
        let is_usual = is_usual(name) && name != PUT;
        (self.ends() && is_usual).then(|| Statement::Write(vec![name.to_owned()], value))
    }

    /// Whether the statement may end here.
    fn ends(&mut self) -> bool {
        self.parser.take(&FastToken::Semicolon)
            || match self.peek() {
                None | Some(FastToken::CloseBlock) => true,
                // Without a line break in between, the next statement would be a mistake.
                Some(FastToken::Word(_)) => self.begins_line(),
                Some(_) => false,
            }
    }

    /// Whether the next token is the first in its line.
    fn begins_line(&self) -> bool {
        let at = self.begins_line.len() - self.parser.tokens.len();
        self.begins_line.get(at) == Some(&true)
    }

    fn declared(&mut self) -> &mut Vec<Declared> {
        match &mut self.parser.names {
            Names::Declared(names) => names,
            Names::Variables { .. } => unreachable!("a rule declares its names"),
        }
    }

    fn peek(&self) -> Option<&'t FastToken> {
        self.parser.tokens.first()
    }

    fn expect(&mut self, token: &FastToken) -> Option<()> {
        self.parser.take(token).then_some(())
    }

    fn word(&mut self) -> Option<&'t str> {
        match self.parser.next()? {
            FastToken::Word(word) => Some(word),
            _ => None,
        }
    }

    fn text(&mut self) -> Option<&'t str> {
        match self.parser.next()? {
            FastToken::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Whether a member of `output` with this name is one like any other.
fn is_usual(name: &str) -> bool {
    !name.is_empty() && !is_inherited_name(name)
}
