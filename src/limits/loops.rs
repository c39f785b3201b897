//! How much of multi-instance activities one step begins, and how many such steps continue at once.

/// Iterations of multi-instance activities that one step begins; the next step begins more, so that
/// others have their turn in between.
pub const STEP_STARTS: usize = 64;
/// Items and start data of the iterations that one step begins, in bytes of JSON; one at least.
pub const STEP_START_BYTES: usize = 128 * 1024;
/// Steps in which iterations begin and that follow from one another; one more is an incident.
pub const LOOP_TURNS: u32 = 1_000;

/// Steps in which more iterations begin, at once, over all instances; what they begin is then
/// complete before others begin theirs.
pub const LOOP_STEPS: usize = 8;
/// Of them, those of one tenant.
pub const LOOP_STEPS_PER_TENANT: usize = 6;
/// Of them, those of one process definition.
pub const LOOP_STEPS_PER_DEFINITION: usize = 4;
