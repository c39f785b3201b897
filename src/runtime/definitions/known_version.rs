//! What is always in memory of a version: its row without the source, and the values that lists
//! show. Its compiled form takes about thirty times the memory of its source, so it is in memory
//! only for versions that instances may start with, and for those in use.
//!
//! Not here: how a version comes back into memory (`on_demand`), how much all of them may take
//! (`limits`).
//! them may take (`limits`).

use std::{
    mem::size_of,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::DeployedProcess;
use crate::{
    journal::{DefinitionRow, DefinitionState, PackedSource},
    model::{
        definition::{FlowNode, SequenceFlow},
        executable::{ExecutableAction, ExecutableFlow, ExecutableNode, ExecutableProcess},
    },
};

/// Estimated memory of a compiled form for each byte of its source, apart from its elements: ids,
/// names, templates and scripts, each more than once.
const PER_SOURCE_BYTE: usize = 4;
/// Estimated memory of an element apart from its own size: its ids, and its entries in look-up
/// tables.
const PER_ELEMENT: usize = 256;

/// Estimated memory of all compiled forms of this program, in bytes.
static COMPILED: AtomicUsize = AtomicUsize::new(0);

/// The estimated memory of a compiled form; counted as long as this exists.
#[derive(Debug)]
pub struct CompiledMemory(usize);

/// A version of a definition. Cheap to share: held in an `Arc`.
pub struct KnownVersion {
    /// As stored, without its source.
    pub row: DefinitionRow,
    /// The values that lists show.
    pub summary: Arc<Summary>,
    /// Its compiled form, while somebody uses it.
    in_use: Arc<Mutex<Weak<DeployedProcess>>>,
    /// Its compiled form, while it stays in memory for future users.
    kept: Option<Arc<DeployedProcess>>,
    /// Its source, until the store has it.
    unwritten: Option<PackedSource>,
}

/// The values of a version that lists show.
pub struct Summary {
    /// Paths of the values by which its instances are found.
    pub search_keys: Vec<String>,
    /// Its documentation.
    pub documentation: Option<String>,
}

impl KnownVersion {
    /// A version that was compiled; with its source if that still has to be written.
    pub fn of(process: DeployedProcess, unwritten: Option<PackedSource>) -> Self {
        let definition = &process.executable.definition;
        let summary = Summary {
            search_keys: definition.search_keys.clone(),
            documentation: definition.documentation.clone(),
        };
        let process = Arc::new(process);
        Self {
            row: process.row.clone(),
            summary: summary.into(),
            in_use: Arc::new(Mutex::new(Arc::downgrade(&process))),
            kept: Some(process),
            unwritten,
        }
    }

    /// The same version in another state.
    pub fn with_state(&self, state: DefinitionState) -> Self {
        self.with_state_of(state, self.in_memory())
    }

    /// The same version in another state, with its compiled form.
    pub fn with_state_of(
        &self,
        state: DefinitionState,
        process: Option<Arc<DeployedProcess>>,
    ) -> Self {
        let row = DefinitionRow {
            state,
            ..self.row.clone()
        };
        // When it leaves memory, those who use it keep it.
        let kept = process.filter(|_| stays_in_memory(state)).map(|process| {
            Arc::new(DeployedProcess {
                row: row.clone(),
                executable: process.executable.clone(),
                evaluator: process.evaluator.clone(),
                memory: process.memory.clone(),
            })
        });
        if let Some(process) = &kept {
            *self.in_use() = Arc::downgrade(process);
        }
        Self {
            row,
            summary: self.summary.clone(),
            in_use: self.in_use.clone(),
            kept,
            unwritten: None,
        }
    }

    /// The form that stays in the catalog once the store has its source: with its compiled form
    /// only while instances may start with it.
    pub fn settled(&self) -> Self {
        let kept = self.kept.clone();
        let kept = kept.filter(|_| stays_in_memory(self.row.state));
        Self {
            row: self.row.clone(),
            summary: self.summary.clone(),
            in_use: self.in_use.clone(),
            kept,
            unwritten: None,
        }
    }

    /// Its compiled form, if that is in memory.
    pub fn in_memory(&self) -> Option<Arc<DeployedProcess>> {
        self.kept.clone().or_else(|| self.in_use().upgrade())
    }

    /// Makes this compiled form the one that others find as long as somebody uses it, unless one is
    /// in use already. Returns the one that is shared.
    pub fn share(&self, process: DeployedProcess) -> Arc<DeployedProcess> {
        let mut in_use = self.in_use();
        in_use.upgrade().unwrap_or_else(|| {
            let process = Arc::new(process);
            *in_use = Arc::downgrade(&process);
            process
        })
    }

    /// Estimated memory of its compiled form in its present state, in bytes.
    pub fn kept_memory(&self) -> usize {
        self.kept
            .as_ref()
            .map_or(0, |process| process.memory.bytes())
    }

    /// The row to write: with its source only if the store does not have it.
    pub fn to_write(&self) -> DefinitionRow {
        DefinitionRow {
            source: self.unwritten.clone(),
            ..self.row.clone()
        }
    }

    fn in_use(&self) -> MutexGuard<'_, Weak<DeployedProcess>> {
        // Only assigned to, so a poisoned lock is safe.
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether instances start with it, or it is being edited.
fn stays_in_memory(state: DefinitionState) -> bool {
    match state {
        DefinitionState::Draft | DefinitionState::Published | DefinitionState::Disabled => true,
        DefinitionState::Deprecated | DefinitionState::Replaced | DefinitionState::Deleted => false,
    }
}

impl CompiledMemory {
    /// The memory of a compiled form whose source has `source` bytes.
    pub(super) fn of(executable: &ExecutableProcess, source: usize) -> Arc<Self> {
        let bytes = memory_of(executable, source);
        // Only a counter: no other memory access depends on its order.
        COMPILED.fetch_add(bytes, Ordering::Relaxed);
        Arc::new(Self(bytes))
    }

    /// The estimate, in bytes.
    pub fn bytes(&self) -> usize {
        self.0
    }

    /// The sum over all compiled forms, in bytes.
    pub fn of_all() -> usize {
        COMPILED.load(Ordering::Relaxed)
    }
}

impl Drop for CompiledMemory {
    fn drop(&mut self) {
        COMPILED.fetch_sub(self.0, Ordering::Relaxed);
    }
}

fn memory_of(executable: &ExecutableProcess, source: usize) -> usize {
    let nodes = executable.nodes();
    let flows: usize = nodes.iter().map(|node| node.outgoing.len()).sum();
    let actions = nodes.iter().flat_map(|node| node.all_actions()).count();
    let node = size_of::<ExecutableNode>() + size_of::<FlowNode>() + PER_ELEMENT;
    let flow = size_of::<ExecutableFlow>() + size_of::<SequenceFlow>() + PER_ELEMENT;
    let action = size_of::<ExecutableAction>() + PER_ELEMENT;
    source * PER_SOURCE_BYTE + nodes.len() * node + flows * flow + actions * action
}
