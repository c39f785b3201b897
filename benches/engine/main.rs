//! The cost of the engine alone: of a step, by the size of the model and by the number of completed
//! and of active elements; and of reading a definition, as a deploy does.
//!
//! `cargo bench --bench engine` prints the tables of `docs/benchmarks.md`; with names of tables, only
//! those. The figures are medians of many steps of one instance, without journal and without a
//! client; the load generator (`benches/load`) measures a whole server.

mod models;

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use stepwire::{
    engine::{
        self, Command, InstanceState, StepInput,
        command::{RunAction, StartInstance},
        next_step::next_step,
        record::{Created, ProcessRef},
    },
    expression,
    journal::codec,
    limits::InstanceLimits,
    model::{
        compile::compile,
        evaluator::Evaluator,
        executable::ExecutableProcess,
        ids::{ElementKey, InstanceKey, Time},
        source::{SourceFormat, read_source},
    },
};
use uuid::Uuid;

/// Steps of which the median is taken.
const STEPS: usize = 400;
/// Numbers of nodes of the models, or of elements.
const SIZES: [usize; 3] = [10, 1_000, 10_000];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let named: Vec<&String> = arguments
        .iter()
        .filter(|word| !word.starts_with('-'))
        .collect();
    let tables: [(&str, fn()); 4] = [
        ("size", by_size),
        ("completed", by_completed),
        ("active", by_active),
        ("deploy", deploys),
    ];
    for (name, table) in tables {
        if named.is_empty() || named.iter().any(|word| *word == name) {
            table();
        }
    }
}

/// A step of a small loop, in models of each size.
fn by_size() {
    println!("| a step, in a model of | 10 nodes | 1,000 | 10,000 |\n| --- | --- | --- | --- |");
    for kind in models::KINDS {
        let cells = SIZES.map(|size| {
            let mut instance = Instance::start(&models::looping(kind, size));
            for _ in 0..STEPS / 4 {
                instance.complete_last();
            }
            shown(median((0..STEPS).map(|_| instance.complete_last())))
        });
        println!("| {} | {} |", kind.label, cells.join(" | "));
    }
}

/// A step after elements have completed in a loop, by their number.
fn by_completed() {
    println!(
        "\n| a step, after | 10 completed elements | 1,000 | 10,000 |\n| --- | --- | --- | --- |"
    );
    for (label, back) in [("not retained", false), ("retained for back steps", true)] {
        let mut instance = Instance::start(&models::returning(back));
        let mut completed = 0;
        let cells = SIZES.map(|size| {
            while completed + 3 < size {
                instance.complete_last();
                // The task and two gateways.
                completed += 3;
            }
            let mut copy = instance.clone();
            shown(median((0..STEPS / 20).map(|_| copy.complete_last())))
        });
        println!("| {label} | {} |", cells.join(" | "));
    }
}

/// A step in an instance with many active elements, by their number.
fn by_active() {
    println!(
        "\n| in an instance of | 10 active elements | 1,000 | 10,000 |\n| --- | --- | --- | --- |"
    );
    for joined in [false, true] {
        let mut rows = [const { Vec::new() }; 4];
        for size in SIZES {
            let begun = Instant::now();
            let mut instance = Instance::start(&models::fork(size, joined));
            rows[0].push(shown(begun.elapsed()));
            let next = median((0..5).map(|_| instance.reads()));
            let bytes = codec::encode(&instance.state)
                .expect("states can be encoded")
                .len();
            let steps = STEPS.min(size / 2);
            rows[1].push(shown(median((0..steps).map(|_| instance.complete_last()))));
            rows[2].push(shown(next));
            rows[3].push(format!("{} KiB", bytes / 1024));
        }
        let ending = if joined {
            "before a join"
        } else {
            "each to an end"
        };
        let names = [
            "deploy and start",
            "a step",
            "the next step as clients get it",
            "a snapshot",
        ];
        for (name, cells) in names.iter().zip(rows) {
            println!("| {name} ({ending}) | {} |", cells.join(" | "));
        }
    }
}

