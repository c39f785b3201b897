//! What an actor does with an envelope, as a function of the state: every decision between the
//! mailbox and the journal. Runs on the instance's arbiter, or on a step thread when the definition
//! has scripts.
//!
//! Not here: commit gates, writes and effects (`instance`); the meaning of commands (`engine`).

mod migrate;
mod permission;

use std::sync::Arc;

use super::{
    channel::Rendered,
    definitions::DeployedProcess,
    instance_request::{
        Committed, InstanceContents, InstanceRequest, InstanceResponse, Observed, Refusal,
        ResolvedStart,
    },
    keys,
    missed_rows::MissedRows,
    room_policy,
};
use crate::{
    engine::{
        self, Command, Effect, InstanceState, Rejection, StepInput, StepOutcome,
        access::Caller,
        command::{StartChild, StartInstance},
        next_step::next_step,
        record::{CommandTag, Record},
        rejection::RejectionKind,
        state::Seen,
        trace::NewSpan,
    },
    journal::disk_room::DiskRoom,
    limits::{InstanceLimits, Limit},
    meters::meters,
    model::{ids::Time, search_attributes::SearchedTexts},
};

/// The content of an actor's memory: nothing yet, or the instance and its definition.
pub type Memory = Option<(InstanceState, Arc<DeployedProcess>)>;

/// The decision on an envelope.
pub enum ActorDecision {
    /// Send this response once everything before it is durable.
    InstanceResponse(InstanceResponse),
    /// The command was applied before, in the row with this first number: repeat its answer.
    Repeat { first_seq: u64 },
    /// Search the log for an earlier application of this command.
    LookUp(CommandTag),
    /// Write this row; contains the search values of the instance before it.
    Write {
        committed: Arc<Committed>,
        effects: Vec<Effect>,
        before: SearchedTexts,
    },
}

/// The context of a decision, apart from the instance.
#[derive(Clone, Copy)]
pub struct DecisionContext {
    /// Process time.
    pub now: Time,
    /// How many more instances its tree may have.
    pub tree_room: usize,
    /// The state of the disk's free space.
    pub disk_room: DiskRoom,
    /// The span of the command.
    pub span: Option<NewSpan>,
}

/// Decides on an envelope, and counts the decision. A refusal leaves `memory` unchanged.
pub fn decide(
    memory: &mut Memory,
    caller: Option<&Caller>,
    request: InstanceRequest,
    around: DecisionContext,
) -> Result<ActorDecision, Refusal> {
    let kind = kind_of(&request);
    let decided = decide_request(memory, caller, request, around);
    meters().command(kind, outcome_of(&decided));
    if let Ok(ActorDecision::Write { committed, .. }) = &decided {
        count_limits(&committed.row.records);
    }
    decided
}

/// Counts the incidents of limits among the records.
fn count_limits(records: &[Record]) {
    for record in records {
        if let Record::IncidentRaised { incident, .. } = record
            && let Some(limit) = Limit::of_incident(&incident.code)
        {
            limit.refused();
        }
    }
}

/// The name of a migration in metrics and in the audit log.
pub const MIGRATE: &str = "migrate";

/// The kind of a request, as a metric label.
pub fn kind_of(request: &InstanceRequest) -> &'static str {
    match request {
        InstanceRequest::Start(_) => "start",
        InstanceRequest::StartChild { .. } => "start_child",
        InstanceRequest::Observe
        | InstanceRequest::MayUpload { .. }
        | InstanceRequest::MayWork { .. } => "look",
        InstanceRequest::Apply { command, .. } => command.name(),
        InstanceRequest::Migrate { .. } => MIGRATE,
        InstanceRequest::PlanMigration(_) => "look",
    }
}

/// The outcome of a decision, as a metric label.
fn outcome_of(decided: &Result<ActorDecision, Refusal>) -> &'static str {
    match decided {
        Ok(ActorDecision::Write { .. }) => "applied",
        Ok(
            ActorDecision::Repeat { .. }
            | ActorDecision::LookUp(_)
            | ActorDecision::InstanceResponse(InstanceResponse::Duplicate(_)),
        ) => "repeated",
        Ok(ActorDecision::InstanceResponse(InstanceResponse::Unchanged)) => "unchanged",
        Ok(ActorDecision::InstanceResponse(_)) => "answered",
        Err(_) => "refused",
    }
}

