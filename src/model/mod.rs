//! What a process definition is: elements, flows, actions, templates; how it is read, checked and
//! compiled.
//!
//! The way of a definition: [`source`] reads BPMN XML or JSON into a [`definition`], [`validate`]
//! lists all its problems, [`compile`] makes the [`executable`] form, the only one the engine runs
//! on. What the compiled form is made of: [`path`], [`template`], [`keys`], [`copying`],
//! [`merging`], [`upload`], [`occurrences`], [`task_terms`], [`http_request`], [`webhook`],
//! [`searching`]. What frontends are told of it: [`frontend_view`], [`input_schema`],
//! [`typescript`].
//!
//! Not here: what running means (`engine`), how conditions and schemas are evaluated (`expression`,
//! behind [`evaluator`]).

pub mod action;
pub mod bpmn_xml;
pub mod certain_starts;
pub mod compile;
pub mod content_hash;
pub mod copying;
pub mod cron;
pub mod definition;
pub mod evaluator;
pub mod executable;
pub mod expression_language;
pub mod field_error;
pub mod frontend_view;
pub mod http_request;
pub mod ids;
pub mod input_schema;
pub mod json;
pub mod keys;
pub mod merging;
pub mod occurrences;
pub mod path;
pub mod problem;
pub mod schedule;
pub mod searching;
pub mod source;
pub mod start_message;
pub mod task_terms;
pub mod template;
pub mod typescript;
pub mod upload;
pub mod validate;
pub mod webhook;
