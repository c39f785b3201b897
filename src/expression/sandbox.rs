//! Runs the JavaScript of a condition or a business rule in an isolated engine: bounded in time,
//! memory and stack, without clock, randomness, `eval`, modules or any access to the outside.
//!
//! Every evaluation gets a new engine, so nothing can leak from one evaluation or instance into the
//! next (`engine` prepares one before it is needed). Needs rquickjs with `disable-assertions` (the
//! engine must not abort the process when it finds a leak of its own) and *without* `rust-alloc`
//! and `allocator` (with them the memory limit has no effect). `guards.js` removes or bounds what
//! the limits here do not cover.
//!
//! # Rationale
//!
//! **Every evaluation gets a fresh script engine.** Nothing can leak between evaluations;
//! definitions without scripts never need one, and most rules and conditions do not, as the fast
//! path takes comparisons, boolean operators, arithmetic and writing to `output`. Creating one takes 0.15 ms, longer than most scripts, so a script process
//! creates the next one after it has answered. (Compiling our own code in each took 0.53 ms.)

use std::fmt;

use rquickjs::context::EvalOptions;
use rquickjs::convert::List;
use rquickjs::function::Rest;
use rquickjs::{CaughtError, Ctx, Exception, Function, Object, Type, Value};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{engine::run, fast, input, lexer::is_space, numerals, output};
use crate::{
    limits::{self, ERROR_CODE_BYTES, SCRIPT_JSON_BYTES},
    model::evaluator::BpmnError,
    text::json,
};

/// The file name in the engine's stack traces.
const SOURCE_NAME: &str = "script";
/// The part that the engine's messages about a `BigInt` leave out.
const BIG_INT_HINT: &str = "a whole number of the data beyond 2^53 is a BigInt: compute with 1n \
    in place of 1, or round it on purpose with Number(x)";
/// Longer error messages are cut off, in bytes.
const MESSAGE_BYTES: usize = 1_000;

/// Why a script gave no value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptError {
    /// The error, in the words of the engine or of a limit.
    pub message: String,
    /// Line and column in the source, from 1, where the engine knows them.
    pub position: Option<(u32, u32)>,
    /// The limit that the script reached, if that is the reason.
    pub reached: Option<ScriptLimit>,
}

/// A limit of one evaluation of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScriptLimit {
    /// [`limits::SCRIPT_TIME`].
    Time,
    /// [`limits::SCRIPT_MEMORY`].
    Memory,
}

impl ScriptError {
    /// An error without a place.
    pub fn new(message: String) -> Self {
        Self {
            message,
            position: None,
            reached: None,
        }
    }

    /// Its place as part of a sentence: empty where the engine does not know it.
    pub fn place(&self) -> String {
        self.position.map_or_else(String::new, |(line, column)| {
            format!("at line {line}, column {column}: ")
        })
    }

    /// The same error with its place in `text`, which begins in line `first_line` of the source.
    pub fn in_text(mut self, text: &str, first_line: u32) -> Self {
        let lines = text.lines().count().max(1) as u32;
        // An error after the last line is one at the closing bracket: the text ends too early.
        let is_behind = self
            .position
            .is_some_and(|(line, _)| line + 1 > lines + first_line);
        self.position = self.position.and_then(|(line, column)| {
            let line = line.checked_sub(first_line - 1).filter(|line| *line > 0)?;
            let last = text
                .lines()
                .last()
                .map_or(0, |last| last.chars().count() as u32);
            Some(if line > lines {
                (lines, last + 1)
            } else {
                (line, column)
            })
        });
        // The engine names the bracket that was put around the text.
        let ends_early = is_behind && self.message.starts_with("unexpected token");
        if ends_early {
            "something is missing at its end".clone_into(&mut self.message);
        }
        self
    }
}

/// The result of a condition's script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScriptOutcome {
    /// A boolean.
    Bool(bool),
    /// Anything else, described for the modeller.
    Other(String),
}

