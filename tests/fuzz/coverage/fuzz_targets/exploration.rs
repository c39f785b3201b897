//! See `tests/fuzz/table.rs`.
#![no_main]
stepwire_fuzz::target!("exploration");
