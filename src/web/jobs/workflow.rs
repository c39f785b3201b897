//! Which process a number means, and which instances are its jobs.

use std::sync::Arc;

use actix_web::HttpRequest;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{
    engine::access::Caller,
    model::ids::InstanceKey,
    runtime::{ask::Observed, definitions::DeployedProcess},
    session::frames::code::ErrorCode,
    web::{app::App, asking::instance_key, problem::Problem, routes::query_problem},
};

/// What stands behind the `?` of an address; what is not known is passed over.
#[derive(Deserialize)]
pub struct Named {
    w: Option<String>,
    i: Option<String>,
    s: Option<String>,
    comment: Option<String>,
}

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
pub struct Sought {
    /// The text; nothing finds everything.
    pub s: Option<String>,
}

/// What a process is for, in the words of its modeller; its name when there are none.
pub fn description(process: &DeployedProcess) -> &str {
    process.executable.definition.documentation.as_deref().unwrap_or(&process.executable.name)
}

impl Named {
    /// Reads the address of a request.
    ///
    /// # Errors
    /// 400.
    pub fn read(request: &HttpRequest) -> Result<Self, Problem> {
        let query = actix_web::web::Query::<Self>::from_query(request.query_string());
        Ok(query.map_err(|error| query_problem(&error))?.into_inner())
    }

    /// The workflow's number.
    ///
    /// # Errors
    /// 400 when there is none.
    pub fn workflow(&self) -> Result<i64, Problem> {
        let number = self.w.as_deref().and_then(|text| text.parse().ok());
        number.ok_or_else(|| {
            let sentence = "expected the number of a workflow as 'w', such as ?w=41, but there is none";
            Problem::new(ErrorCode::BadRequest, sentence)
        })
    }

    /// The job's id.
    ///
    /// # Errors
    /// 400 when there is none, 404 for what is no id.
    pub fn job(&self) -> Result<InstanceKey, Problem> {
        let sentence = "expected the id of a job as 'i', but there is none";
        instance_key(self.i.as_deref().ok_or_else(|| Problem::new(ErrorCode::BadRequest, sentence))?)
    }

    /// What is said to a decision.
    pub fn comment(&self) -> Option<&str> {
        self.comment.as_deref()
    }

    /// What is searched for, in lower case; everything when it is empty.
    pub fn keyword(&self) -> String {
        self.s.as_deref().unwrap_or_default().to_lowercase()
    }
}

impl App {
    /// The process with this number, also while it is disabled.
    ///
    /// # Errors
    /// 404 when there is none.
    pub fn workflow(&self, caller: &Caller, number: i64) -> Result<Arc<DeployedProcess>, Problem> {
        self.sessions.runtime.definitions.with_alias(&caller.tenant, number).ok_or_else(|| {
            let sentence = format!("expected the number of a workflow, but no published process has the alias {number}");
            Problem::new(ErrorCode::NotFound, sentence)
        })
    }

    /// Looks at a job of this workflow with the caller's eyes.
    ///
    /// # Errors
    /// 404 when there is none, or none the caller may see.
    pub async fn job(&self, caller: &Caller, workflow: i64, job: InstanceKey) -> Result<Box<Observed>, Problem> {
        let observed = self.observe(job, caller, false).await?;
        // A job stays one of its workflow when the process is published anew with another number, or not any more.
        if observed.process.row.alias == Some(workflow)
            || self.workflow(caller, workflow).is_ok_and(|process| process.row.id == observed.process.row.id)
        {
            return Ok(observed);
        }
        let sentence = format!("expected a job of workflow {workflow}, but this one belongs to another");
        Err(Problem::new(ErrorCode::NotFound, sentence))
    }
}