/// The outcome of a rule's script.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Transformed {
    /// The content of `output`.
    Output(Json),
    /// A BPMN error that it threw.
    Thrown(BpmnError),
    /// It threw a BPMN error whose code is too long, with its length in bytes.
    CodeTooLong(usize),
}

/// Evaluates `source`, which must be a function expression, and calls it with `data` (frozen) as
/// first argument and the top-level members `names` of `data` (`undefined` when missing) as the
/// other arguments.
///
/// # Errors
/// An exception of the script, a syntax error, or a reached limit.
pub fn call(source: &str, names: &[String], data: &Json) -> Result<ScriptOutcome, ScriptError> {
    run(|ctx, own| {
        let function: Function<'_> = ctx.eval_with_options(source, options())?;
        let input = input::write(ctx, data, &own.guards)?;
        let members = names
            .iter()
            .map(|name| member(ctx, &input, name, data))
            .collect::<rquickjs::Result<_>>()?;
        function
            .call::<_, Value<'_>>((input, Rest(members)))
            .map(|value| outcome(&value))
    })
}

/// Calls `source`, which must be a function expression, with `input`, `output`, `now` and
/// `BpmnError` in scope; gives the content of `output`, or the `BpmnError` that it threw.
///
/// # Errors
/// An exception of the script, a syntax error, a reached limit, or an output that is not JSON.
pub fn transform(source: &str, input: &Json, now: &str) -> Result<Transformed, ScriptError> {
    let put_out = run(|ctx, own| {
        // Before the script can change the prototypes.
        let input = input::write(ctx, input, &own.guards)?;
        let plain = input.as_object().and_then(Object::get_prototype);
        let List((put_out, thrown)): List<(Value<'_>, Function<'_>)> =
            own.rule.call((ctx.globals(), input, now))?;
        let function: Function<'_> = ctx.eval_with_options(source, options())?;
        let returned = match function.call::<_, Value<'_>>(()) {
            Err(rquickjs::Error::Exception) => {
                let error = ctx.catch();
                return match thrown.call::<_, Option<List<(String, String)>>>((error.clone(),))? {
                    Some(List((code, message))) => Ok(Ok(bpmn_error(code, message))),
                    None => Err(ctx.throw(error)),
                };
            }
            returned => returned?,
        };
        if !returned.is_undefined() {
            let sentence = "expected members assigned to `output`, but the script returned a \
                value; assign it to a member of `output`";
            return Ok(Err(sentence.to_owned()));
        }
        output::read(&put_out, plain, &own.guards).map(|read| read.map(Transformed::Output))
    })?;
    put_out.map_err(ScriptError::new)
}

/// A thrown BPMN error is returned to be caught, if its code is valid.
fn bpmn_error(code: String, message: String) -> Transformed {
    if code.len() > ERROR_CODE_BYTES {
        return Transformed::CodeTooLong(code.len());
    }
    let message = cut(message);
    Transformed::Thrown(BpmnError { code, message })
}

/// Checks that all `sources` are function expressions, without calling them.
///
/// # Errors
/// The first syntax error.
pub fn check_syntax(sources: &[String]) -> Result<(), ScriptError> {
    run(|ctx, _| {
        sources.iter().try_for_each(|source| {
            ctx.eval_with_options::<Function<'_>, _>(source.as_str(), options())
                .map(drop)
        })
    })
}

/// Looks in the data first, so that nothing inherited is taken for a member.
fn member<'js>(
    ctx: &Ctx<'js>,
    input: &Value<'js>,
    name: &str,
    data: &Json,
) -> rquickjs::Result<Value<'js>> {
    match (input.as_object(), data.get(name)) {
        (Some(object), Some(_)) => object.get(name),
        _ => Ok(Value::new_undefined(ctx.clone())),
    }
}

/// Whether reading a text as a JavaScript number would lose digits.
pub(super) fn is_rounded(text: String) -> bool {
    let numeral = text.trim_matches(is_space).trim_start_matches(['+', '-']);
    let is_numeral = numeral.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    is_numeral && numerals::mistake(numeral).is_some()
}

