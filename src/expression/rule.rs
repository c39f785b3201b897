//! A business rule: JavaScript statements that read the frozen `input` and write their results to
//! `output`.
//!
//! In scope are `input` (all instance data), `output` (empty at first; `output.put("client.risk",
//! 3)` writes a path), `now` (the process time as ISO text) and `BpmnError` (`throw new
//! BpmnError("declined", "no credit")` throws a BPMN error), besides the built-ins available to a
//! condition. A rule declares its own names; reading or assigning an undeclared name is an error,
//! so that no result of a rule is lost silently.
//!
//! Not here: when a rule runs and where its output goes (`engine::actions`), limits and guards
//! (`sandbox`).

use serde_json::Value;

use super::{
    condition::place,
    effects::{self, Fault},
    exact_operators::Forms,
    fast::{self, FastRule},
    lexer::{self, Token},
    sandbox::{ScriptError, Transformed, check_syntax},
    worker::transform,
};
use crate::{
    limits::{ERROR_CODE_BYTES, Limit, RULE_BYTES},
    model::evaluator::{EvaluationError, RuleError},
};

/// The line of the wrapped source in which the script begins.
const FIRST_LINE: u32 = 2;

/// A compiled business rule.
#[derive(Debug)]
pub struct Rule {
    /// Function expressions.
    forms: Forms,
    script: String,
    /// The rule for the fast path, if that takes it.
    fast: Option<FastRule>,
}

impl Rule {
    /// Compiles a script as the modeller wrote it.
    ///
    /// # Errors
    /// The mistake in the script and its place, as a sentence.
    pub fn compile(script: &str) -> Result<Self, String> {
        if script.len() > RULE_BYTES {
            let length = script.len();
            return Err(format!(
                "expected a script of at most {RULE_BYTES} bytes, but it has {length}; split it \
                into several actions"
            ));
        }
        let wrap = |script: &str| format!("(function(){{'use strict';\n{script}\n}})");
        // Also compiled as a method of an object and of a class: a body that is valid in all three
        // places cannot have closed the brace around it, as no text continues validly in all three.
        let in_object = format!("(function(){{'use strict';return {{rule(){{\n{script}\n}}}}}})");
        let in_class =
            format!("(function(){{'use strict';return class{{rule(){{\n{script}\n}}}}}})");
        check_syntax(&[in_object, in_class, wrap(script)]).map_err(|error| {
            let error = error.in_text(script, FIRST_LINE);
            format!(
                "expected JavaScript statements, but {}{}; correct it there",
                error.place(),
                error.message
            )
        })?;
        // A script that the lexer cannot split is valid nevertheless: the engine has parsed it.
        let tokens = lexer::tokens(script).ok();
        let tokens = tokens.as_deref();
        check_numbers(script, tokens).map_err(|Fault { at, found }| {
            let (line, column) = place(script, at);
            format!(
                "expected numbers that JavaScript holds exactly, but at line {line}, column \
                {column}: {found}"
            )
        })?;
        Ok(Self {
            fast: tokens.and_then(|tokens| FastRule::parse(script, tokens)),
            forms: Forms::of(script, tokens, wrap),
            script: script.to_owned(),
        })
    }

    /// Whether it may take long: the fast path does not take it. The sandbox may run a rule of the
    /// fast path, too, but that ends soon.
    pub fn may_take_long(&self) -> bool {
        self.fast.is_none()
    }

    /// Runs the rule over the instance data and gives its output.
    ///
    /// # Errors
    /// A BPMN error; or any other exception of the script, a reached limit, or an output that is
    /// not JSON, with the line in the script.
    pub fn run(&self, data: &Value, now: &str) -> Result<Value, RuleError> {
        // What may take long has the limits of the sandbox.
        let fast = (self.fast.as_ref()).filter(|_| !fast::is_long(self.script.len(), 0, data));
        let fast = fast.and_then(|fast| fast.run(data, now));
        Self::given(fast.map_or_else(|| self.transform(data, now), Ok))
    }

    fn transform(&self, data: &Value, now: &str) -> Result<Transformed, ScriptError> {
        self.forms.over(data).and_then(|form| {
            transform(&form.source, data, now)
                .map_err(|error| form.in_script(error, &self.script, FIRST_LINE))
        })
    }

    fn given(put_out: Result<Transformed, ScriptError>) -> Result<Value, RuleError> {
        match put_out {
            Ok(Transformed::Output(output)) => Ok(output),
            Ok(Transformed::Thrown(error)) => Err(RuleError::Thrown(error)),
            Ok(Transformed::CodeTooLong(bytes)) => {
                Limit::ErrorCodes.refused();
                Err(failed(format!(
                    ": expected a BpmnError with a code of at most {ERROR_CODE_BYTES} bytes, but it \
                    has {bytes}"
                )))
            }
            Err(ScriptError {
                message, position, ..
            }) => {
                let place = position.map_or_else(String::new, |(line, column)| {
                    format!(" at line {line}, column {column}")
                });
                Err(failed(format!("{place}: {message}")))
            }
        }
    }
}

fn failed(how: String) -> RuleError {
    let sentence = format!("expected the rule to give an output, but it failed{how}");
    RuleError::Failed(EvaluationError(sentence))
}

/// The first number that JavaScript would round. Where a `/` may begin a division or a regular
/// expression, only numbers that are numbers in both readings count.
fn check_numbers(script: &str, as_divisions: Option<&[Token<'_>]>) -> Result<(), Fault> {
    let as_regexes = lexer::statement_tokens(script).ok();
    let fault =
        |tokens: Option<&[Token<'_>]>| tokens.map(|tokens| effects::check_numbers(tokens).err());
    match (fault(as_divisions), fault(as_regexes.as_deref())) {
        (Some(None), _) | (_, Some(None)) | (None, None) => Ok(()),
        (Some(Some(one)), Some(Some(other))) => Err(if one.at > other.at { one } else { other }),
        (Some(Some(fault)), None) | (None, Some(Some(fault))) => Err(fault),
    }
}

#[cfg(test)]
impl Rule {
    /// What the fast path gives; `None` when it leaves the rule or these data to the sandbox.
    pub fn fast_result(&self, data: &Value, now: &str) -> Option<Result<Value, RuleError>> {
        let fast = self.fast.as_ref()?.run(data, now)?;
        Some(Self::given(Ok(fast)))
    }

    /// What the sandbox gives.
    pub fn sandbox_result(&self, data: &Value, now: &str) -> Result<Value, RuleError> {
        Self::given(self.transform(data, now))
    }
}

#[cfg(test)]
mod tests;