fn decide_request(
    memory: &mut Memory,
    caller: Option<&Caller>,
    request: InstanceRequest,
    around: DecisionContext,
) -> Result<ActorDecision, Refusal> {
    match request {
        InstanceRequest::Start(start) => decide_start(memory, caller, *start, around),
        InstanceRequest::StartChild { start, offer } => {
            decide_start_child(memory, caller, *start, offer, around)
        }
        InstanceRequest::Observe => {
            let (state, process) = visible(memory, caller)?;
            Ok(ActorDecision::InstanceResponse(InstanceResponse::Observed(
                Arc::new(observe(state, process, true, around.now)),
            )))
        }
        InstanceRequest::MayUpload {
            run,
            command,
            if_seq,
        } => permission::upload(memory, caller, &run, (command, if_seq), around),
        InstanceRequest::MayWork { element, action } => {
            permission::work(memory, caller, (element, action.as_deref()), around)
        }
        InstanceRequest::Migrate {
            migration,
            tag,
            if_seq,
        } => migrate::decide(memory, caller, &migration, (tag, if_seq), around),
        InstanceRequest::PlanMigration(migration) => {
            migrate::plan(memory, caller, &migration, around)
        }
        InstanceRequest::Apply {
            command,
            tag,
            if_seq,
        } => {
            let (state, process) = visible_mut(memory, caller)?;
            if let Some(tag) = &tag
                && let Some(decision) = repeated(state, tag)?
            {
                return Ok(decision);
            }
            require_seq(state, if_seq)?;
            room_policy::admit_command(around.disk_room, &command)?;
            apply(state, process, caller, (*command, tag), around)
        }
    }
}

fn decide_start(
    memory: &mut Memory,
    caller: Option<&Caller>,
    start: ResolvedStart,
    around: DecisionContext,
) -> Result<ActorDecision, Refusal> {
    if memory.is_some() {
        let (state, process) = visible(memory, caller)?;
        return match start.tag.as_ref().filter(|_| caller.is_some()) {
            Some(tag) => match repeated(state, tag)? {
                Some(decision) => Ok(decision),
                // The same offer was accepted in another tab: the answer is where the instance is
                // now.
                None => Ok(ActorDecision::InstanceResponse(
                    InstanceResponse::Duplicate(Arc::new(committed_state(state, process))),
                )),
            },
            None => Ok(ActorDecision::InstanceResponse(InstanceResponse::Unchanged)),
        };
    }
    room_policy::admit_start(around.disk_room, caller, &start)?;
    let key = start.command.head.key;
    let child_key = move |seq| keys::of_child(key, seq, around.now);
    let input = input(around, &child_key, caller, start.tag);
    let process = start.process;
    let (state, outcome) = engine::start(
        &process.executable,
        process.evaluator.as_ref(),
        start.command,
        input,
    )?;
    let (state, process) = memory.insert((state, process));
    Ok(written(state, process, outcome, SearchedTexts::default()))
}

/// A record takes effect at once, so the subprocess is asked whether it accepts the start before
/// the message is closed.
fn decide_start_child(
    memory: &mut Memory,
    caller: Option<&Caller>,
    start: ResolvedStart,
    offer: Option<u64>,
    around: DecisionContext,
) -> Result<ActorDecision, Refusal> {
    let (state, process) = visible_mut(memory, caller)?;
    let ResolvedStart {
        command,
        process: child,
        tag: Some(tag),
        ..
    } = start
    else {
        return Err(Refusal::Internal);
    };
    if !state.children().contains_key(&command.head.key) {
        room_policy::admit_new(around.disk_room)?;
    }
    let is_open = offer.is_none_or(|seq| state.open_message(seq, around.now).is_some());
    if is_open && !state.children().contains_key(&command.head.key) {
        engine::may_start(
            &child.executable,
            child.evaluator.as_ref(),
            &command,
            caller,
        )?;
    }
    let StartInstance {
        head,
        start_condition,
        ..
    } = command;
    let start = Command::StartChild(Box::new(StartChild {
        head,
        start_condition,
        offer,
        command: tag,
    }));
    apply(state, process, caller, (start, None), around)
}

fn apply(
    state: &mut InstanceState,
    process: &Arc<DeployedProcess>,
    caller: Option<&Caller>,
    (command, tag): (Command, Option<CommandTag>),
    around: DecisionContext,
) -> Result<ActorDecision, Refusal> {
    let key = state.key();
    let child_key = move |seq| keys::of_child(key, seq, around.now);
    let input = input(around, &child_key, caller, tag);
    let before = process.executable.search_keys.texts(state.data());
    let outcome = engine::step(
        &process.executable,
        process.evaluator.as_ref(),
        state,
        command,
        input,
    )?;
    Ok(written(state, process, outcome, before))
}

