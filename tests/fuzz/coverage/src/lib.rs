//! The targets of `tests/fuzz` for cargo-fuzz: the same functions, inputs and changes as in the
//! tests, with libFuzzer's choice of which inputs are kept and changed again.
//!
//! A program of this package is one target. Besides libFuzzer's options it knows
//! `STEPWIRE_FUZZ_WRITE=folder`: it writes its first inputs there, and libFuzzer's dictionary
//! `folder/../dictionary`, and ends.

use std::{env, fmt::Write, fs, io, path::Path, process, sync::OnceLock};

use simulation::random::Random;
use stepwire::expression::worker;

use tests::{engine, fuzz::mutate, simulation, support};

pub use tests::fuzz::table;

/// The modules of the project's tests that the targets need.
#[allow(dead_code, unused_imports, missing_docs)]
#[path = "../../.."]
mod tests {
    pub mod engine;
    pub mod fuzz {
        use std::{
            env,
            path::{Path, PathBuf},
        };

        pub mod mutate;
        pub mod seeds;
        pub mod table;
        pub mod targets;

        /// The counters double the time, roughly.
        const SLOWNESS: u32 = 3;

        fn root() -> PathBuf {
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
        }

        /// Each of these programs runs scripts, too.
        fn script_worker() -> PathBuf {
            env::current_exe().expect("the program has a path")
        }
    }
    pub mod simulation {
        pub mod random;
    }
    pub mod support {
        pub mod expected;
    }
}

/// The maximum length of inputs from which pieces are taken, in bytes.
const PIECES: usize = 16 * 1024;

/// A program of cargo-fuzz for the target with this name.
#[macro_export]
macro_rules! target {
    ($name:literal) => {
        libfuzzer_sys::fuzz_target!(init: $crate::begin($name), |input: &[u8]| {
            $crate::table::target($name).read(input)
        });
        libfuzzer_sys::fuzz_mutator!(|input: &mut [u8], size: usize, longest: usize, seed: u32| {
            $crate::change(input, size, longest, seed)
        });
    };
}

/// Runs before libFuzzer reads its arguments.
pub fn begin(name: &'static str) {
    if let Some(served) = worker::serve_if_worker() {
        process::exit(i32::from(served.is_err()));
    }
    if let Some(folder) = env::var_os("STEPWIRE_FUZZ_WRITE") {
        write_inputs(name, Path::new(&folder)).expect("the folder can be written to");
        process::exit(0);
    }
    // libFuzzer's hook ends the program at every panic, even one that the program under test catches.
    drop(std::panic::take_hook());
    INPUTS.get_or_init(|| {
        let mut inputs = table::target(name).inputs();
        inputs.retain(|input| input.len() <= PIECES);
        inputs
    });
}

static INPUTS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();

fn write_inputs(name: &str, folder: &Path) -> io::Result<()> {
    for (number, input) in table::target(name).inputs().iter().enumerate() {
        fs::write(folder.join(format!("{number:04}")), input)?;
    }
    let mut dictionary = String::new();
    for word in mutate::WORDS {
        let bytes = word.bytes().fold(String::new(), |mut bytes, byte| {
            write!(bytes, "\\x{byte:02x}").expect("texts take all text");
            bytes
        });
        writeln!(dictionary, "\"{bytes}\"").expect("texts take all text");
    }
    fs::write(folder.with_file_name("dictionary"), dictionary)
}

/// Changes an input, half the time by libFuzzer's mutations and half by those of the tests. Returns
/// its new size.
pub fn change(input: &mut [u8], size: usize, longest: usize, seed: u32) -> usize {
    if seed.is_multiple_of(2) {
        return libfuzzer_sys::fuzzer_mutate(input, size, longest);
    }
    let others = INPUTS.get().map(Vec::as_slice).unwrap_or_default();
    let mut changed = mutate::mutate(&mut Random::new(seed.into()), &input[..size], others);
    changed.truncate(longest);
    input[..changed.len()].copy_from_slice(&changed);
    changed.len()
}
