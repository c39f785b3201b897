//! Threads for steps that may take long, so that none of them runs on an arbiter. One pool serves
//! definitions that have scripts or check an intricate payload, two of low priority those steps of
//! both kinds that do take long (`long_steps`).
//!
//! Each definition has a queue for each kind of caller; tenants take turns, within a tenant these
//! queues do, and within a queue its users, so that others wait for at most one step of anybody. A
//! script ends at its deadline, because it runs in a process that can be killed
//! (`expression::worker`); scripts of a definition that have to be killed repeatedly are not run for
//! a while (`late_scripts`).
//!
//! # Rationale
//!
//! **Steps that may take long wait by definition, and tenants take turns**; a permit of the
//! writer's queue is taken only when their turn has come.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Instant,
};

use tokio::sync::oneshot;

use super::late_scripts::LateScripts;
use crate::{
    expression::worker,
    journal::Owner,
    limits::{self, CallerKind, Taker},
    turns::Turns,
};

type Job = Box<dyn FnOnce() + Send>;

/// A small pool of threads.
pub struct StepThreads {
    shared: Arc<Shared>,
}

struct Shared {
    queues: Mutex<Queues>,
    changed: Condvar,
    late_scripts: Arc<LateScripts>,
}

/// The waiting steps.
#[derive(Default)]
struct Queues {
    turns: Turns<Queue>,
    tenants: HashMap<String, OfTenant>,
    waiting: usize,
    is_closed: bool,
}

/// The waiting steps of one tenant.
#[derive(Default)]
struct OfTenant {
    by_process: HashMap<Queue, Turns<Job, Option<Taker>>>,
    waiting: usize,
}

/// The key of a queue: a definition and a kind of caller.
type Queue = (String, CallerKind);

/// Whose step it is.
#[derive(Clone)]
pub struct StepOf {
    /// The definition.
    pub owner: Owner,
    /// The kind of caller, which decides its share of the places.
    pub kind: CallerKind,
    /// The caller; `None` is the server.
    pub taker: Option<Taker>,
}

/// The step panicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panicked;

impl StepThreads {
    /// Starts `threads` threads, each of which runs `prepare` first; they end when this is dropped.
    ///
    /// # Errors
    /// When the system cannot start a thread.
    pub fn start(
        name: &str,
        threads: usize,
        late_scripts: &Arc<LateScripts>,
        prepare: impl Fn() + Clone + Send + 'static,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            queues: Mutex::default(),
            changed: Condvar::new(),
            late_scripts: late_scripts.clone(),
        });
        for _ in 0..threads {
            let (shared, prepare) = (shared.clone(), prepare.clone());
            thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || {
                    prepare();
                    shared.work();
                })?;
        }
        Ok(Self { shared })
    }

    /// The number of waiting steps.
    pub fn waiting(&self) -> usize {
        self.shared.queues().waiting
    }

    /// Whether the queues of this definition or of its tenant are full, or this caller has its part
    /// of the definition's, so that the step has to be refused.
    pub fn is_full(&self, StepOf { owner, kind, taker }: &StepOf) -> bool {
        let queues = self.shared.queues();
        let Some(tenant) = queues.tenants.get(&owner.tenant) else {
            return false;
        };
        let of_process = tenant.by_process.iter();
        let of_process = of_process.filter(|((process, _), _)| *process == owner.process);
        let (mut all, mut of_taker) = (0, 0);
        for (_, queue) in of_process {
            all += queue.len();
            of_taker += queue.of_group(taker);
        }
        let is_full = all >= kind.share(limits::SCRIPTS_WAITING_PER_DEFINITION.get())
            || tenant.waiting >= kind.share(limits::SCRIPTS_WAITING_PER_TENANT.get())
            || (taker.is_some() && of_taker >= limits::SCRIPTS_WAITING_PER_CALLER.get());
        if is_full {
            limits::Limit::ScriptsWaiting.refused();
        }
        is_full
    }

    /// Runs `step` when its turn comes.
    pub fn run<T: Send + 'static>(
        &self,
        of: StepOf,
        step: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = Result<T, Panicked>> + 'static {
        let (done, outcome) = oneshot::channel();
        let (shared, owner) = (self.shared.clone(), of.owner.clone());
        let job = move || {
            worker::begin_step(shared.late_scripts.may_run(&owner, Instant::now()));
            let outcome = catch_unwind(AssertUnwindSafe(step));
            let killed = worker::killed_in_step();
            shared.late_scripts.note(owner, killed, Instant::now());
            // The receiver is gone when the instance's arbiter has ended.
            let _ = done.send(outcome);
        };
        self.shared.queues().push(of, Box::new(job));
        self.shared.changed.notify_one();
        async move { outcome.await.ok().and_then(Result::ok).ok_or(Panicked) }
    }
}

