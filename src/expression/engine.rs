//! The script engine of one evaluation, and the one prepared for the next.
//!
//! Creating an engine and running `guards.js` in it takes longer than most scripts. So our own code
//! is compiled once per process, and a process that runs scripts creates the next engine while it
//! is idle ([`prepare`]). Each engine is used for one evaluation and then dropped.
//!
//! Not here: what runs in an engine, and what its errors mean (`sandbox`).

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::LazyLock,
    time::Duration,
};

use rquickjs::{
    CatchResultExt, Context, Ctx, Error, Function, Module, Object, Persistent, Runtime,
    WriteOptions,
    context::intrinsic,
    loader::{ImportAttributes, Loader, Resolver, bundle::Bundle},
};

use super::sandbox::{ScriptError, is_rounded, parse, script_error};
use crate::{limits, thread_priority};

/// How much of the thread's stack the engine may use, in bytes. Script threads need at least twice
/// that.
const STACK_LIMIT: usize = 256 << 10;

/// No `Date`, `Proxy`, `WeakRef`, typed arrays or timers. `Promise` is there only because the
/// engine needs it for async functions.
type Intrinsics = (
    intrinsic::Eval,
    intrinsic::RegExpCompiler,
    intrinsic::RegExp,
    intrinsic::Json,
    intrinsic::MapSet,
    intrinsic::Promise,
);

/// The module name of `OWN_SOURCE` in the engine.
const OWN_NAME: &str = "stepwire";
/// Our own code in every engine: each of these files contains one function.
const OWN_SOURCE: &str = concat!(
    "export const guards = ",
    include_str!("guards.js"),
    ";\nexport const rule = ",
    include_str!("rule.js"),
    ";\n"
);

/// Compiled modules, by name.
type Modules = &'static [(&'static str, &'static [u8])];

/// [`OWN_SOURCE`], compiled: loading it takes a tenth of the time that compiling it takes.
static OWN: LazyLock<rquickjs::Result<Modules>> = LazyLock::new(|| {
    let context = Context::custom::<Intrinsics>(&Runtime::new()?)?;
    let code = context.with(|ctx| {
        let options = WriteOptions {
            strip_source: true,
            ..WriteOptions::default()
        };
        Module::declare(ctx, OWN_NAME, OWN_SOURCE)?.write(options)
    })?;
    Ok(Vec::leak(vec![(OWN_NAME, &*Vec::leak(code))]))
});

thread_local! {
    static NEXT: RefCell<Option<Engine>> = const { RefCell::new(None) };
}

/// The functions that our own code provides to scripts.
pub(super) struct Own<'js> {
    /// The result of `guards.js`, after it has set up the guards of the engine.
    pub(super) guards: Object<'js>,
    /// The function in `rule.js`, not called yet.
    pub(super) rule: Function<'js>,
}

/// An engine in which nothing but the guards has run.
struct Engine {
    /// The guards of [`Own`]. Dropped before the engine they belong to.
    guards: Persistent<Object<'static>>,
    rule: Persistent<Function<'static>>,
    context: Context,
    /// The thread's processor time until which its evaluation may run; `None` before the evaluation
    /// begins.
    deadline: Rc<Cell<Option<Duration>>>,
}

/// A module loader that refuses every import.
struct NoModules;

impl Resolver for NoModules {
    fn resolve<'js>(
        &mut self,
        _: &Ctx<'js>,
        base: &str,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> rquickjs::Result<String> {
        Err(Error::new_resolving(base, name))
    }
}

impl Loader for NoModules {
    fn load<'js>(
        &mut self,
        _: &Ctx<'js>,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> rquickjs::Result<Module<'js>> {
        Err(Error::new_loading(name))
    }
}

