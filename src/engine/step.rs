//! One step: a command in, one row of records and its effects out.
//!
//! This module only dispatches commands, and works off the queue of elements that can continue. The
//! queue is bounded and not recursive, so that an endless loop in a model becomes an incident.
//! `context` has the state of a step, `transition` the moves of elements, `start` and `end` begin
//! and end an instance.

use super::{
    actions, assignment,
    command::{Command, RunAction},
    conditions,
    context::{Step, StepInput, StepOutcome},
    elements, http_call, move_token, open_messages, patch,
    record::Status,
    record::created::CommandTag,
    rejection::Rejection,
    state::InstanceState,
    subprocess, suspend, task_access, triggering,
};
use crate::model::{
    evaluator::Evaluator, executable::ExecutableProcess, ids::ElementKey, upload::UploadRules,
};

/// Applies a command to an instance.
///
/// # Errors
/// A [`Rejection`]; the state is then unchanged.
pub fn step(
    process: &ExecutableProcess,
    evaluator: &dyn Evaluator,
    state: &mut InstanceState,
    command: Command,
    input: StepInput<'_>,
) -> Result<StepOutcome, Rejection> {
    let first_seq = state.seq() + 1;
    let mut step = Step::new(process, evaluator, state, first_seq, &input);
    match command {
        Command::Run(run) => actions::run::run(&mut step, run)?,
        Command::FireTimer(timer) => {
            step.trace = step.state.trace_of(timer.element);
            suspend::fire_timer(&mut step, &timer);
        }
        Command::Receive {
            from,
            number,
            message,
            trace,
        } => {
            step.trace = trace;
            subprocess::receive(&mut step, from, number, *message);
        }
        Command::Deliver(delivery) => {
            step.trace = delivery.trace.clone();
            triggering::deliver(&mut step, *delivery);
        }
        Command::Join(start) => triggering::join(&mut step, *start)?,
        Command::TakeMessage(message) => triggering::take_message(&mut step, message)?,
        Command::TakeAnswer {
            number,
            answer,
            trace,
        } => {
            step.trace = trace;
            http_call::response::take(&mut step, number, *answer)
        }
        Command::CloseOffer { seq } => open_messages::close(&mut step, seq)?,
        Command::StartChild(start) => open_messages::start_child(&mut step, *start)?,
        Command::Terminate => suspend::terminate(&mut step)?,
        Command::EndWithAncestor => suspend::end_with_ancestor(&mut step),
        Command::Dismiss => suspend::dismiss(&mut step)?,
        Command::Hold => suspend::hold(&mut step)?,
        Command::Unhold => suspend::unhold(&mut step)?,
        Command::Patch { scope, data } => patch::patch(&mut step, scope, data)?,
        Command::Retry { element } => actions::retry::retry(&mut step, element)?,
        Command::Skip { element } => actions::skip::skip(&mut step, element)?,
        Command::MoveToken { element, to } => move_token::move_token(&mut step, element, &to)?,
        Command::Claim { element } => assignment::claim(&mut step, element)?,
        Command::Release { element } => assignment::release(&mut step, element)?,
        Command::Assign { element, user } => assignment::assign(&mut step, element, &user)?,
    }
    Ok(step.finish(input.command))
}

/// The files that may be uploaded with this run now. Nothing is recorded.
///
/// # Errors
/// The [`Rejection`] that the run would get with any file.
pub fn may_upload(
    process: &ExecutableProcess,
    evaluator: &dyn Evaluator,
    state: &mut InstanceState,
    run: &RunAction,
    input: &StepInput<'_>,
) -> Result<UploadRules, Rejection> {
    let first_seq = state.seq() + 1;
    actions::upload::may_upload(&Step::new(process, evaluator, state, first_seq, input), run)
}

/// The user task at which the caller may work now: run this action or, without one, act at all.
/// Nothing is recorded.
///
/// # Errors
/// The [`Rejection`] that a run would get, or the reason why the element is no user task of the
/// caller.
pub fn may_work(
    process: &ExecutableProcess,
    evaluator: &dyn Evaluator,
    state: &mut InstanceState,
    (element, action): (Option<ElementKey>, Option<&str>),
    input: &StepInput<'_>,
) -> Result<ElementKey, Rejection> {
    let first_seq = state.seq() + 1;
    let step = Step::new(process, evaluator, state, first_seq, input);
    task_access::may_work(&step, element, action)
}

impl Step<'_> {
    /// Lets the next queued element continue; `false` when the queue is empty.
    fn advance_next(&mut self) -> bool {
        let next = self.next_queued();
        next.inspect(|&element| elements::advance(self, element))
            .is_some()
    }

    /// The row and the effects of the step, after every element has continued as far as it can.
    pub fn finish(mut self, command: Option<CommandTag>) -> StepOutcome {
        // On hold no token moves; `unhold` lets every active element continue.
        if self.state.status() != Status::OnHold {
            loop {
                while conditions::evaluate_changed(&mut self) || self.advance_next() {}
                if !elements::late_join::release_any(&mut self) {
                    break;
                }
            }
            if !self.is_empty() {
                self.end_if_done();
            }
        }
        self.close(command)
    }
}
