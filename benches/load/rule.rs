//! The same approval with and without a business rule in JavaScript behind the action.
//!
//! Both alternate on one server, so that other load of the machine affects both.

use std::time::Duration;

use super::{
    Outcome,
    approvals::{self, Load, Seen},
    figures::Figures,
    server::Place,
};

/// The number of turns of each.
const TURNS: u32 = 3;

/// Measures both and compares them.
pub async fn measure(place: &Place<'_>, connections: usize, length: Duration) -> Outcome<Figures> {
    let data = place.data()?;
    let server = place.start(data.path())?;
    eprintln!(
        "rule: {connections} connections, server process {}",
        server.pid()
    );
    let (mut without, mut with) = ((Seen::default(), 0.0), (Seen::default(), 0.0));
    for _ in 0..TURNS {
        for (process, sum) in [("loadApproval", &mut without), ("loadRule", &mut with)] {
            let load = Load {
                process,
                connections,
                length: length / TURNS,
                pause: Duration::ZERO,
            };
            let (seen, costs) = approvals::load(&server, &load).await?;
            sum.0.join(seen);
            sum.1 += costs.server_cpu;
        }
    }
    let mut figures = Figures::new(format!("A rule in the way: {connections} connections"));
    let each = |(seen, cpu): &(Seen, f64)| cpu * 1e6 / seen.runs.len() as f64;
    let (cpu_without, cpu_with) = (each(&without), each(&with));
    let [p50_without, p50_with] = [&mut without, &mut with].map(|(seen, _)| seen.runs.at(0.5));
    let without = &mut without.0.runs;
    figures.note_latencies(["without, p50", "without, p99", "without, max"], without);
    figures.note_latencies(["with, p50", "with, p99", "with, max"], &mut with.0.runs);
    let ratio = p50_with.as_secs_f64() / p50_without.as_secs_f64();
    figures.note("ratio of p50", ratio, "");
    figures.note("without, server cpu an instance", cpu_without, "us");
    figures.note("with, server cpu an instance", cpu_with, "us");
    figures.note("ratio of cpu", cpu_with / cpu_without, "");
    Ok(figures)
}
