//! The counters and histograms of the process, for `GET /metrics`.
//!
//! Any layer outside of the pure core may count here; the model, the expressions and the engine do
//! not. Handles are resolved once, so counting is an atomic addition, after a look-up in a map for
//! those with labels. Values that can be read on request (connections, queues) are not kept here:
//! see `web::rest::metrics`. Refusals by limits are counted separately: `limits::Limit`.

use std::{
    hash::Hash,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use dashmap::DashMap;
use metrics::{Counter, Histogram, Key, Label, Level, Metadata, Recorder, Unit};
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

use crate::limits::Limit;

/// Histogram bounds of commit durations, in seconds: from memory to an overloaded disk.
const SECONDS: [f64; 12] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0,
];
/// Histogram bounds of commit sizes, in log rows.
const ROWS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 64.0, 256.0, 512.0, 1024.0];

const COMMIT_SECONDS: &str = "stepwire_commit_seconds";
const COMMIT_ROWS: &str = "stepwire_commit_rows";
const COMMANDS: &str = "stepwire_commands_total";
const PUSHES: &str = "stepwire_pushes_total";
const CLOSES: &str = "stepwire_websocket_closes_total";
const REFUSED: &str = "stepwire_refused_total";
const REQUESTS: &str = "stepwire_http_requests_total";
const PACKED: &str = "stepwire_packed_rows_total";
const DROPPED: &str = "stepwire_dropped_instances_total";
const SPANS_SENT: &str = "stepwire_spans_sent_total";
const SPANS_DROPPED: &str = "stepwire_spans_dropped_total";

/// The meters of this process.
pub struct Meters {
    /// Frames sent over websockets.
    pub pushes: Counter,
    /// Packed rows of the log.
    pub packed_rows: Counter,
    /// Dropped instances.
    pub dropped_instances: Counter,
    /// Spans that the collector accepted.
    pub spans_sent: Counter,
    /// Spans dropped because there was no room or no collector accepted them.
    pub spans_dropped: Counter,
    commit_seconds: Histogram,
    commit_rows: Histogram,
    commands: Family<(&'static str, &'static str)>,
    closes: Family<u16>,
    requests: Family<(&'static str, &'static str, u16)>,
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    rendering: Mutex<()>,
}

/// The meters. There is one set per process, as metrics describe processes.
pub fn meters() -> &'static Meters {
    static METERS: LazyLock<Meters> = LazyLock::new(Meters::new);
    &METERS
}

/// Counters of one name, distinguished by labels. Callers must ensure that there are few labels.
struct Family<K> {
    name: &'static str,
    known: DashMap<K, Counter>,
}

impl<K: Eq + Hash> Family<K> {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            known: DashMap::new(),
        }
    }

    fn count(&self, recorder: &PrometheusRecorder, key: K, labels: impl FnOnce(&K) -> Vec<Label>) {
        if let Some(counter) = self.known.get(&key) {
            return counter.increment(1);
        }
        let counter =
            recorder.register_counter(&Key::from_parts(self.name, labels(&key)), &METADATA);
        counter.increment(1);
        self.known.insert(key, counter);
    }
}

static METADATA: Metadata<'static> = Metadata::new("stepwire", Level::INFO, None);

impl Meters {
    fn new() -> Self {
        let builder = PrometheusBuilder::new();
        let bounded = builder
            .set_buckets_for_metric(Matcher::Full(COMMIT_SECONDS.to_owned()), &SECONDS)
            .and_then(|builder| {
                builder.set_buckets_for_metric(Matcher::Full(COMMIT_ROWS.to_owned()), &ROWS)
            });
        // The only possible error is empty bounds.
        let recorder = bounded.unwrap_or_default().build_recorder();
        let describe = |name: &'static str, unit, text: &'static str| {
            recorder.describe_counter(name.into(), unit, text.into());
        };
        describe(
            COMMANDS,
            None,
            "Commands that instances decided, by kind and outcome",
        );
        describe(PUSHES, None, "Frames sent over websockets");
        describe(PACKED, None, "Rows of the log that were packed");
        describe(DROPPED, None, "Instances that were dropped");
        describe(SPANS_SENT, None, "Spans that the collector took");
        describe(
            SPANS_DROPPED,
            None,
            "Spans that were dropped, as the collector did not keep up or did not take them",
        );
        describe(
            CLOSES,
            None,
            "Websockets that ended, by close code; 1006 without one",
        );
        describe(
            REQUESTS,
            None,
            "HTTP requests answered, by method, route and status",
        );
        describe(
            REFUSED,
            None,
            "Work that was refused because of a limit, by limit",
        );
        recorder.describe_histogram(
            COMMIT_SECONDS.into(),
            Some(Unit::Seconds),
            "How long commits took, sync included".into(),
        );
        recorder.describe_histogram(COMMIT_ROWS.into(), None, "Log rows in a commit".into());
        Self {
            pushes: recorder.register_counter(&Key::from_static_name(PUSHES), &METADATA),
            packed_rows: recorder.register_counter(&Key::from_static_name(PACKED), &METADATA),
            dropped_instances: recorder
                .register_counter(&Key::from_static_name(DROPPED), &METADATA),
            spans_sent: recorder.register_counter(&Key::from_static_name(SPANS_SENT), &METADATA),
            spans_dropped: recorder
                .register_counter(&Key::from_static_name(SPANS_DROPPED), &METADATA),
            commit_seconds: recorder
                .register_histogram(&Key::from_static_name(COMMIT_SECONDS), &METADATA),
            commit_rows: recorder
                .register_histogram(&Key::from_static_name(COMMIT_ROWS), &METADATA),
            commands: Family::new(COMMANDS),
            closes: Family::new(CLOSES),
            requests: Family::new(REQUESTS),
            handle: recorder.handle(),
            recorder,
            rendering: Mutex::new(()),
        }
    }

