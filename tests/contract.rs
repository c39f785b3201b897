//! The documents against the server: what they name is what there is, and what the server says has
//! the shape they tell.

mod clients;
mod conformance;
mod frames;
mod openapi;
mod schemathesis;
mod shape;
mod strict;
mod ui;
