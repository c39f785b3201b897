//! Removes from memory what has not been used for a while. Not here: how it leaves (`registry`,
//! `correlations`, `channel`).

use std::{sync::Weak, time::Duration};

use super::{Runtime, definitions::CompiledMemory};
use crate::limits;

/// Instances unused for this long leave memory.
const IDLE: Duration = Duration::from_secs(60);
/// With more instances in memory than this, they leave after [`HURRIED_IDLE`] already.
const CROWDED: usize = 50_000;
/// See [`CROWDED`].
const HURRIED_IDLE: Duration = Duration::from_secs(2);
/// How often idle instances are looked for.
const SWEEP: Duration = Duration::from_secs(5);

/// Runs as long as the runtime exists.
pub(super) async fn run(runtime: Weak<Runtime>) {
    loop {
        let idle = match runtime.upgrade() {
            None => return,
            Some(runtime) => {
                let idle = *runtime.idle.get_or_init(|| IDLE);
                let crowded = runtime.registry.len() > CROWDED
                    || runtime.live_memory.is_too_much()
                    || CompiledMemory::of_all() > limits::COMPILED_MEMORY.get();
                let unused = if crowded {
                    HURRIED_IDLE.min(idle)
                } else {
                    idle
                };
                runtime.registry.sweep(unused);
                runtime.correlations.sweep(unused);
                runtime.hub.sweep();
                runtime.audit.write();
                idle
            }
        };
        tokio::time::sleep(SWEEP.min(idle)).await;
    }
}
