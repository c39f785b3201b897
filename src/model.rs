//! What a process definition is: elements, flows, actions, templates; and how it is read, validated
//! and compiled.
//!
//! The path of a definition: [`source`] reads BPMN XML or JSON into a [`definition`], [`validate`]
//! lists all its problems, and [`compile`] makes the [`executable`] form, which the engine runs.
//! Parts of the compiled form: [`path`], [`template`], [`keys`], [`copying`], [`deep_merge`],
//! [`upload`], [`timer_cycle`], [`task_settings`], [`http_request`], [`webhook`],
//! [`search_attributes`]. Views for frontends: [`frontend_view`], [`input_schema`], [`typescript`].
//!
//! Not here: running a process (`engine`), evaluating conditions and schemas (`expression`, behind
//! [`evaluator`]).

pub mod action;
pub mod ad_hoc;
pub mod arithmetic;
pub mod bpmn_xml;
pub mod business_key;
pub mod called_process;
pub mod catch;
pub mod compile;
pub mod computation;
pub mod computed_template;
pub mod content_hash;
pub mod copying;
pub mod cron;
pub mod deep_merge;
pub mod definition;
mod element_type;
pub mod entry_points;
pub mod evaluator;
pub mod event_definition;
pub mod executable;
pub mod expression_language;
pub mod field_error;
pub mod frontend_view;
pub mod hash_text;
pub mod http_request;
pub mod ids;
pub mod input_schema;
pub mod json;
pub mod keys;
pub mod loop_characteristics;
pub mod mapping;
pub mod message_event;
pub mod moment;
pub mod node_kind;
pub mod one_or_several;
pub mod path;
pub mod plain_expression;
pub mod problem;
pub mod schedule;
pub mod search_attributes;
pub mod source;
pub mod start_message;
pub mod task_settings;
pub mod template;
pub mod timer_cycle;
pub mod typescript;
pub mod unconditional_starts;
pub mod upload;
pub mod upstream;
pub mod user_name;
pub mod validate;
pub mod variables;
pub mod webhook;
