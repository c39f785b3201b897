//! One compiled condition: evaluated on the fast path if its grammar allows, otherwise as a script.
//!
//! A condition is one expression without side effects: at deploy, `effects` reports those that have
//! side effects, and `other_languages` those written in another language.

use super::effects::{self, Fault};
use super::fast::{self, Language};
use super::lexer::{self, Kind};
use super::other_languages;
use super::sandbox::{ScriptError, ScriptOutcome};
use super::script::Script;
use crate::model::variables::Variables;
use crate::model::{evaluator::EvaluationError, plain_expression};

/// Longer conditions are rejected, in bytes.
const MAX_LENGTH: usize = 16 << 10;
/// Longer conditions have the limits of the sandbox, in bytes.
const MAX_FAST: usize = 1_000;
/// For longer conditions no corrected version is suggested, in bytes.
const MAX_ADVICE: usize = 200;

/// A compiled condition.
#[derive(Debug)]
pub enum Condition {
    /// Evaluated without a script engine.
    Fast(fast::Expression),
    /// Likewise, but where it computes with unusual values the script decides.
    Computed(fast::Expression, Script),
    /// Runs in the sandbox.
    Script(Script),
}

/// Why the text of a condition is rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConditionRefusal {
    /// Written in a language that is not supported.
    Unsupported(String),
    /// Not an expression.
    Invalid(String),
}

impl Condition {
    /// Compiles a condition as the modeller wrote it: `${amount > 100}` or bare.
    ///
    /// # Errors
    /// The mistake and its place, as a sentence.
    pub fn compile(text: &str) -> Result<Self, ConditionRefusal> {
        if text.len() > MAX_LENGTH {
            return Err(ConditionRefusal::Invalid(format!(
                "expected a condition of at most {MAX_LENGTH} bytes, but it has {}; compute the \
                value in an earlier action",
                text.len()
            )));
        }
        if let Some(feel) = text
            .trim_start()
            .strip_prefix('=')
            .filter(|rest| !rest.starts_with('='))
        {
            if let Some(plain) = plain(feel, Language::Feel) {
                return Ok(plain);
            }
            return Err(ConditionRefusal::Unsupported(format!(
                "expected a condition in JavaScript, but `=` at its beginning makes it FEEL, \
                which comes with DMN and is not supported yet; write {}",
                feel_advice(feel).unwrap_or_else(|| {
                    "it in JavaScript, such as ${amount > 100 && approved == true}".to_owned()
                })
            )));
        }
        if let Some(inner) = text
            .trim()
            .strip_prefix("#{")
            .and_then(|rest| rest.strip_suffix('}'))
        {
            if let Some(plain) = plain(inner, Language::Juel) {
                return Ok(plain);
            }
            return Err(ConditionRefusal::Unsupported(format!(
                "expected a condition such as ${{amount > 100}}, but #{{…}} is not supported; \
                write {}",
                advice(inner).unwrap_or_else(|| "${…} with JavaScript in it".to_owned())
            )));
        }
        let expression = unwrap(text);
        if expression.trim().is_empty() {
            return Err(ConditionRefusal::Invalid(
                "expected a condition such as `${amount > 100}`, but it is empty".to_owned(),
            ));
        }
        compile_expression(&expression).or_else(|refusal| {
            plain(&expression, Language::Juel).ok_or_else(|| refusal.sentence(&expression))
        })
    }

    /// Whether the condition holds over these variables.
    ///
    /// # Errors
    /// The condition fails, reaches a limit of the sandbox, or gives something other than a
    /// boolean.
    pub fn evaluate<'a>(
        &self,
        variables: impl Into<Variables<'a>>,
    ) -> Result<bool, EvaluationError> {
        self.decide(variables.into())
            .map_err(|failure| EvaluationError(failure.into_sentence()))
    }

    /// Whether the condition holds by now; data that do not exist yet make it false.
    ///
    /// # Errors
    /// As [`Self::evaluate`], for any other reason.
    pub fn holds_by_now<'a>(
        &self,
        variables: impl Into<Variables<'a>>,
    ) -> Result<bool, EvaluationError> {
        match self.decide(variables.into()) {
            Ok(holds) => Ok(holds),
            Err(Failure::Missing(_)) => Ok(false),
            Err(Failure::Other(sentence)) => Err(EvaluationError(sentence)),
        }
    }

    fn decide(&self, variables: Variables<'_>) -> Result<bool, Failure> {
        let other = match self {
            Self::Fast(tree) | Self::Computed(tree, _)
                if variables.is_layered() && tree.reads_input() =>
            {
                return self.decide(Variables::from(&*variables.merged()));
            }
            Self::Fast(tree) => match fast::evaluate(tree, &variables, &[])? {
                fast::Operand::Bool(value) => return Ok(value),
                other => other.describe(),
            },
            Self::Computed(tree, script) => match fast::evaluate(tree, &variables, &[]) {
                Ok(fast::Operand::Bool(value)) => return Ok(value),
                Ok(other) => other.describe(),
                Err(_) => return in_sandbox(script, &variables),
            },
            Self::Script(script) => return in_sandbox(script, &variables),
        };
        Err(Failure::no_answer(&other))
    }
}

fn in_sandbox(script: &Script, variables: &Variables<'_>) -> Result<bool, Failure> {
    match script.run(variables)? {
        ScriptOutcome::Bool(value) => Ok(value),
        ScriptOutcome::Other(other) => Err(Failure::no_answer(&other)),
    }
}

/// The name of a value that does not exist.
const MISSING: [&str; 2] = ["undefined", "null"];

/// Why a condition is neither true nor false, as a sentence.
enum Failure {
    /// Something it reads is not there.
    Missing(String),
    Other(String),
}