fn input<'a>(
    DecisionContext {
        now,
        tree_room,
        span,
        ..
    }: DecisionContext,
    child_key: &'a dyn Fn(u64) -> crate::model::ids::InstanceKey,
    caller: Option<&'a Caller>,
    tag: Option<CommandTag>,
) -> StepInput<'a> {
    StepInput {
        now,
        child_key,
        caller,
        command: tag,
        limits: InstanceLimits::default(),
        tree_room,
        span,
    }
}

/// The instance, if it exists and the caller may see it.
pub fn visible<'a>(
    memory: &'a Memory,
    caller: Option<&Caller>,
) -> Result<(&'a InstanceState, &'a Arc<DeployedProcess>), Refusal> {
    let (state, process) = memory.as_ref().ok_or_else(Rejection::not_found)?;
    match caller {
        Some(caller) if !state.members().may_see(&process.executable, caller) => {
            Err(Refusal::Hidden)
        }
        _ => Ok((state, process)),
    }
}

fn visible_mut<'a>(
    memory: &'a mut Memory,
    caller: Option<&Caller>,
) -> Result<(&'a mut InstanceState, &'a Arc<DeployedProcess>), Refusal> {
    visible(memory, caller)?;
    let (state, process) = memory.as_mut().ok_or_else(Rejection::not_found)?;
    Ok((state, process))
}

fn require_seq(state: &InstanceState, if_seq: Option<u64>) -> Result<(), Refusal> {
    match if_seq {
        Some(expected) if expected != state.seq() => Err(Refusal::Stale(state.seq())),
        _ => Ok(()),
    }
}

fn repeated(state: &InstanceState, tag: &CommandTag) -> Result<Option<ActorDecision>, Refusal> {
    match state.commands().seen(tag.id, &tag.subject) {
        Seen::New => Ok(None),
        Seen::Applied { hash, first_seq } if hash == tag.hash => {
            Ok(Some(ActorDecision::Repeat { first_seq }))
        }
        Seen::Applied { .. } => Err(id_reused().into()),
        Seen::PerhapsLongAgo => Ok(Some(ActorDecision::LookUp(tag.clone()))),
    }
}

/// The refusal of a command id that was used before with another body.
pub fn id_reused() -> Rejection {
    let sentence =
        "expected a new id for a new command, but this id was used before with another body";
    Rejection::new(RejectionKind::IdReused, sentence)
}

fn written(
    state: &InstanceState,
    process: &Arc<DeployedProcess>,
    outcome: StepOutcome,
    before: SearchedTexts,
) -> ActorDecision {
    match outcome.row {
        None => ActorDecision::InstanceResponse(InstanceResponse::Unchanged),
        Some(row) => {
            let committed = Arc::new(Committed {
                row,
                cause: outcome.cause,
                ..committed_state(state, process)
            });
            ActorDecision::Write {
                committed,
                effects: outcome.effects,
                before,
            }
        }
    }
}

/// The state of an instance, as a committed row without records.
pub fn committed_state(state: &InstanceState, process: &Arc<DeployedProcess>) -> Committed {
    let empty = engine::RecordBatch {
        first_seq: state.seq(),
        time: state.created_at(),
        command: None,
        by: None,
        ignored: Vec::new(),
        records: Vec::new(),
        trace: None,
    };
    Committed {
        instance: state.key(),
        process: process.clone(),
        row: empty,
        cause: None,
        members: state.members(),
        next: next_step(&process.executable, state),
        children: state
            .children()
            .values()
            .filter(|child| child.status.is_live())
            .cloned()
            .collect(),
        rendered: Rendered::default(),
    }
}

/// The state of an instance; `whole` adds data, view and open messages.
pub fn observe(
    state: &InstanceState,
    process: &Arc<DeployedProcess>,
    whole: bool,
    now: Time,
) -> Observed {
    Observed {
        members: state.members(),
        process: process.clone(),
        seq: state.seq(),
        created_at: state.created_at(),
        ended_at: state.ended_at(),
        next: next_step(&process.executable, state),
        children: state.children().values().cloned().collect(),
        whole: whole.then(|| InstanceContents {
            data: state.shared_data(),
            view: state.shared_view(),
            open: state
                .open(now)
                .map(|(seq, message)| (seq, message.clone()))
                .collect(),
            subscriptions: state
                .all_subscriptions()
                .map(|(by, open)| (by, open.clone()))
                .collect(),
        }),
        rendered: Rendered::default(),
        missed: MissedRows::default(),
    }
}
