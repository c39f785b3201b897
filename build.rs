//! Builds the browser's part of the server's pages (`static/`, which imports `sdk/src`) into
//! `OUT_DIR/web`, from where `rust-embed` takes it, and puts the documentation and the files of
//! Swagger UI beside it. It is not needed to compile the server: without Node a page that says so
//! is embedded instead.
//!
//! Scripts, style sheets, texts and drawings are stored compressed, as `NAME.gz`: they take a third of the
//! room in the program and on the way to a browser.
//!
//! `STEPWIRE_WEB=require` makes a missing or failing web build an error; `STEPWIRE_WEB=skip` leaves
//! it out.

use std::{
    env, fs,
    io::{self, Cursor},
    path::{Path, PathBuf},
    process::Command,
};

use flate2::{Compression, read::GzEncoder};
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

/// Never `node_modules`: a change there would build the crate anew each time.
const INPUTS: [&str; 7] = [
    "docs",
    "static/src",
    "static/build.mjs",
    "static/tsconfig.json",
    "static/package.json",
    "static/package-lock.json",
    "sdk/src",
];
/// What the page `/docs/api` needs of Swagger UI.
const API_PAGE: [&str; 4] = [
    "favicon-32x32.png",
    "index.css",
    "swagger-ui-bundle.js",
    "swagger-ui.css",
];
/// Endings of the files that are stored compressed.
const COMPRESSED: [&str; 5] = ["css", "js", "md", "svg", "txt"];
/// Endings of the files of the documentation.
const DOCS: [&str; 2] = ["md", "svg"];
const OLDEST_NODE: u32 = 20;
const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };
const PLACEHOLDER: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta \
    name=\"viewport\" content=\"width=device-width\">\n<title>Page not built</title>\n<h1>This \
    page was not built</h1>\n<p>The server runs, and so do its API and its websocket. The pages \
    that need scripts were left out, because Node 20 or newer was not there, or did not work, \
    when this program was compiled.</p>\n<p>Install Node with npm and run <code>cargo \
    build</code> again; a warning of the build names the cause.</p>\n</html>\n";

fn main() {
    fold_equal_functions();
    for input in INPUTS {
        println!("cargo::rerun-if-changed={input}");
    }
    println!("cargo::rerun-if-env-changed=STEPWIRE_WEB");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("web");
    let mode = env::var("STEPWIRE_WEB").unwrap_or_default();
    let built = if mode == "skip" {
        Err("STEPWIRE_WEB=skip".to_owned())
    } else {
        build(&out)
    };
    if let Err(cause) = built {
        assert!(
            mode != "require",
            "STEPWIRE_WEB=require, but the web pages could not be built: {cause}"
        );
        println!(
            "cargo::warning=the pages with scripts are left out: {}",
            cause.lines().take(8).collect::<Vec<_>>().join(" | ")
        );
        empty(&out)
            .and_then(|()| fs::write(out.join("missing.html"), PLACEHOLDER))
            .expect("OUT_DIR can be written");
    }
    unpack_api_page(&out.join("api"))
        .and_then(|()| copy_docs(Path::new("docs"), &out.join("docs")))
        .and_then(|()| compress(&out))
        .expect("OUT_DIR can be written");
}

/// Has a release keep one copy of functions whose code is equal, which generic code has some of:
/// 0.3 MB of the file. Only where rustc brings the linker LLD and links with it by default.
fn fold_equal_functions() {
    const TARGET: &str = "x86_64-unknown-linux-gnu";
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    let other_linker = env::var_os("RUSTC_LINKER").is_some()
        || env::var("CARGO_ENCODED_RUSTFLAGS").is_ok_and(|it| it.contains("link"));
    let here = is("HOST", TARGET) && is("TARGET", TARGET);
    if is("PROFILE", "release") && here && !other_linker && brings_lld(TARGET) {
        println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
    }
}

fn brings_lld(host: &str) -> bool {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let sysroot = Command::new(rustc).args(["--print", "sysroot"]).output();
    let lld = format!("lib/rustlib/{host}/bin/gcc-ld/ld.lld");
    sysroot.is_ok_and(|sysroot| {
        let sysroot = String::from_utf8_lossy(&sysroot.stdout);
        Path::new(sysroot.trim()).join(lld).exists()
    })
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| endings.contains(&ending))
}

fn copy_docs(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let copy = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_docs(&path, &copy)?;
        } else if has_ending(&path, &DOCS) {
            fs::copy(&path, &copy)?;
        }
    }
    Ok(())
}

fn unpack_api_page(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let path = entry.name()?.into_owned();
        let name = path.rsplit_once("/dist/").map(|(_, name)| name);
        if let Some(name) = name.filter(|name| API_PAGE.contains(name)) {
            let mut file = fs::File::create(folder.join(name))?;
            io::copy(&mut entry, &mut file)?;
        }
    }
    Ok(())
}

/// Replaces all files below a folder that are text by their compressed form.
fn compress(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            compress(&path)?;
        } else if has_ending(&path, &COMPRESSED) {
            let content = fs::read(&path)?;
            let mut packed = GzEncoder::new(&*content, Compression::best());
            let name = format!("{}.gz", path.display());
            io::copy(&mut packed, &mut fs::File::create(name)?)?;
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn build(out: &Path) -> Result<(), String> {
    let folder = Path::new("static");
    check_node()?;
    install(folder)?;
    empty(out).map_err(|error| error.to_string())?;
    run(Command::new("node")
        .arg("build.mjs")
        .arg(out)
        .current_dir(folder))
    .map(drop)
}

fn check_node() -> Result<(), String> {
    let version = run(Command::new("node").arg("--version"))?;
    let major = version
        .trim_start_matches('v')
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major >= OLDEST_NODE => Ok(()),
        _ => Err(format!(
            "expected Node {OLDEST_NODE} or newer, but found {}; install a newer one",
            version.trim()
        )),
    }
}

/// Installs the packages when the lock file is another one than last time. The stamp, a copy of the
/// lock file, is written last, so an install that was broken off is done again; two builds at once
/// wait for each other.
fn install(folder: &Path) -> Result<(), String> {
    let text = |error: io::Error| format!("{}: {error}", folder.display());
    let guard = fs::File::create(folder.join(".install-lock")).map_err(text)?;
    guard.lock().map_err(text)?;
    let wanted = fs::read(folder.join("package-lock.json")).map_err(text)?;
    let stamp = folder.join("node_modules/.stepwire-stamp");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    run(Command::new(NPM)
        .args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--prefer-offline",
        ])
        .current_dir(folder))?;
    fs::write(stamp, wanted).map_err(text)
}

fn empty(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => fs::create_dir_all(folder),
    }
}

/// Runs a command to its end and returns what it printed.
fn run(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| format!("{name}: {error}; is Node with npm installed?"))?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(said(&output.stdout));
    }
    Err(format!(
        "{name} ended with {}\n{}{}",
        output.status,
        said(&output.stderr),
        said(&output.stdout)
    ))
}
