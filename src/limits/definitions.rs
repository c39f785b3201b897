//! How large definitions may be, and how much of the server their deploys and compiled forms may
//! use. Not here: limits on their contents (`limits`).

/// The largest process definition, BPMN XML or JSON, in bytes.
pub const DEFINITION_BYTES: usize = 2 * 1024 * 1024;
/// Problems that a deploy or a check of a source lists; one more entry gives the number of the
/// others.
pub const DEFINITION_PROBLEMS: usize = 1_000;
/// The longest sentence of a problem, in bytes: a text that it quotes may be as long as a definition.
/// Beyond it the middle is left out.
pub const PROBLEM_BYTES: usize = 4 * 1024;
/// How deeply embedded subprocesses may be nested.
pub const SUBPROCESS_DEPTH: usize = 32;
/// Flows that enter an inclusive or complex gateway: each token of its scope is compared with all of
/// them when the gateway decides whether to wait.
pub const JOIN_FLOWS: usize = 1_000;
/// How many lanes may lie around a lane.
pub const LANE_DEPTH: usize = 32;
/// A compiled form that takes more than this is large.
pub const LARGE_DEFINITION: usize = 256 * 1024;
/// Flow nodes and sequence flows of one process definition together.
pub const DEFINITION_ELEMENTS: usize = 50_000;
/// Bytes in which one compiled definition caches the elements upstream of its inclusive and complex
/// joins; the rest is computed each time.
pub const UPSTREAM_BYTES: usize = 4 * 1024 * 1024;
/// Executable processes of one source. The version of each keeps the whole source.
pub const PROCESSES_PER_SOURCE: usize = 100;
/// Starts of processes by processes that a deploy checks for cycles; there is no warning about
/// further ones.
pub const CYCLE_SEARCH_STARTS: usize = 100_000;
/// Nodes that such a check follows to find those starts; after them it ends.
pub const CYCLE_SEARCH_NODES: usize = 200_000;
