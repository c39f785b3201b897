//! `GET /v1/instances/{key}/stream` as clients see it: byte by byte, against the real program.
//!
//! `reader` parses the stream and checks every chunk. Frames are compared with those of a websocket
//! that follows the same run.

mod anonymous;
mod ends;
mod frames;
pub mod reader;
mod resumes;