/// Reading, checking and compiling a definition.
fn deploys() {
    println!("\n| a deploy of | 10 nodes | 1,000 | 10,000 |\n| --- | --- | --- | --- |");
    for kind in models::KINDS {
        let cells = SIZES.map(|size| {
            let xml = models::looping(kind, size);
            shown(median((0..3).map(|_| {
                let begun = Instant::now();
                black_box(deployed(&xml));
                begun.elapsed()
            })))
        });
        println!("| {} | {} |", kind.label, cells.join(" | "));
    }
}

type Deployed = (Arc<ExecutableProcess>, Arc<dyn Evaluator>);

fn deployed(xml: &str) -> Deployed {
    let read = read_source(xml.as_bytes(), SourceFormat::BpmnXml)
        .unwrap_or_else(|problems| panic!("{problems:#?}"));
    let (definition, _) = read.into_iter().next().expect("a file of one process");
    let evaluator =
        expression::compile(&definition).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let (process, _) = compile(definition).unwrap_or_else(|problems| panic!("{problems:#?}"));
    (Arc::new(process), evaluator)
}

/// An instance that is driven by completing its user tasks.
#[derive(Clone)]
struct Instance {
    deployed: Deployed,
    state: InstanceState,
}

impl Instance {
    fn start(xml: &str) -> Self {
        let (process, evaluator) = deployed(xml);
        let key = InstanceKey(Uuid::from_u128(1));
        let head = Created {
            key,
            tenant: "default".to_owned(),
            process: ProcessRef {
                id: process.definition.id.clone(),
                version: 1,
                revision: String::new(),
            },
            business_key: None,
            parent: None,
            started_by: "ada".to_owned(),
            data: json!({"n": 1}),
            expires_at: None,
            origin: None,
            test: false,
            scheduled_for: None,
            correlation: None,
        };
        let start = StartInstance {
            trace: None,
            head,
            start_condition: None,
            start_event: None,
        };
        let (state, _) = engine::start(&process, evaluator.as_ref(), start, input())
            .unwrap_or_else(|rejection| panic!("{rejection:?}"));
        Self {
            deployed: (process, evaluator),
            state,
        }
    }

    /// Completes the user task that was activated last; returns the duration.
    fn complete_last(&mut self) -> Duration {
        let (process, evaluator) = &self.deployed;
        let is_task = |node: &str| node.starts_with('u');
        let tasks = self
            .state
            .active()
            .filter(|(_, element)| is_task(element.node()));
        let (element, _) = tasks.last().expect("a user task waits");
        self.run(element, process.clone(), evaluator.clone())
    }

    fn run(
        &mut self,
        element: ElementKey,
        process: Arc<ExecutableProcess>,
        evaluator: Arc<dyn Evaluator>,
    ) -> Duration {
        let run = RunAction {
            action: "complete".to_owned(),
            element: Some(element),
            data: json!({}),
            file: None,
        };
        let begun = Instant::now();
        let outcome = engine::step(
            &process,
            evaluator.as_ref(),
            &mut self.state,
            Command::Run(run),
            input(),
        );
        let took = begun.elapsed();
        black_box(outcome.unwrap_or_else(|rejection| panic!("{rejection:?}")));
        took
    }

    /// The duration of deriving the next step.
    fn reads(&self) -> Duration {
        let begun = Instant::now();
        black_box(next_step(&self.deployed.0, &self.state));
        begun.elapsed()
    }
}

fn input() -> StepInput<'static> {
    StepInput {
        span: None,
        now: Time(0),
        child_key: &|seq| InstanceKey(Uuid::from_u64_pair(2, seq)),
        caller: None,
        command: None,
        limits: InstanceLimits {
            elements_per_command: 100_000,
            active_elements: 100_000,
            ..InstanceLimits::default()
        },
        tree_room: 1,
    }
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    times[times.len() / 2]
}

fn shown(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    match micros {
        ..100.0 => format!("{micros:.1} µs"),
        ..10_000.0 => format!("{micros:.0} µs"),
        _ => format!("{:.0} ms", micros / 1e3),
    }
}
