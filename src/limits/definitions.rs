//! How large definitions may be, and how much of the server their deploys and compiled forms may take.
//! Not here: what is in them (`limits`).

/// The largest process definition, BPMN XML or JSON, in bytes.
pub const DEFINITION_BYTES: usize = 2 * 1024 * 1024;
/// Problems that a deploy or a check of a source lists; one more says how many others there are.
pub const DEFINITION_PROBLEMS: usize = 1_000;
/// How many embedded subprocesses may lie in one another.
pub const SUBPROCESS_DEPTH: usize = 32;
/// What the compiled forms of published versions and drafts may take in memory, of all tenants,
/// roughly counted; what would take more is not deployed.
pub const DEFINITIONS_MEMORY: usize = 256 * 1024 * 1024;
/// The same, of one tenant.
pub const DEFINITIONS_MEMORY_PER_TENANT: usize = 192 * 1024 * 1024;
/// What the compiled forms of former versions may take that stay in memory as they were used
/// recently.
pub const FORMER_DEFINITIONS_MEMORY: usize = 32 * 1024 * 1024;
/// When all compiled forms take more than this, instances leave memory that hold a large one, as
/// soon as they have answered.
pub const COMPILED_MEMORY: usize = 352 * 1024 * 1024;
/// A compiled form that takes more than this is a large one.
pub const LARGE_DEFINITION: usize = 256 * 1024;
/// Flow nodes and sequence flows of one process definition together.
pub const DEFINITION_ELEMENTS: usize = 50_000;
/// Sources of definitions that are compiled or wait for it, of one user; more are answered `busy`.
pub const DEPLOYS_PER_USER: usize = 4;
/// Sources of definitions that are compiled or wait for it, in all: each may hold
/// [`DEFINITION_BYTES`].
pub const DEPLOYS: usize = 32;
/// Bytes that one compiled definition keeps of where its inclusive and complex joins can be reached
/// from; what is beyond is found anew each time.
pub const UPSTREAM_BYTES: usize = 4 * 1024 * 1024;
