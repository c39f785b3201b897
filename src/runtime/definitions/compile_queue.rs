//! The queue in which sources are compiled: on a thread of low priority, one at a time, so that a
//! large model delays only other deploys. Users take turns.
//!
//! The size of a source is bounded (`limits`) and compiling takes time in proportion to it, so no
//! deadline is needed. When a request is cut off, its place is given back once the work that has
//! begun is done.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    super::turn_gate::TurnGate,
    {Deploy, DeployError, deploy_plan::CompiledSource},
};
use crate::{limits, thread_priority};

/// A user: the tenant and the subject.
type User = (String, String);

/// Sources that are being compiled, and those that wait for it.
pub(super) struct Compiling {
    by_user: Arc<Mutex<HashMap<User, usize>>>,
    gate: TurnGate<User>,
}

impl Default for Compiling {
    fn default() -> Self {
        Self {
            by_user: Arc::default(),
            gate: TurnGate::new(1),
        }
    }
}

/// A place in the queue, given back when dropped.
struct CompilePermit {
    by_user: Arc<Mutex<HashMap<User, usize>>>,
    user: User,
}

impl Compiling {
    /// Compiles the source of a deploy when its turn comes.
    ///
    /// # Errors
    /// All problems of a source that cannot be read; [`DeployError::Busy`] when too many sources of
    /// this user, or of all users, wait.
    pub async fn compile(&self, deploy: &Deploy<'_>) -> Result<CompiledSource, DeployError> {
        let place = self.place(deploy).ok_or(DeployError::Busy)?;
        let turn = self.gate.turn(place.user.clone()).await;
        let (source, format) = (Arc::from(deploy.source), deploy.format);
        let compile = move || CompiledSource::compile(source, format);
        let compiled = thread_priority::beside_in((turn, place), compile);
        compiled
            .await
            .ok_or(DeployError::Closed)?
            .map_err(DeployError::Invalid)
    }

    fn place(&self, deploy: &Deploy<'_>) -> Option<CompilePermit> {
        let user = (deploy.tenant.to_owned(), deploy.by.to_owned());
        let mut by_user = lock(&self.by_user);
        let (all, of_user) = (
            by_user.values().sum::<usize>(),
            by_user.get(&user).copied().unwrap_or_default(),
        );
        if of_user >= limits::DEPLOYS_PER_USER.get() || all >= limits::DEPLOYS.get() {
            limits::Limit::Deploys.refused();
            return None;
        }
        by_user.insert(user.clone(), of_user + 1);
        Some(CompilePermit {
            by_user: self.by_user.clone(),
            user,
        })
    }
}

impl Drop for CompilePermit {
    fn drop(&mut self) {
        let mut by_user = lock(&self.by_user);
        if let Some(count) = by_user.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                by_user.remove(&self.user);
            }
        }
    }
}

fn lock(by_user: &Mutex<HashMap<User, usize>>) -> MutexGuard<'_, HashMap<User, usize>> {
    // Only counters change under the lock, so a poisoned one is safe.
    by_user.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ids::Time, source::SourceFormat};

    fn deploy<'a>(by: &'a str, source: &'a [u8]) -> Deploy<'a> {
        Deploy {
            tenant: "default",
            source,
            format: SourceFormat::Json,
            publish: false,
            by,
            now: Time(0),
        }
    }

    #[tokio::test]
    async fn each_user_has_compile_permits_that_are_returned() {
        let compiling = Compiling::default();
        let held: Vec<_> = (0..limits::DEPLOYS_PER_USER.get())
            .map(|_| compiling.place(&deploy("ada", b"")).unwrap())
            .collect();
        assert!(matches!(
            compiling.compile(&deploy("ada", b"{}")).await,
            Err(DeployError::Busy)
        ));
        assert!(matches!(
            compiling.compile(&deploy("bob", b"{}")).await,
            Err(DeployError::Invalid(_))
        ));
        drop(held);
        assert!(matches!(
            compiling.compile(&deploy("ada", b"{}")).await,
            Err(DeployError::Invalid(_))
        ));
        assert!(lock(&compiling.by_user).is_empty());
        let all: Vec<_> = (0..limits::DEPLOYS.get())
            .filter_map(|number| compiling.place(&deploy(&number.to_string(), b"")))
            .collect();
        assert!(
            all.len() == limits::DEPLOYS.get() && compiling.place(&deploy("late", b"")).is_none()
        );
    }

    #[tokio::test]
    async fn a_disconnected_client_returns_its_permit() {
        let compiling = Compiling::default();
        let turn = compiling.gate.turn(Default::default()).await;
        let (ada, source) = ("ada", b"{}");
        let one = deploy(ada, source);
        let waiting = compiling.compile(&one);
        let mut waiting = Box::pin(waiting);
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        assert_eq!(lock(&compiling.by_user).len(), 1);
        drop(waiting);
        assert!(lock(&compiling.by_user).is_empty());
        drop(turn);
    }
}