impl Failure {
    /// It gave something other than an answer.
    fn no_answer(given: &str) -> Self {
        let sentence = format!("expected true or false, but the condition gave {given}");
        match MISSING.contains(&given) {
            true => Self::Missing(sentence),
            false => Self::Other(sentence),
        }
    }

    fn into_sentence(self) -> String {
        match self {
            Self::Missing(sentence) | Self::Other(sentence) => sentence,
        }
    }
}

impl From<fast::FastError> for Failure {
    fn from(error: fast::FastError) -> Self {
        match error {
            fast::FastError::Missing(sentence) => Self::Missing(sentence),
            fast::FastError::Incomparable(sentence) => Self::Other(sentence),
            // Only where the script decides, which then fails itself.
            fast::FastError::Unknown => Self::Other("expected values to compute with".to_owned()),
        }
    }
}

impl From<ScriptError> for Failure {
    fn from(error: ScriptError) -> Self {
        let sentence = failure(&error);
        // The engine's words for a member of what is not there: "cannot read property 'a' of …".
        let of = error.message.strip_prefix("cannot read property ");
        let of = of.and_then(|rest| rest.rsplit_once(" of "));
        match of.is_some_and(|(_, value)| MISSING.contains(&value)) {
            true => Self::Missing(sentence),
            false => Self::Other(sentence),
        }
    }
}

/// If the text is a plain expression of another engine: its condition, with the comparisons of its
/// language.
fn plain(text: &str, language: Language) -> Option<Condition> {
    // A statement is no expression.
    if text.split_whitespace().next() == Some("return") {
        return None;
    }
    let javascript = plain_expression::in_javascript(text, language == Language::Feel)?;
    match fast::parse_plain(&lexer::tokens(&javascript).ok()?, language) {
        Some(tree) => Some(Condition::Fast(tree)),
        // Very long chains: JUEL converts nearly as JavaScript does, FEEL does not.
        None if language == Language::Juel => compile_expression(&javascript).ok(),
        None => None,
    }
}

/// The expression within `${ }`. The removed characters become blanks, so that positions remain
/// those of the original text.
fn unwrap(text: &str) -> String {
    let inner = text
        .trim()
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'));
    let Some(inner) = inner else {
        return text.to_owned();
    };
    let before = text.len() - text.trim_start().len();
    format!("{}  {inner}", &text[..before])
}

/// Why an expression is rejected.
enum ConditionFault {
    /// Found by our own checks.
    Fault { fault: Fault, is_foreign: bool },
    /// Reported by the script engine.
    Engine(ScriptError),
}

impl ConditionFault {
    fn sentence(&self, expression: &str) -> ConditionRefusal {
        match self {
            Self::Fault { fault, is_foreign } => {
                let (line, column) = place(expression, fault.at);
                let advice = advice(expression)
                    .map(|advice| format!(": {advice}"))
                    .unwrap_or_default();
                let found = &fault.found;
                let sentence = format!(
                    "expected a JavaScript expression, but at line {line}, column {column}: \
                    {found}{advice}"
                );
                if *is_foreign {
                    ConditionRefusal::Unsupported(sentence)
                } else {
                    ConditionRefusal::Invalid(sentence)
                }
            }
            Self::Engine(error) => {
                let (place, message) = (error.place(), &error.message);
                ConditionRefusal::Invalid(format!(
                    "expected a JavaScript expression, but {place}{message}; correct it there"
                ))
            }
        }
    }
}

fn compile_expression(expression: &str) -> Result<Condition, ConditionFault> {
    let own = |fault| ConditionFault::Fault {
        fault,
        is_foreign: false,
    };
    let tokens = lexer::tokens(expression).map_err(|error| {
        own(Fault {
            at: error.at,
            found: format!("{}; correct it there", error.found),
        })
    })?;
    // The fast path would compare such a text literally; it is reported below.
    let holds_placeholder = tokens
        .iter()
        .any(|token| token.kind == Kind::Text && token.text.contains("${"));
    let is_short = expression.len() <= MAX_FAST;
    let mut tree = fast::parse(&tokens).filter(|_| !holds_placeholder && is_short);
    if let Some(tree) = tree.take_if(|tree| !tree.computes()) {
        return Ok(Condition::Fast(tree));
    }
    if let Some(fault) = other_languages::find(&tokens) {
        return Err(ConditionFault::Fault {
            fault,
            is_foreign: true,
        });
    }
    effects::check(&tokens).map_err(own)?;
    let script = Script::compile(expression).map_err(ConditionFault::Engine)?;
    Ok(match tree {
        Some(tree) => Condition::Computed(tree, script),
        None => Condition::Script(script),
    })
}

/// The expression rewritten as JavaScript, if it is short and compiles.
fn advice(expression: &str) -> Option<String> {
    let expression = expression.trim();
    if expression.len() > MAX_ADVICE {
        return None;
    }
    let rewritten = other_languages::in_javascript(expression, &lexer::tokens(expression).ok()?);
    compile_expression(&rewritten)
        .ok()
        .map(|_| format!("${{{rewritten}}}"))
}

/// The same for FEEL, which has lists, members and tests that look like JavaScript and mean something
/// else.
fn feel_advice(expression: &str) -> Option<String> {
    let has_own = expression.contains(['[', '{', '`'])
        || expression.split_whitespace().any(|word| word == "in");
    advice(expression).filter(|_| !has_own)
}

/// Line and column of a byte offset, from 1.
pub fn place(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

fn failure(error: &ScriptError) -> String {
    format!(
        "expected true or false, but the condition failed: {}",
        error.message
    )
}