    /// Counts a commit: its log rows and its duration, including sync.
    pub fn committed(&self, rows: usize, took: Duration) {
        self.commit_rows.record(rows as f64);
        self.commit_seconds.record(took.as_secs_f64());
    }

    /// Counts a command that an instance has decided.
    pub fn command(&self, kind: &'static str, outcome: &'static str) {
        let labels =
            |&(kind, outcome): &_| vec![Label::new("kind", kind), Label::new("outcome", outcome)];
        self.commands.count(&self.recorder, (kind, outcome), labels);
    }

    /// Counts a websocket that was closed with this code.
    pub fn closed(&self, code: u16) {
        self.closes.count(&self.recorder, code, |code| {
            vec![Label::new("code", code.to_string())]
        });
    }

    /// Counts an answered request. The route is a pattern of the route table, never text of a
    /// client.
    pub fn request(&self, method: &'static str, route: &'static str, status: u16) {
        let labels = |&(method, route, status): &(&'static str, &'static str, u16)| {
            vec![
                Label::new("method", method),
                Label::new("route", route),
                Label::new("status", status.to_string()),
            ]
        };
        self.requests
            .count(&self.recorder, (method, route, status), labels);
    }

    /// Frees memory: histograms keep single values until then. Call it every few seconds.
    pub fn tidy(&self) {
        let _one_at_a_time = self.lock();
        self.handle.run_upkeep();
    }

    /// All metrics in Prometheus' text format, with these additional gauges: name, explanation,
    /// value.
    pub fn text(&self, gauges: &[(&'static str, &'static str, f64)]) -> String {
        let _one_at_a_time = self.lock();
        for &(name, text, value) in gauges {
            self.recorder.describe_gauge(name.into(), None, text.into());
            self.recorder
                .register_gauge(&Key::from_static_name(name), &METADATA)
                .set(value);
        }
        for limit in Limit::ALL {
            let labels = vec![Label::new("limit", limit.name())];
            self.recorder
                .register_counter(&Key::from_parts(REFUSED, labels), &METADATA)
                .absolute(limit.count());
        }
        let build = Key::from_parts(
            "stepwire_build_info",
            vec![Label::new("version", env!("CARGO_PKG_VERSION"))],
        );
        self.recorder.describe_gauge(
            "stepwire_build_info".into(),
            None,
            "The program's version".into(),
        );
        self.recorder.register_gauge(&build, &METADATA).set(1.0);
        self.handle.render()
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.rendering
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_metrics_are_in_the_exposition() {
        let meters = Meters::new();
        meters.committed(3, Duration::from_millis(2));
        meters.command("run", "applied");
        meters.command("run", "applied");
        meters.closed(4001);
        meters.request("GET", "/v1/instances/{key}", 200);
        meters.pushes.increment(5);
        let text = meters.text(&[("stepwire_connections", "Open connections", 7.0)]);
        for line in [
            "stepwire_commit_rows_bucket{le=\"4\"} 1",
            "stepwire_commit_seconds_bucket{le=\"0.0025\"} 1",
            "stepwire_commit_seconds_count 1",
            "stepwire_commands_total{kind=\"run\",outcome=\"applied\"} 2",
            "stepwire_websocket_closes_total{code=\"4001\"} 1",
            "stepwire_http_requests_total{method=\"GET\",route=\"/v1/instances/{key}\",status=\"200\"} \
            1",
            "stepwire_pushes_total 5",
            "stepwire_refused_total{limit=\"tickets\"} ",
            "# HELP stepwire_connections Open connections",
            "stepwire_connections 7",
            "# TYPE stepwire_commit_seconds histogram",
        ] {
            assert!(text.contains(line), "expected the line {line} in\n{text}");
        }
        meters.tidy();
        assert!(meters.text(&[]).contains("stepwire_commit_seconds_count 1"));
    }
}
