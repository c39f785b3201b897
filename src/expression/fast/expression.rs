//! The tree of a fast expression.

use super::super::names::is_inherited_name;

/// An expression, or a part of one, in the fast grammar.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// A literal.
    Literal(Literal),
    /// A value of the instance data.
    Path(Path),
    /// `!operand`
    Not(Box<Expression>),
    /// `a && b && …`: the first falsy operand, else the last one.
    All(Vec<Expression>),
    /// `a || b || …`: the first truthy operand, else the last one.
    Any(Vec<Expression>),
    /// `left operator right`
    Compare(Comparison, Box<(Expression, Expression)>),
    /// The same as another language compares.
    CompareIn(Language, Comparison, Box<(Expression, Expression)>),
    /// `left operator right`
    Compute(Arithmetic, Box<(Expression, Expression)>),
    /// `-operand`
    Negative(Box<Expression>),
    /// `condition ? first : second`
    Choose(Box<(Expression, Expression, Expression)>),
}

impl Expression {
    /// Whether it reads all variables as one object (`input`).
    pub fn reads_input(&self) -> bool {
        match self {
            Self::Literal(_) => false,
            Self::Path(path) => path.root == Root::AllData,
            Self::Not(operand) => operand.reads_input(),
            Self::All(operands) | Self::Any(operands) => operands.iter().any(Self::reads_input),
            Self::Compare(_, operands)
            | Self::CompareIn(_, _, operands)
            | Self::Compute(_, operands) => operands.0.reads_input() || operands.1.reads_input(),
            Self::Negative(operand) => operand.reads_input(),
            Self::Choose(parts) => {
                parts.0.reads_input() || parts.1.reads_input() || parts.2.reads_input()
            }
        }
    }

    /// Whether it computes, so that its value may be left to the sandbox.
    pub fn computes(&self) -> bool {
        match self {
            Self::Literal(_) | Self::Path(_) => false,
            Self::Not(operand) => operand.computes(),
            Self::All(operands) | Self::Any(operands) => operands.iter().any(Self::computes),
            Self::Compare(_, operands) | Self::CompareIn(_, _, operands) => {
                operands.0.computes() || operands.1.computes()
            }
            Self::Compute(..) | Self::Negative(_) => true,
            Self::Choose(parts) => parts.0.computes() || parts.1.computes() || parts.2.computes(),
        }
    }
}

/// A literal operand.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `undefined`
    Undefined,
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// `18`, `-1.5e3`, `NaN`, `Infinity`
    Number(f64),
    /// `7615917337495251231n`
    BigInt(i128),
    /// `'gold'`, `"gold"`
    Text(String),
}

/// A language whose comparisons differ from JavaScript's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// The language of DMN.
    Feel,
    /// The unified expression language of Java.
    Juel,
}

/// A comparison operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `===`
    StrictlyEqual,
    /// `!==`
    StrictlyNotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// An arithmetic operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`, which also joins texts.
    Plus,
    /// `-`
    Minus,
    /// `*`
    Times,
    /// `/`
    Over,
    /// `%`
    Modulo,
}

/// A path into the instance data: `client.age`, `orders[0].total`, `input.client.age`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The root of the path.
    pub root: Root,
    /// The members below, outermost first.
    pub members: Vec<Member>,
}

/// The root of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    /// A top-level member of the data.
    Variable(String),
    /// All data: `input`.
    AllData,
    /// A name that a rule declares, or `now`: its place among them.
    Local(usize),
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The property name; for an index its decimal text.
    pub name: String,
    /// Its index in arrays and strings.
    pub index: Option<usize>,
}

impl Member {
    /// A step to the property `name`; `None` when some value could inherit a property with that
    /// name, because the result would then not depend on the data alone.
    pub fn new(name: String) -> Option<Self> {
        if is_inherited_name(&name) {
            return None;
        }
        let canonical = name == "0"
            || (!name.starts_with('0') && name.bytes().all(|byte| byte.is_ascii_digit()));
        let index = if canonical {
            name.parse::<u32>().ok().map(|index| index as usize)
        } else {
            None
        };
        Some(Self { name, index })
    }
}
