//! The results of a measurement: named numbers, printed for people and for programs.

use std::{borrow::Cow, time::Duration};

use serde_json::{Map, Value, json};

use super::latencies::Latencies;

/// The figures of one measurement, in order.
pub struct Figures {
    title: String,
    lines: Vec<(Cow<'static, str>, f64, &'static str)>,
}

impl Figures {
    /// No figures yet.
    pub fn new(title: String) -> Self {
        let mut figures = Self {
            title,
            lines: Vec::new(),
        };
        figures.note(
            "cores",
            std::thread::available_parallelism().map_or(0, usize::from) as f64,
            "",
        );
        figures
    }

    /// Adds a number with its unit.
    pub fn note(&mut self, name: impl Into<Cow<'static, str>>, value: f64, unit: &'static str) {
        self.lines.push((name.into(), value, unit));
    }

    /// A number by its name, with its unit.
    pub fn find(&self, name: &str) -> Option<(f64, &'static str)> {
        let found = self.lines.iter().find(|(it, ..)| *it == name);
        found.map(|&(_, value, unit)| (value, unit))
    }

    /// Adds a duration.
    pub fn note_time(&mut self, name: impl Into<Cow<'static, str>>, time: Duration) {
        self.note(name, time.as_secs_f64() * 1e3, "ms");
    }

    /// Adds the median, the 99th percentile and the maximum of durations.
    pub fn note_latencies(&mut self, names: [&'static str; 3], latencies: &mut Latencies) {
        for (name, quantile) in names.into_iter().zip([0.5, 0.99, 1.0]) {
            self.note_time(name, latencies.at(quantile));
        }
    }

    /// Prints one figure per line.
    pub fn print_table(&self) {
        println!("{}", self.title);
        for (name, value, unit) in &self.lines {
            let digits = if value.abs() < 100.0 && value.fract() != 0.0 {
                2
            } else {
                0
            };
            println!("  {name:<28} {value:>12.digits$} {unit}");
        }
    }

    /// Prints all figures in one line.
    pub fn print_json(&self) {
        println!("{}", self.to_json());
    }

    /// All figures as one object.
    pub fn to_json(&self) -> Value {
        let mut fields = Map::new();
        fields.insert("measurement".into(), self.title.clone().into());
        fields.extend(self.lines.iter().map(|(name, value, unit)| {
            (
                name.clone().into_owned(),
                json!({"value": value, "unit": unit}),
            )
        }));
        Value::Object(fields)
    }
}
