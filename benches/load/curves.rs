//! Curves: the same measurement at growing sizes, as pictures for the documentation.
//!
//! Each curve is one file, `NAME.svg`; `NAME.json` beside it has its figures, a line for each size.

use std::{fs, path::Path, time::Duration};

use clap::ValueEnum;

use super::{
    Outcome, approvals,
    figures::Figures,
    idle,
    picture::{Panel, draw},
    server::Place,
    steps::{self, Stepped},
    waiting,
};

/// The number of connections in the curves over other sizes.
const CONNECTIONS: usize = 16;

/// The size that grows.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub enum Curve {
    /// Waiting instances: 1,000 to 1,000,000
    Instances,
    /// Connections that start and finish instances: 1 to 1,024
    Connections,
    /// Data of an instance: 1 to 100 KB
    Data,
    /// Nodes of a process: 10 to 10,000
    Nodes,
    /// Idle connections: 1,000 to 15,000
    Idle,
}

impl Curve {
    fn name(self) -> &'static str {
        match self {
            Self::Instances => "instances",
            Self::Connections => "connections",
            Self::Data => "data",
            Self::Nodes => "nodes",
            Self::Idle => "idle",
        }
    }

    /// The name of the axis, and the sizes.
    fn sizes(self) -> (&'static str, &'static [usize]) {
        match self {
            Self::Instances => ("waiting instances", &[1_000, 10_000, 100_000, 1_000_000]),
            Self::Connections => ("connections", &[1, 4, 16, 64, 256, 1_024]),
            Self::Data => (
                "bytes of data in the instance",
                &[100, 1_000, 10_000, 100_000],
            ),
            Self::Nodes => ("nodes of the process", &[10, 100, 1_000, 10_000]),
            Self::Idle => ("open connections", &[1_000, 5_000, 10_000, 15_000]),
        }
    }

    /// The figures to show.
    fn shown(self) -> &'static [&'static str] {
        match self {
            Self::Instances => &[
                "starts per second",
                "memory with all at rest",
                "restart to first reply",
                "data directory per instance",
            ],
            Self::Connections => &["instances per second", "server cpu per instance", "run p50"],
            Self::Data | Self::Nodes => &["server cpu per action", "step p50", "step p99"],
            Self::Idle => &[
                "server memory",
                "memory per connection",
                "server cpu per connection and second",
            ],
        }
    }

    async fn measure(self, place: &Place<'_>, size: usize, length: Duration) -> Outcome<Figures> {
        let no_pause = Duration::ZERO;
        let step = |stepped: Stepped| async move {
            steps::measure(place, &stepped, CONNECTIONS, length, no_pause).await
        };
        match self {
            Self::Instances => waiting::measure(place, size).await,
            Self::Connections => approvals::measure(place, size, length, no_pause).await,
            Self::Data => {
                step(Stepped {
                    nodes: 0,
                    bytes: size,
                })
                .await
            }
            Self::Nodes => {
                step(Stepped {
                    nodes: size,
                    bytes: 0,
                })
                .await
            }
            Self::Idle => idle::measure(place, size, length).await,
        }
    }
}

/// Measures a curve and draws it; sizes above `maximum` are left out.
pub async fn measure(
    place: &Place<'_>,
    curve: Curve,
    maximum: usize,
    length: Duration,
    pictures: &Path,
) -> Outcome<()> {
    let (axis, sizes) = curve.sizes();
    let mut points: Vec<(f64, Figures)> = Vec::new();
    for &size in sizes.iter().filter(|&&size| size <= maximum) {
        let figures = curve.measure(place, size, length).await?;
        figures.print_table();
        points.push((size as f64, figures));
    }
    let mut panels = Vec::new();
    for &name in curve.shown() {
        let of = |(size, figures): &(f64, Figures)| {
            let (value, unit) = figures.find(name)?;
            Some((*size, value, unit))
        };
        let found: Vec<_> = points.iter().filter_map(of).collect();
        panels.push(Panel {
            title: name,
            unit: found.first().map_or("", |(.., unit)| unit),
            points: found
                .iter()
                .map(|(size, value, _)| (*size, *value))
                .collect(),
        });
    }
    fs::create_dir_all(pictures)?;
    let lines: String = points
        .iter()
        .map(|(_, figures)| figures.to_json().to_string() + "\n")
        .collect();
    fs::write(pictures.join(format!("{}.json", curve.name())), lines)?;
    let picture = pictures.join(format!("{}.svg", curve.name()));
    fs::write(&picture, draw(axis, &panels))?;
    eprintln!("drawn: {}", picture.display());
    Ok(())
}