/// Runs `work` in a new engine, with the functions of our own code.
pub(super) fn run<T>(
    work: impl for<'js> FnOnce(&Ctx<'js>, &Own<'js>) -> rquickjs::Result<T>,
) -> Result<T, ScriptError> {
    let engine = match NEXT.take() {
        Some(ready) => ready,
        None => Engine::new()?,
    };
    let Engine {
        guards,
        rule,
        context,
        deadline,
    } = engine;
    // Processor time, so that a busy machine does not end a script that is fast on an idle one. It
    // decides only whether there is an answer, never which one.
    deadline.set(Some(thread_priority::worked() + limits::SCRIPT_TIME.get()));
    context.with(|ctx| {
        let own = guards.restore(&ctx).and_then(|guards| {
            let rule = rule.restore(&ctx)?;
            Ok(Own { guards, rule })
        });
        let result = own.and_then(|own| work(&ctx, &own));
        result.catch(&ctx).map_err(|error| script_error(&error))
    })
}

/// Creates the engine of this thread's next evaluation.
pub(super) fn prepare() {
    NEXT.with_borrow_mut(|next| {
        if next.is_none() {
            // If this fails, the error is reported when an engine is needed.
            *next = Engine::new().ok();
        }
    });
}

impl Engine {
    fn new() -> Result<Self, ScriptError> {
        let unavailable =
            |error: &Error| ScriptError::new(format!("the script engine did not start ({error})"));
        let modules = *OWN.as_ref().map_err(unavailable)?;
        let unavailable = |error| unavailable(&error);
        let runtime = Runtime::new().map_err(unavailable)?;
        let context = Context::custom::<Intrinsics>(&runtime).map_err(unavailable)?;
        runtime.set_memory_limit(limits::SCRIPT_MEMORY.get());
        runtime.set_max_stack_size(STACK_LIMIT);
        let deadline = Rc::<Cell<Option<Duration>>>::default();
        let ends = deadline.clone();
        // Asked every 10,000 calls or jumps.
        runtime.set_interrupt_handler(Some(Box::new(move || {
            ends.get()
                .is_some_and(|end| thread_priority::worked() >= end)
        })));
        runtime.set_loader(Bundle(modules), Bundle(modules));
        let (guards, rule) = context.with(|ctx| {
            let own = Own::of(&ctx).catch(&ctx);
            own.map(|own| {
                let rule = Persistent::save(&ctx, own.rule);
                (Persistent::save(&ctx, own.guards), rule)
            })
            .map_err(|error| script_error(&error))
        })?;
        // A script can import neither the exports of our own code nor anything else.
        runtime.set_loader(NoModules, NoModules);
        Ok(Self {
            guards,
            rule,
            context,
            deadline,
        })
    }
}

impl<'js> Own<'js> {
    /// Loads our own code and guards the engine.
    fn of(ctx: &Ctx<'js>) -> rquickjs::Result<Self> {
        let native = Object::new(ctx.clone())?;
        native.set("isRounded", Function::new(ctx.clone(), is_rounded)?)?;
        native.set("parse", Function::new(ctx.clone(), parse)?)?;
        let exports: Object<'js> = Module::import(ctx, OWN_NAME)?.finish()?;
        let guard: Function<'js> = exports.get("guards")?;
        Ok(Self {
            guards: guard.call((native,))?,
            rule: exports.get("rule")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prepared_engine_is_used_once_and_shares_no_state() {
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
    fn a_script_cannot_import_modules() {
        for name in [OWN_NAME, "./stepwire", "std"] {
            let imported = run(|ctx, _| {
                let import = format!("import({name:?})");
                ctx.eval::<rquickjs::Promise<'_>, _>(import)?
                    .finish::<Object<'_>>()
                    .map(drop)
            });
            assert!(imported.is_err(), "{name}");
        }
    }

    #[test]
    fn the_time_limit_starts_with_the_evaluation() {
        prepare();
        let endless = run(|ctx, _| ctx.eval::<(), _>("for (;;);"));
        let message = endless.unwrap_err().message;
        assert!(message.contains("at most 100 ms"), "{message}");
    }
}
