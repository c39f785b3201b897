//! How long the nodes of a process take, computed from the visits of its newest instances.
//!
//! It is a sample of the log, without counters of its own: nothing is written for it when processes
//! run, and the cost of a request is limited by rows.

use std::collections::{BTreeMap, HashMap};

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    definitions::{unknown, versioned},
    json,
    listing::{require_operator, within},
    query,
};
use crate::{
    engine::{Record, RecordBatch},
    journal::{Entity, InstanceFilter, LogPart, PlaceFilter, StoreError, StoreReader, codec},
    limits,
    model::ids::{ElementKey, Time},
    web::{
        http::{app::App, problem::HttpProblem},
        openapi::shared::VersionPath,
    },
};

/// The sample.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct SampleQuery {
    /// How many of the newest instances at most; by default 100.
    #[param(minimum = 1, maximum = 1000)]
    instances: Option<usize>,
}

/// How long the nodes of a version take.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Statistics {
    /// The number of instances in the sample.
    instances: usize,
    /// Whether there are older instances, or parts of these were not read.
    truncated: bool,
    /// The visited nodes, by id.
    nodes: Vec<NodeStatistics>,
}

/// The visits of a node.
#[derive(Serialize, ToSchema, Default, PartialEq, Debug)]
#[serde(rename_all = "camelCase")]
struct NodeStatistics {
    node: String,
    /// Visits, including active ones.
    visits: usize,
    /// Active visits.
    running: usize,
    /// Visits with an incident.
    incidents: usize,
    /// The median of completed visits, in milliseconds; absent if there are none.
    #[schema(required)]
    median_ms: Option<u64>,
    /// The 95th percentile.
    #[schema(required)]
    p95_ms: Option<u64>,
    /// The total time of completed visits.
    total_ms: u64,
}

/// `GET /v1/definitions/{id}/{version}/statistics?instances=` → `{"instances","truncated","nodes"}`.
///
/// # Errors
/// 400, 401, 403 without role operator or admin, 404.
#[utoipa::path(get, path = "/v1/definitions/{id}/{version}/statistics", tag = "definitions", operation_id = "getStatistics", summary = "Read \
    how long the nodes of a version take", params(VersionPath, SampleQuery),
    responses((status = 200, body = Statistics), (status = 400), (status = 403), (status = 404)))]
pub async fn statistics(
    request: HttpRequest,
    path: Path<(String, String)>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let (principal, _) = app.user(&request)?;
    require_operator(&principal.caller)?;
    let parameters: SampleQuery = query(request.query_string())?;
    let maximum = limits::STATISTICS_INSTANCES;
    let length = within(
        "instances",
        parameters.instances.unwrap_or(maximum / 10),
        maximum,
        "",
    )?;
    let (id, version) = versioned(&path)?;
    let tenant = principal.caller.tenant.clone();
    let definitions = &app.sessions.runtime.definitions;
    definitions
        .undeleted(&tenant, id, version)
        .ok_or_else(unknown)?;
    let filter = InstanceFilter {
        tenant: Some(tenant),
        process: Some(id.to_owned()),
        version: Some(version),
        ..InstanceFilter::default()
    };
    let statistics = app
        .read(&principal.caller, move |reader| {
            sample(reader, &filter, length)
        })
        .await?;
    Ok(json(StatusCode::OK, &statistics))
}

fn sample(
    reader: &dyn StoreReader,
    filter: &InstanceFilter,
    length: usize,
) -> Result<Statistics, StoreError> {
    let mut found = reader.instances(filter, None, length + 1)?;
    let mut truncated = found.len() > length;
    found.truncate(length);
    let mut visits = Visits::default();
    let (mut left, mut bytes) = (limits::STATISTICS_ROWS, 0);
    for instance in &found {
        let part = LogPart::read(reader, Entity::from(instance.key), 0, left)?;
        for stored in &part.rows {
            visits.take(&codec::decode(&stored.row.body)?);
        }
        visits.open.clear();
        if instance.incidents > 0 {
            let place = PlaceFilter {
                tenant: instance.tenant.clone(),
                instance: Some(instance.key),
                process: None,
            };
            for incident in reader.incidents(&place, None, limits::LISTED)? {
                visits.of(&incident.node).incidents += 1;
            }
        }
        left -= part.rows.len();
        bytes += part.bytes;
        truncated |= part.is_cut;
        if left == 0 || bytes >= limits::LOG_PART_BYTES {
            truncated = true;
            break;
        }
    }
    Ok(Statistics {
        instances: found.len(),
        truncated,
        nodes: visits.into_nodes(),
    })
}

/// Visits while they are read from the log, instance by instance.
#[derive(Default)]
struct Visits {
    nodes: BTreeMap<String, OfNode>,
    /// The active visits of the instance that is read: node, and since when.
    open: HashMap<ElementKey, (String, Time)>,
}

#[derive(Default)]
struct OfNode {
    begun: usize,
    incidents: usize,
    /// In milliseconds.
    took: Vec<u64>,
}

impl Visits {
    fn take(&mut self, row: &RecordBatch) {
        for (seq, record) in row.numbered() {
            if let Record::ElementActivated { node, .. } | Record::Returned { node, .. } = record {
                self.of(node).begun += 1;
                let begun = (node.to_string(), row.time);
                self.open.insert(ElementKey(seq), begun);
            }
            let (Record::ElementCompleted { element, .. }
            | Record::ElementTerminated { element, .. }) = record
            else {
                continue;
            };
            if let Some((node, since)) = self.open.remove(element) {
                let took = row.time.0.saturating_sub(since.0);
                self.of(&node).took.push(took.max(0).unsigned_abs());
            }
        }
    }

    fn of(&mut self, node: &str) -> &mut OfNode {
        if !self.nodes.contains_key(node) {
            self.nodes.insert(node.to_owned(), OfNode::default());
        }
        self.nodes.entry(node.to_owned()).or_default()
    }

    fn into_nodes(self) -> Vec<NodeStatistics> {
        let statistics = |(node, mut of): (String, OfNode)| {
            of.took.sort_unstable();
            NodeStatistics {
                node,
                visits: of.begun,
                running: of.begun - of.took.len(),
                incidents: of.incidents,
                median_ms: quantile(&of.took, 50),
                p95_ms: quantile(&of.took, 95),
                total_ms: of.took.iter().sum(),
            }
        };
        self.nodes.into_iter().map(statistics).collect()
    }
}

/// The smallest of the sorted values that is not exceeded by this percentage of them.
fn quantile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_the_smallest_sufficient_value() {
        assert_eq!(quantile(&[], 50), None);
        assert_eq!((quantile(&[7], 50), quantile(&[7], 95)), (Some(7), Some(7)));
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!(quantile(&hundred, 50), Some(50));
        assert_eq!(quantile(&hundred, 95), Some(95));
        assert_eq!(quantile(&[1, 2, 3], 95), Some(3));
    }
}
