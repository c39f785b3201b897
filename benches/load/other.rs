//! The same three steps over HTTP on any engine: start an instance with a form, read the form,
//! complete it. A recipe has the requests; the engine runs already, with its process deployed.
//!
//! A recipe is JSON: `name`, and `steps`, each with `name`, `method`, `path`, an optional `body`,
//! and `take`, which stores values of the response under names, by JSON pointers. `${name}` in
//! paths and bodies is replaced by a stored value. Headers, such as a token, come from the command
//! line.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use reqwest::{
    Client, Method,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde::Deserialize;
use serde_json::Value;

use super::{Outcome, figures::Figures, latencies::Latencies, server};

/// The recipe.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    name: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    name: String,
    method: String,
    path: String,
    #[serde(default)]
    body: Option<Value>,
    #[serde(default)]
    take: BTreeMap<String, String>,
}

/// The data that every client needs.
struct Engine {
    recipe: Recipe,
    address: String,
    client: Client,
}

/// Runs a recipe with so many clients and returns the figures.
pub async fn measure(
    recipe: &Path,
    address: &str,
    headers: &[String],
    connections: usize,
    length: Duration,
) -> Outcome<Figures> {
    let recipe: Recipe = serde_json::from_str(&fs::read_to_string(recipe)?)?;
    let mut sent = HeaderMap::new();
    for header in headers {
        let (name, value) = header
            .split_once(':')
            .ok_or("expected a header as 'name: value', but it has no colon")?;
        sent.insert(
            HeaderName::try_from(name.trim())?,
            HeaderValue::try_from(value.trim())?,
        );
    }
    let client = Client::builder()
        .default_headers(sent)
        .tcp_nodelay(true)
        .pool_max_idle_per_host(connections)
        .no_proxy()
        .build()?;
    let address = address.trim_end_matches('/').to_owned();
    let title = format!("{}: {connections} connections", recipe.name);
    let engine = std::sync::Arc::new(Engine {
        recipe,
        address,
        client,
    });
    let generator = server::cpu_seconds("self")?;
    let began = Instant::now();
    let tasks: Vec<_> = (0..connections)
        .map(|_| tokio::spawn(run_until(engine.clone(), began + length)))
        .collect();
    let mut all: Vec<Latencies> = engine
        .recipe
        .steps
        .iter()
        .map(|_| Latencies::default())
        .collect();
    for task in tasks {
        let seen = task.await?.map_err(|error| error.to_string())?;
        for (all, one) in all.iter_mut().zip(seen) {
            all.join(one);
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    let mut figures = Figures::new(title);
    let instances = all.last().map_or(0, Latencies::len);
    figures.note("instances per second", instances as f64 / seconds, "");
    let generator = server::cpu_seconds("self")? - generator;
    figures.note("generator cpu", generator, "s");
    for (step, latencies) in engine.recipe.steps.iter().zip(&mut all) {
        for (what, quantile) in [("p50", 0.5), ("p99", 0.99)] {
            figures.note_time(format!("{} {what}", step.name), latencies.at(quantile));
        }
    }
    Ok(figures)
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn run_until(
    engine: std::sync::Arc<Engine>,
    end: Instant,
) -> Result<Vec<Latencies>, Failure> {
    let steps = &engine.recipe.steps;
    let mut seen: Vec<Latencies> = steps.iter().map(|_| Latencies::default()).collect();
    while Instant::now() < end {
        let mut kept = BTreeMap::new();
        for (step, latencies) in steps.iter().zip(&mut seen) {
            let began = Instant::now();
            engine.take(step, &mut kept).await?;
            latencies.note(began.elapsed());
        }
    }
    Ok(seen)
}

impl Engine {
    async fn take(&self, step: &Step, kept: &mut BTreeMap<String, String>) -> Result<(), Failure> {
        let filled = |text: &str| {
            let fill = |text: String, (name, value): (&String, &String)| {
                text.replace(&format!("${{{name}}}"), value)
            };
            kept.iter().fold(text.to_owned(), fill)
        };
        let url = format!("{}{}", self.address, filled(&step.path));
        let mut request = self.client.request(Method::try_from(&*step.method)?, url);
        if let Some(body) = &step.body {
            let body = filled(&body.to_string());
            request = request
                .header("content-type", "application/json")
                .body(body);
        }
        let answer = request.send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            return Err(format!("expected {} to succeed, but {status}: {text}", step.name).into());
        }
        if step.take.is_empty() {
            return Ok(());
        }
        let body: Value = serde_json::from_str(&text)?;
        for (name, pointer) in &step.take {
            let found = match body.pointer(pointer) {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => {
                    let what = format!("expected {pointer} in what {} answers", step.name);
                    return Err(format!("{what}, but got {text}").into());
                }
            };
            kept.insert(name.clone(), found);
        }
        Ok(())
    }
}
