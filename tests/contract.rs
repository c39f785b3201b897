//! The published documents against the server: everything they name exists, and the server's
//! answers have the documented shape.

mod clients;
mod conformance;
mod frames;
mod openapi;
mod schemathesis;
mod shape;
mod strict;
mod ui;