impl Drop for StepThreads {
    fn drop(&mut self) {
        self.shared.queues().is_closed = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut queues = self.queues();
        loop {
            if let Some(job) = queues.pop() {
                drop(queues);
                job();
                queues = self.queues();
            } else if queues.is_closed {
                return;
            } else {
                queues = self
                    .changed
                    .wait(queues)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

impl Queues {
    fn push(&mut self, StepOf { owner, kind, taker }: StepOf, job: Job) {
        let tenant = self.tenants.entry(owner.tenant.clone()).or_default();
        let of = (owner.process, kind);
        let queue = tenant.by_process.entry(of.clone()).or_default();
        if queue.is_empty() {
            self.turns.enter(&owner.tenant, of);
        }
        queue.enter(&taker, job);
        tenant.waiting += 1;
        self.waiting += 1;
    }

    /// The next step: of the tenant whose turn it is, of its queue whose turn it is, of the caller
    /// whose turn it is, the one that has waited longest. Empty queues are removed.
    fn pop(&mut self) -> Option<Job> {
        let (name, process) = self.turns.next(|_, _| true)?;
        let tenant = self.tenants.get_mut(&name)?;
        let queue = tenant.by_process.get_mut(&process)?;
        let (_, job) = queue.next(|_, _| true)?;
        if queue.is_empty() {
            tenant.by_process.remove(&process);
        } else {
            self.turns.enter(&name, process);
        }
        tenant.waiting -= 1;
        self.waiting -= 1;
        if tenant.waiting == 0 {
            self.tenants.remove(&name);
        }
        Some(job)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn owner(tenant: &str, process: &str) -> Owner {
        Owner {
            tenant: tenant.to_owned(),
            process: process.to_owned(),
        }
    }

    fn threads(count: usize) -> StepThreads {
        StepThreads::start("steps", count, &Arc::default(), || ()).unwrap()
    }

    fn of(tenant: &str, process: &str, kind: CallerKind) -> StepOf {
        StepOf {
            owner: owner(tenant, process),
            kind,
            taker: None,
        }
    }

    /// A step of this user.
    fn of_user(user: &str) -> StepOf {
        StepOf {
            taker: Some(Taker::User(user.to_owned())),
            ..of("t", "p", CallerKind::User)
        }
    }

    #[tokio::test]
    async fn users_of_one_definition_take_turns_and_have_a_part_of_its_places() {
        let scripts = threads(0);
        let order = Arc::new(Mutex::new(String::new()));
        let push = |user: &'static str| {
            let order = order.clone();
            drop(scripts.run(of_user(user), move || order.lock().unwrap().push_str(user)));
        };
        for _ in 0..limits::SCRIPTS_WAITING_PER_CALLER.get() {
            assert!(!scripts.is_full(&of_user("a")));
            push("a");
        }
        assert!(scripts.is_full(&of_user("a")) && !scripts.is_full(&of_user("b")));
        push("b");
        push("b");
        for _ in 0..5 {
            let next = scripts.shared.queues().pop();
            next.unwrap()();
        }
        assert_eq!(*order.lock().unwrap(), "ababa");
    }

    #[tokio::test]
    async fn a_step_gives_its_outcome_and_a_panic_loses_no_thread() {
        let scripts = threads(1);
        assert_eq!(
            scripts
                .run(of("t", "p", CallerKind::User), || panic!("a test's panic"))
                .await,
            Err::<(), _>(Panicked)
        );
        assert_eq!(
            scripts.run(of("t", "p", CallerKind::User), || 7).await,
            Ok(7)
        );
        assert_eq!(scripts.waiting(), 0);
    }

    #[tokio::test]
    async fn tenants_take_turns_and_so_do_their_definitions() {
        let scripts = threads(1);
        let (begun, has_begun) = mpsc::channel();
        let (let_go, hold) = mpsc::channel::<()>();
        let first = scripts.run(of("t", "held", CallerKind::User), move || {
            begun.send(()).unwrap();
            hold.recv()
        });
        has_begun.recv().unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let steps: Vec<_> = [
            ("t", "a"),
            ("t", "a"),
            ("t", "a"),
            ("t", "b"),
            ("u", "c"),
            ("u", "c"),
        ]
        .into_iter()
        .map(|(tenant, process)| {
            let order = order.clone();
            scripts.run(of(tenant, process, CallerKind::User), move || {
                order.lock().unwrap().push(process)
            })
        })
        .collect();
        drop(let_go);
        assert!(first.await.is_ok());
        for step in steps {
            assert_eq!(step.await, Ok(()));
        }
        assert_eq!(*order.lock().unwrap(), ["a", "c", "b", "c", "a", "a"]);
        assert!(
            scripts.shared.queues().tenants.is_empty() && scripts.shared.queues().turns.is_empty()
        );
    }

    #[test]
    fn steps_of_one_definition_are_bounded() {
        let scripts = threads(0);
        for _ in 0..limits::SCRIPTS_WAITING_PER_DEFINITION.get() {
            assert!(!scripts.is_full(&of("t", "p", CallerKind::Staff)));
            drop(scripts.run(of("t", "p", CallerKind::User), || ()));
        }
        assert!(
            scripts.is_full(&of("t", "p", CallerKind::Staff))
                && !scripts.is_full(&of("t", "q", CallerKind::Staff))
                && !scripts.is_full(&of("u", "p", CallerKind::Staff))
        );
        let more =
            limits::SCRIPTS_WAITING_PER_TENANT.get() - limits::SCRIPTS_WAITING_PER_DEFINITION.get();
        for number in 0..more {
            drop(scripts.run(of("t", &number.to_string(), CallerKind::Staff), || ()));
        }
        assert!(
            scripts.is_full(&of("t", "0", CallerKind::Staff))
                && !scripts.is_full(&of("u", "p", CallerKind::Staff))
        );
    }

    #[tokio::test]
    async fn strangers_leave_places_and_turns_to_users_of_their_process() {
        let scripts = threads(0);
        let is_full = |kind| scripts.is_full(&of("t", "p", kind));
        let mut strangers = 0;
        while !is_full(CallerKind::Anonymous) {
            drop(scripts.run(of("t", "p", CallerKind::Anonymous), || ()));
            strangers += 1;
        }
        assert_eq!(strangers, limits::SCRIPTS_WAITING_PER_DEFINITION.get() / 2);
        assert!(!is_full(CallerKind::User) && !is_full(CallerKind::Staff));
        let _user = scripts.run(of("t", "p", CallerKind::User), || ());
        // The user's turn is the next but one, however many strangers wait.
        let mut queues = scripts.shared.queues();
        let _first = queues.pop();
        let _second = queues.pop();
        let waiting = &queues.tenants["t"].by_process;
        assert!(!waiting.contains_key(&("p".to_owned(), CallerKind::User)));
    }
}
