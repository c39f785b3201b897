//! The process of a workflow number, and the instances that are its jobs.

use std::{collections::HashMap, ops::RangeInclusive, sync::Arc};

use actix_web::HttpRequest;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{
    engine::access::Caller,
    model::ids::{InstanceKey, Time},
    runtime::{definitions::DeployedProcess, instance_request::Observed},
    session::protocol::code::ErrorCode,
    web::{
        http::{app::App, parameters, problem::HttpProblem},
        instance_client::instance_key,
    },
};

/// The query of a URL, by name; unknown names are ignored.
pub struct Named(HashMap<String, String>);

/// The parameter that names a workflow.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OfWorkflow {
    /// The workflow's number.
    #[param(example = 41)]
    pub w: i64,
}

/// The parameter that names a job.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OfJob {
    /// The job's id.
    pub i: Uuid,
}

/// The parameter of a search.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WorkflowSearch {
    /// The text; an empty one matches everything.
    pub s: Option<String>,
}

/// The documentation of a process; if there is none, its name.
pub fn description(process: &DeployedProcess) -> &str {
    let definition = &process.executable.definition;
    definition
        .documentation
        .as_deref()
        .unwrap_or(&process.row.name)
}

impl Named {
    /// Reads the query of a request.
    ///
    /// # Errors
    /// 400.
    pub fn read(request: &HttpRequest) -> Result<Self, HttpProblem> {
        let pairs = parameters::pairs(request.query_string())?;
        let mut named = HashMap::new();
        for (name, value) in pairs {
            if named.insert(name.clone(), value).is_some() {
                let sentence =
                    format!("expected each name behind '?' once, but '{name}' occurs twice");
                return Err(HttpProblem::new(ErrorCode::BadRequest, sentence));
            }
        }
        Ok(Self(named))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The workflow's number.
    ///
    /// # Errors
    /// 400 if it is missing.
    pub fn workflow(&self) -> Result<i64, HttpProblem> {
        let number = self.get("w").and_then(|text| text.parse().ok());
        number.ok_or_else(|| {
            let sentence =
                "expected the number of a workflow as 'w', such as ?w=41, but there is none";
            HttpProblem::new(ErrorCode::BadRequest, sentence)
        })
    }

    /// The job's id.
    ///
    /// # Errors
    /// 400 if it is missing, 404 for a text that is no id.
    pub fn job(&self) -> Result<InstanceKey, HttpProblem> {
        let sentence = "expected the id of a job as 'i', but there is none";
        instance_key(
            self.get("i")
                .ok_or_else(|| HttpProblem::new(ErrorCode::BadRequest, sentence))?,
        )
    }

    /// The comment of a decision.
    pub fn comment(&self) -> Option<&str> {
        self.get("comment")
    }

    /// The text of a job's id, if there is one.
    pub fn job_text(&self) -> Option<&str> {
        self.get("i").filter(|text| !text.is_empty())
    }

    /// The parameter with this name.
    ///
    /// # Errors
    /// 400 if it is missing or empty.
    pub fn required(&self, name: &str) -> Result<&str, HttpProblem> {
        self.get(name)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| {
                HttpProblem::new(
                    ErrorCode::BadRequest,
                    format!("expected '{name}' behind '?', but there is none"),
                )
            })
    }

    /// An integer within a range.
    ///
    /// # Errors
    /// 400 for anything else.
    pub fn number(&self, name: &str, range: RangeInclusive<u64>) -> Result<u64, HttpProblem> {
        let text = self.required(name)?;
        text.parse()
            .ok()
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                let (first, last) = (range.start(), range.end());
                let wanted = if *last == u64::MAX {
                    format!("from {first} on")
                } else {
                    format!("from {first} to {last}")
                };
                let sentence = format!(
                    "expected '{name}' to be a whole number {wanted}, but it is another text"
                );
                HttpProblem::new(ErrorCode::BadRequest, sentence)
            })
    }

    /// A time in milliseconds since 1970, which may have a fraction.
    ///
    /// # Errors
    /// 400 for anything else.
    pub fn time(&self, name: &str) -> Result<Time, HttpProblem> {
        let millis: Option<f64> = self.required(name)?.parse().ok();
        millis
            .filter(|millis| millis.is_finite())
            .map(|millis| Time(millis as i64))
            .ok_or_else(|| {
                let sentence = format!(
                    "expected '{name}' to be a time in milliseconds since 1970, \
                but it is another text"
                );
                HttpProblem::new(ErrorCode::BadRequest, sentence)
            })
    }

    /// The text to search for, in lower case; an empty one matches everything.
    pub fn keyword(&self) -> String {
        self.get("s").unwrap_or_default().to_lowercase()
    }
}

impl App {
    /// A time in the format of this API.
    pub fn date_time(&self, time: Time) -> String {
        self.config.jobs_date_time_format.write(time.0)
    }

    /// The process with this number, published or disabled.
    ///
    /// # Errors
    /// 404 if there is none.
    pub fn workflow(
        &self,
        caller: &Caller,
        number: i64,
    ) -> Result<Arc<DeployedProcess>, HttpProblem> {
        self.sessions
            .runtime
            .definitions
            .with_alias(&caller.tenant, number)
            .ok_or_else(|| {
                let sentence = format!(
                    "expected the number of a workflow, but no published process \
                has the alias {number}"
                );
                HttpProblem::new(ErrorCode::NotFound, sentence)
            })
    }

    /// Reads a job of this workflow with the caller's permissions.
    ///
    /// # Errors
    /// 404 if there is none that the caller may see.
    pub async fn job(
        &self,
        caller: &Caller,
        workflow: i64,
        job: InstanceKey,
    ) -> Result<Arc<Observed>, HttpProblem> {
        let observed = self.observe(job, caller, false).await?;
        // It stays a job of its workflow when the process is published again with another number,
        // or with none.
        if observed.process.row.alias == Some(workflow)
            || self
                .workflow(caller, workflow)
                .is_ok_and(|process| process.row.id == observed.process.row.id)
        {
            return Ok(observed);
        }
        let sentence =
            format!("expected a job of workflow {workflow}, but this one belongs to another");
        Err(HttpProblem::new(ErrorCode::NotFound, sentence))
    }
}
