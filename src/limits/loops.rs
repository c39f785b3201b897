//! How many iterations of multi-instance activities one step begins, and how many such steps run at
//! once.

/// Iterations of multi-instance activities that one step begins; the next step begins more, so that
/// other instances get a turn in between.
pub const STEP_STARTS: usize = 64;
/// Items and start data of the iterations that one step begins, in bytes of JSON; at least one
/// begins.
pub const STEP_START_BYTES: usize = 128 * 1024;
/// Consecutive steps that begin iterations, each as a result of the one before; one more is an
/// incident.
pub const LOOP_TURNS: u32 = 1_000;
