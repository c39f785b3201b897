//! What is always known of a version: its row without the source, and what lists ask for. Its
//! compiled form takes some thirty times the memory of its source, so it is there only for versions
//! that instances may start with, and for those that are used.
//!
//! Not here: how a version comes back into memory that has left it (`on_demand`), how much all of
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
    journal::{DefinitionRow, DefinitionState},
    model::{
        definition::{FlowNode, SequenceFlow},
        executable::{ExecutableAction, ExecutableFlow, ExecutableNode, ExecutableProcess},
    },
};

/// What a compiled form takes for each byte of its source, beside its elements: ids, names,
/// templates and scripts, each more than once.
const PER_SOURCE_BYTE: usize = 4;
/// What an element takes beside its own size: its ids, and its places in look-ups.
const PER_ELEMENT: usize = 256;

/// What all compiled forms of this program take, roughly, in bytes.
static COMPILED: AtomicUsize = AtomicUsize::new(0);

/// What a compiled form takes, roughly; counted as long as it is there.
#[derive(Debug)]
pub struct CompiledMemory(usize);

/// A version of a definition. Cheap to share: held in an `Arc`.
pub struct KnownVersion {
    /// As stored, without its source.
    pub row: DefinitionRow,
    /// What lists ask for.
    pub summary: Arc<Summary>,
    /// Its compiled form while somebody uses it.
    in_use: Arc<Mutex<Weak<DeployedProcess>>>,
    /// The same while it stays for those who may come.
    kept: Option<Arc<DeployedProcess>>,
    /// Its source until the store has it.
    unwritten: Option<Arc<[u8]>>,
}

/// What lists ask for of a version.
pub struct Summary {
    /// Paths by whose values its instances are found.
    pub search_keys: Vec<String>,
    /// What it is for.
    pub documentation: Option<String>,
}

impl KnownVersion {
    /// A version that was compiled. With its source when that is still to be written.
    pub fn of(process: DeployedProcess, unwritten: Option<Arc<[u8]>>) -> Self {
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

    /// The same, with its compiled form at hand.
    pub fn with_state_of(
        &self,
        state: DefinitionState,
        process: Option<Arc<DeployedProcess>>,
    ) -> Self {
        let row = DefinitionRow {
            state,
            ..self.row.clone()
        };
        // One that leaves memory stays what those have who use it.
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

    /// What stays of it in the catalog, whose store has its source: its compiled form only while
    /// instances may start with it.
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

    /// Has anyone who asks next find this compiled form as long as somebody uses it; or the one
    /// that is in use already. With the one that is shared from here on.
    pub fn share(&self, process: DeployedProcess) -> Arc<DeployedProcess> {
        let mut in_use = self.in_use();
        in_use.upgrade().unwrap_or_else(|| {
            let process = Arc::new(process);
            *in_use = Arc::downgrade(&process);
            process
        })
    }

    /// What its compiled form takes in its present state, estimated, in bytes.
    pub fn kept_memory(&self) -> usize {
        self.kept
            .as_ref()
            .map_or(0, |process| process.memory.bytes())
    }

    /// What is written of it: its source only if the store does not have that.
    pub fn to_write(&self) -> DefinitionRow {
        DefinitionRow {
            source: self.unwritten.clone(),
            ..self.row.clone()
        }
    }

    fn in_use(&self) -> MutexGuard<'_, Weak<DeployedProcess>> {
        // Only assigned.
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether it is what instances start with, or what is being edited.
fn stays_in_memory(state: DefinitionState) -> bool {
    match state {
        DefinitionState::Draft | DefinitionState::Published | DefinitionState::Disabled => true,
        DefinitionState::Deprecated | DefinitionState::Replaced | DefinitionState::Deleted => false,
    }
}

impl CompiledMemory {
    /// That of a compiled form with a source of so many bytes.
    pub(super) fn of(executable: &ExecutableProcess, source: usize) -> Arc<Self> {
        let bytes = memory_of(executable, source);
        // Numbers alone: nothing else depends on their order.
        COMPILED.fetch_add(bytes, Ordering::Relaxed);
        Arc::new(Self(bytes))
    }

    /// What it takes, in bytes.
    pub fn bytes(&self) -> usize {
        self.0
    }

    /// What all take together, in bytes.
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
