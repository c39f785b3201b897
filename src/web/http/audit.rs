//! Lines of the log and rows of the audit log about what administrators and designers do, and lines
//! about failed sign-ins.
//!
//! A request that is cut off may still have taken effect: then the line says that this is not
//! known, so nobody can act unseen by disconnecting. Not here: what operators do to instances
//! (`runtime`), the format of lines (`logging`).
//!
//! # Rationale
//!
//! **Lines about administrators are written by the request handler**, which knows the user; a
//! request that is cut off gets a line, too, because its change may be durable. Incidents are
//! logged behind the commit gate, so each is logged once.

use std::{net::IpAddr, sync::PoisonError};

use actix_web::{HttpRequest, ResponseError, http::StatusCode};

use super::{app::App, problem::HttpProblem};
use crate::{
    logging::{self, AUDIT, LineQuota, LogField},
    runtime::{
        audit::{AuditLog, AuditNote, PendingRow, while_doing},
        clock::steady_now,
    },
    session::auth::token::Identity,
};

/// Lines about failed sign-ins in a minute; the next line says how many were left out.
const FAILED_SIGN_INS: u32 = 20;

/// An act of an administrator that is about to happen.
pub struct Act {
    audit: AuditLog,
    tenant: String,
    by: String,
    address: Option<IpAddr>,
    what: &'static str,
    fields: Vec<(&'static str, LogField)>,
    under_way: bool,
    /// The row, until a change has taken it.
    row: PendingRow,
}

impl Act {
    /// An act of a signed-in user.
    pub fn by(app: &App, request: &HttpRequest, by: &Identity, what: &'static str) -> Self {
        Self {
            audit: app.sessions.runtime.audit.clone(),
            tenant: by.tenant.clone(),
            by: by.subject.clone(),
            address: app.approach(request.head()).address,
            what,
            fields: Vec::new(),
            under_way: true,
            row: PendingRow::default(),
        }
    }

    /// An act of the owner of the data directory.
    pub fn by_owner(app: &App, what: &'static str) -> Self {
        Self {
            audit: app.sessions.runtime.audit.clone(),
            tenant: Identity::owner().tenant,
            by: "the owner of the data directory".to_owned(),
            address: None,
            what,
            fields: Vec::new(),
            under_way: true,
            row: PendingRow::default(),
        }
    }

    /// Sets another tenant than the user's own.
    #[must_use]
    pub fn in_tenant(mut self, tenant: &str) -> Self {
        tenant.clone_into(&mut self.tenant);
        self
    }

    /// Adds an object of the act. Never a password, a token or a user's data.
    #[must_use]
    pub fn on(mut self, name: &'static str, value: impl Into<LogField>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// Performs the act, and logs it if it succeeds. Its row of the audit log is written with its
    /// change.
    ///
    /// # Errors
    /// Those of the act; then nothing is logged.
    pub async fn done<T, E>(self, doing: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let mut act = self;
        let (outcome, is_noted) = act.while_doing(doing).await;
        act.under_way = false;
        if outcome.is_ok() {
            act.write(act.what, is_noted);
        }
        outcome
    }

    /// Performs the act, for a caller that logs it afterwards; here it is only logged if the
    /// request is cut off. Returns whether the audit log has its row already.
    pub async fn log_later<T>(self, doing: impl Future<Output = T>) -> (T, bool) {
        let mut act = self;
        let done = act.while_doing(doing).await;
        act.under_way = false;
        done
    }

    async fn while_doing<T>(&self, doing: impl Future<Output = T>) -> (T, bool) {
        let row = self.note(self.what).row();
        *self.row.lock().unwrap_or_else(PoisonError::into_inner) = Some(row);
        let outcome = while_doing(self.row.clone(), doing).await;
        (outcome, self.is_noted())
    }

    fn is_noted(&self) -> bool {
        let row = self.row.lock().unwrap_or_else(PoisonError::into_inner);
        row.is_none()
    }

    /// Logs an act that has already happened.
    pub fn is_done(self) {
        self.is_done_and(false);
    }

    /// The same; `is_noted` says whether the audit log has its row already.
    pub fn is_done_and(mut self, is_noted: bool) {
        self.under_way = false;
        self.write(self.what, is_noted);
    }

    fn note<'a>(&'a self, act: &'a str) -> AuditNote<'a> {
        AuditNote {
            tenant: &self.tenant,
            subject: &self.by,
            address: self.address,
            act,
            details: &self.fields,
        }
    }

    fn write(&self, message: &str, is_noted: bool) {
        let mut fields = vec![
            ("by", LogField::from(&self.by)),
            ("tenant", LogField::from(&self.tenant)),
        ];
        fields.extend(self.fields.iter().cloned());
        logging::event(log::Level::Info, AUDIT, message, &fields);
        if !is_noted {
            self.audit.note(self.note(message).row());
        }
    }
}

impl Drop for Act {
    fn drop(&mut self) {
        if self.under_way {
            let message = format!(
                "{}, perhaps: the request was cut off before its answer",
                self.what
            );
            // A change that was handed over has taken the row with it.
            self.write(&message, self.is_noted());
        }
    }
}

impl App {
    /// Logs a failed sign-in, unless there were too many; with the name, if one was given.
    pub fn sign_in_failed(&self, request: &HttpRequest, name: Option<&str>, problem: &HttpProblem) {
        static QUOTA: LineQuota = LineQuota::per_minute(FAILED_SIGN_INS);
        let status = problem.status_code();
        if !matches!(
            status,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS
        ) {
            return;
        }
        let Some(left_out) = QUOTA.take(steady_now().0) else {
            return;
        };
        let mut fields: Vec<(&str, LogField)> = vec![("status", u32::from(status.as_u16()).into())];
        fields.extend(name.map(|name| ("user", name.into())));
        fields.extend(
            self.approach(request.head())
                .address
                .map(|address| ("address", LogField::Text(address.to_string()))),
        );
        if left_out > 0 {
            fields.push(("left_out", left_out.into()));
        }
        logging::event(log::Level::Warn, AUDIT, "a sign-in failed", &fields);
    }
}