/// Parses a JSON text in the way data are read: every digit is kept.
pub(super) fn parse<'js>(ctx: Ctx<'js>, json: String) -> rquickjs::Result<Value<'js>> {
    let refuse = |found: &dyn fmt::Display| {
        let sentence = format!("expected JSON to parse, but {found}");
        Exception::throw_syntax(&ctx, &sentence)
    };
    if json.len() > SCRIPT_JSON_BYTES {
        let found = format!("it has more than {SCRIPT_JSON_BYTES} bytes");
        return Err(refuse(&found));
    }
    let read: Json = json::from_text(&json).map_err(|error| refuse(&error))?;
    input::copy(&ctx, &read)
}

fn options() -> EvalOptions {
    let mut options = EvalOptions::default();
    options.filename = Some(SOURCE_NAME.to_owned());
    options
}

fn outcome(value: &Value<'_>) -> ScriptOutcome {
    if let Some(value) = value.as_bool() {
        return ScriptOutcome::Bool(value);
    }
    ScriptOutcome::Other(match value.type_of() {
        Type::Int | Type::Float => {
            fast::Operand::Number(value.as_number().unwrap_or(f64::NAN)).describe()
        }
        Type::Undefined | Type::Null => value.type_name().to_owned(),
        Type::String => "a text".to_owned(),
        Type::Array => "an array".to_owned(),
        Type::Function | Type::Constructor => "a function".to_owned(),
        Type::Object => "an object".to_owned(),
        Type::BigInt => "a BigInt".to_owned(),
        _ => format!("a value of type {}", value.type_name()),
    })
}

pub(super) fn script_error(error: &CaughtError<'_>) -> ScriptError {
    let (message, position) = match error {
        CaughtError::Exception(exception) => (
            exception.message(),
            exception.stack().as_deref().and_then(stack_position),
        ),
        // When out of memory, the engine often cannot even create an exception and throws `null`.
        CaughtError::Value(value) if value.is_null() => (Some("out of memory".to_owned()), None),
        CaughtError::Value(value) if value.is_string() => {
            let text = value.as_string().and_then(|text| text.to_string().ok());
            (
                Some(format!(
                    "it threw the text {:?}",
                    cut(text.unwrap_or_default())
                )),
                None,
            )
        }
        CaughtError::Value(_) => (Some("it threw something that is no error".to_owned()), None),
        CaughtError::Error(error) => (Some(error.to_string()), None),
    };
    let message = message.map(cut);
    let reached = match message.as_deref() {
        Some("interrupted") => Some(ScriptLimit::Time),
        Some("out of memory") => Some(ScriptLimit::Memory),
        _ => None,
    };
    let message = match (reached, message.as_deref()) {
        (Some(ScriptLimit::Time), _) => format!(
            "expected it to need at most {} ms of processor time, but it was still running",
            limits::SCRIPT_TIME.get().as_millis()
        ),
        (Some(ScriptLimit::Memory), _) => format!(
            "expected it to need at most {} of memory, but it needed more",
            limits::written_bytes(limits::SCRIPT_MEMORY.get() as u64)
        ),
        (None, Some(message)) if message.to_ascii_lowercase().contains("bigint") => {
            format!("{message} ({BIG_INT_HINT})")
        }
        (None, Some(message)) if !message.is_empty() => message.to_owned(),
        _ => "it threw an error without a message".to_owned(),
    };
    ScriptError {
        message,
        position,
        reached,
    }
}

fn cut(mut text: String) -> String {
    if text.len() > MESSAGE_BYTES {
        text.truncate(text.floor_char_boundary(MESSAGE_BYTES));
        text.push('…');
    }
    text
}

/// Line and column of the innermost frame in the source: `at <anonymous> (condition:2:14)`.
fn stack_position(stack: &str) -> Option<(u32, u32)> {
    let (_, place) = stack.split_once(&format!("{SOURCE_NAME}:"))?;
    let mut numbers = place.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}
