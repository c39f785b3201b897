//! The script engine of one evaluation, and the one made ready for the next.
//!
//! Making an engine and running `guards.js` in it takes longer than most scripts. So a process that
//! runs scripts makes the next engine while it has nothing to do ([`prepare`]); each is used for one
//! evaluation, as if it had been made for it, and thrown away.
//!
//! Not here: what is done in an engine, what its errors mean (`sandbox`).

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, Instant},
};

use rquickjs::{
    CatchResultExt, Context, Ctx, Function, Object, Persistent, Runtime, context::intrinsic,
};

use super::sandbox::{ScriptError, is_rounded, parse, script_error};

/// How long one evaluation may run.
pub(super) const TIME_LIMIT: Duration = Duration::from_millis(100);
/// The engine asks first at its start, then every 10,000 calls or jumps: short scripts are never
/// timed out, whatever else the machine is busy with.
const UNTIMED_POLLS: u64 = 2;
/// How much memory one evaluation may hold, its data included, in bytes.
pub(super) const MEMORY_LIMIT: usize = 16 << 20;
/// How much of the thread's stack the engine may use, in bytes. Script threads need at least twice
/// that.
const STACK_LIMIT: usize = 256 << 10;

/// No `Date`, `Proxy`, `WeakRef`, typed arrays or timers. `Promise` only because the engine needs
/// it for async functions.
type Intrinsics = (
    intrinsic::Eval,
    intrinsic::RegExpCompiler,
    intrinsic::RegExp,
    intrinsic::Json,
    intrinsic::MapSet,
    intrinsic::Promise,
);

thread_local! {
    static NEXT: RefCell<Option<Engine>> = const { RefCell::new(None) };
}

/// An engine in which nothing has run but the guards.
struct Engine {
    /// What `guards.js` gave. Dropped before the engine it belongs to.
    guards: Persistent<Object<'static>>,
    context: Context,
    /// Until when its evaluation may run; `None` before that begins.
    deadline: Rc<Cell<Option<Instant>>>,
}

/// Does `work` in an engine of its own, with what `guards.js` gave.
pub(super) fn run<T>(
    work: impl for<'js> FnOnce(&Ctx<'js>, &Object<'js>) -> rquickjs::Result<T>,
) -> Result<T, ScriptError> {
    let engine = match NEXT.take() {
        Some(ready) => ready,
        None => Engine::new()?,
    };
    let Engine {
        guards,
        context,
        deadline,
    } = engine;
    // Fuel, not time of the model: it decides only whether there is an answer, never which.
    deadline.set(Some(Instant::now() + TIME_LIMIT));
    context.with(|ctx| {
        let result = guards.restore(&ctx).and_then(|guards| work(&ctx, &guards));
        result.catch(&ctx).map_err(|error| script_error(&error))
    })
}

/// Makes the engine of this thread's next evaluation.
pub(super) fn prepare() {
    NEXT.with_borrow_mut(|next| {
        if next.is_none() {
            // Why there is none is said when one is needed.
            *next = Engine::new().ok();
        }
    });
}

impl Engine {
    fn new() -> Result<Self, ScriptError> {
        let unavailable = |error| ScriptError {
            message: format!("the script engine did not start ({error})"),
            position: None,
        };
        let runtime = Runtime::new().map_err(unavailable)?;
        let context = Context::custom::<Intrinsics>(&runtime).map_err(unavailable)?;
        runtime.set_memory_limit(MEMORY_LIMIT);
        runtime.set_max_stack_size(STACK_LIMIT);
        let deadline = Rc::<Cell<Option<Instant>>>::default();
        let (ends, mut polls) = (deadline.clone(), 0_u64);
        runtime.set_interrupt_handler(Some(Box::new(move || {
            polls += 1;
            polls > UNTIMED_POLLS && ends.get().is_some_and(|end| Instant::now() >= end)
        })));
        let guards = context.with(|ctx| {
            let guards = guards(&ctx).catch(&ctx);
            guards
                .map(|guards| Persistent::save(&ctx, guards))
                .map_err(|error| script_error(&error))
        })?;
        Ok(Self {
            guards,
            context,
            deadline,
        })
    }
}

/// What `guards.js` gives, after it has guarded the engine.
fn guards<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = Object::new(ctx.clone())?;
    native.set("isRounded", Function::new(ctx.clone(), is_rounded)?)?;
    native.set("parse", Function::new(ctx.clone(), parse)?)?;
    ctx.eval::<Function<'_>, _>(include_str!("guards.js"))?
        .call((native,))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_made_ready_is_used_once_and_holds_nothing_of_the_one_before() {
        let source = "var seen = (typeof seen === 'undefined' ? 0 : seen) + 1; seen";
        let global = || run(|ctx, _| ctx.eval::<i32, _>(source));
        prepare();
        prepare();
        assert_eq!(global(), Ok(1));
        assert!(NEXT.with_borrow(Option::is_none));
        assert_eq!(global(), Ok(1), "made when it is needed");
        prepare();
        assert_eq!(global(), Ok(1));
    }

    #[test]
    fn the_time_of_an_evaluation_begins_with_it() {
        prepare();
        let endless = run(|ctx, _| ctx.eval::<(), _>("for (;;);"));
        let message = endless.unwrap_err().message;
        assert!(message.contains("within 100 ms"), "{message}");
    }
}
