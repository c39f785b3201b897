//! The load benchmarks: the real server program under websocket load, durable, on one machine.
//!
//! `cargo bench --bench load -- B1 --connections 256 --seconds 10`; several numbers of connections
//! are measured one after another. The generator shares the machine with the server, so its own
//! cost is kept small and shown. It prints a table, and JSON with `--json`. The targets are in
//! `docs/benchmarks.md`; `benches/engine` has the micro benchmarks.

mod approvals;
mod cold_start;
mod curves;
mod fanout;
mod figures;
mod http;
mod idle;
mod latencies;
mod other;
mod other_session;
mod picture;
mod rest;
mod rule;
mod server;
mod steps;
mod storm;
mod sync_latency;
mod timers;
mod waiting;
mod wire;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::{Parser, ValueEnum};

use curves::Curve;
use figures::Figures;
use steps::Stepped;
use storm::Followed;

/// Load benchmarks of the server program
#[derive(Parser)]
struct Arguments {
    /// The measurement to run
    scenario: Scenario,
    /// Connections, each with one command in progress; several numbers are measured one after
    /// another
    #[arg(long, value_delimiter = ',', default_value = "1,16,64,256")]
    connections: Vec<usize>,
    /// Duration of each measurement, in seconds
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Pause of each client between a reply and its next command, in milliseconds
    #[arg(long, default_value_t = 0)]
    pause: u64,
    /// Followers in a storm, and of the instance in B4
    #[arg(long, value_delimiter = ',', default_value = "5000")]
    followers: Vec<usize>,
    /// Number of timers in B5
    #[arg(long, default_value_t = 10_000)]
    timers: usize,
    /// The curve to measure [default: all]
    #[arg(long, value_delimiter = ',')]
    curve: Vec<Curve>,
    /// Largest size of a curve that is measured
    #[arg(long, default_value_t = usize::MAX, hide_default_value = true)]
    maximum: usize,
    /// Directory for the pictures of the curves
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/curves"))]
    pictures: PathBuf,
    /// Recipe of the requests to another engine, which is running already
    #[arg(long)]
    recipe: Option<PathBuf>,
    /// Address of that engine
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// Header of each request to it, as 'name: value'; may be repeated
    #[arg(long)]
    header: Vec<String>,
    /// Number of waiting instances in B3
    #[arg(long, default_value_t = 100_000)]
    instances: usize,
    /// Program to measure instead of the one just built, for comparisons
    #[arg(long, default_value = env!("CARGO_BIN_EXE_stepwire"))]
    server: PathBuf,
    /// Directory in which data directories are created; choose the disk to measure
    #[arg(long, default_value = env!("CARGO_TARGET_TMPDIR"))]
    directory: PathBuf,
    /// Also print each measurement as one line of JSON
    #[arg(long)]
    json: bool,
    /// Set by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "UPPER")]
enum Scenario {
    /// Start, automatic push, manual action, end
    B1,
    /// Run an action until the client holds the next step and its data
    B2,
    /// Memory, disk and restart time with many waiting instances
    B3,
    /// One push to thousands of followers of the same instance
    B4,
    /// Thousands of timers that are due at once, and users who act meanwhile
    B5,
    /// Cold start and size of the program
    B8,
    /// The same action over REST and over a websocket
    #[value(name = "rest")]
    Rest,
    /// The same approval with a business rule in JavaScript, and without
    #[value(name = "rule")]
    Rule,
    /// An action until another session of its user has received its push
    #[value(name = "session")]
    Session,
    /// Thousands of clients are disconnected and reconnect at once; the server stops meanwhile
    #[value(name = "storm")]
    Storm,
    /// The same measurements at growing sizes, as pictures
    #[value(name = "curves")]
    Curves,
    /// The three steps of B1 over HTTP on any engine, by a recipe
    #[value(name = "engine")]
    Engine,
}

/// An error ends the measurement, because its figures would be worth nothing.
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match measure(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &Arguments) -> Outcome<()> {
    let tokio = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let length = Duration::from_secs(arguments.seconds);
    let pause = Duration::from_millis(arguments.pause);
    let place = server::Place {
        program: &arguments.server,
        directory: &arguments.directory,
    };
    let show = |figures: Figures| {
        figures.print_table();
        if arguments.json {
            figures.print_json();
        }
    };
    match arguments.scenario {
        Scenario::B1 => {
            for &connections in &arguments.connections {
                show(tokio.block_on(approvals::measure(&place, connections, length, pause))?);
            }
        }
        Scenario::B2 => {
            for &connections in &arguments.connections {
                let stepped = Stepped::default();
                let steps = steps::measure(&place, &stepped, connections, length, pause);
                show(tokio.block_on(steps)?);
            }
        }
        Scenario::B3 => show(tokio.block_on(waiting::measure(&place, arguments.instances))?),
        Scenario::B4 => {
            for &followers in &arguments.followers {
                show(tokio.block_on(fanout::measure(&place, followers))?);
            }
        }
        Scenario::B5 => show(tokio.block_on(timers::measure(&place, arguments.timers))?),
        Scenario::Rest => {
            for &connections in &arguments.connections {
                show(tokio.block_on(rest::measure(&place, connections, length))?);
            }
        }
        Scenario::Rule => {
            for &connections in &arguments.connections {
                show(tokio.block_on(rule::measure(&place, connections, length))?);
            }
        }
        Scenario::Session => {
            for &pairs in &arguments.connections {
                show(tokio.block_on(other_session::measure(&place, pairs, length))?);
            }
        }
        Scenario::Storm => {
            for &followers in &arguments.followers {
                for followed in [Followed::One, Followed::Own] {
                    let storm = storm::measure(&place, followers, followed);
                    show(tokio.block_on(storm)?);
                }
            }
        }
        Scenario::Curves => {
            let all = Curve::value_variants();
            let curves = match arguments.curve.is_empty() {
                true => all,
                false => &arguments.curve,
            };
            for &curve in curves {
                let maximum = arguments.maximum;
                let drawn = curves::measure(&place, curve, maximum, length, &arguments.pictures);
                tokio.block_on(drawn)?;
            }
        }
        Scenario::Engine => {
            let recipe = arguments.recipe.as_deref();
            let recipe = recipe.ok_or("expected --recipe FILE, which says what to ask")?;
            let (url, headers) = (&arguments.url, &arguments.header);
            for &connections in &arguments.connections {
                let requested = other::measure(recipe, url, headers, connections, length);
                show(tokio.block_on(requested)?);
            }
        }
        Scenario::B8 => show(cold_start::measure(&place)?),
    }
    Ok(())
}
