//! The package of the client, as an app gets it: from the folder of a fresh clone, with Node and npm and nothing else.

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};

use super::pass;
use crate::{
    support::node,
    wire::{Server, tokens_of},
};

/// What apps have beside the client, at the versions that the client is tested with.
const BESIDE: [&str; 4] = ["ws", "@types/ws", "@types/node", "typescript"];

/// How apps resolve modules. The last is a page's: it has no types of Node.
const RESOLUTIONS: [&[&str]; 3] =
    [&["--module", "nodenext"], &["--module", "node16"], &["--module", "esnext", "--moduleResolution", "bundler"]];

#[test]
fn the_package_installs_from_its_folder() {
    if let Err(missing) = node::prepare("sdk") {
        return node::skip("package of the client", &missing);
    }
    let folder = tempfile::tempdir().expect("a directory can be made");
    let (clone, app) = (folder.path().join("sdk"), folder.path().join("app"));
    copy(&node::folder("sdk"), &clone);
    copy(&node::folder("tests/sdk/consumer"), &app);
    fs::write(app.join("package.json"), json!({"type": "module", "private": true}).to_string()).expect("it can be written");
    let mut install = node::npm();
    install.args(["install", "--no-audit", "--no-fund", "--prefer-offline", "file:../sdk"]).args(beside());
    pass(install.current_dir(&app));

    let server = Server::start();
    let tokens: Value = serde_json::from_str(&tokens_of(&[("ada", &[])])).expect("tokens are JSON");
    let mut run = Command::new("node");
    run.arg("run.mjs").env("STEPWIRE_URL", format!("ws://127.0.0.1:{}/v1/ws", server.port));
    pass(run.env("TOKEN", tokens["ada"].as_str().expect("ada has a token")).current_dir(&app));

    for resolution in RESOLUTIONS {
        let mut check = Command::new("node");
        check.args(["node_modules/typescript/bin/tsc", "--noEmit", "--strict", "--exactOptionalPropertyTypes"]);
        check.args(["--target", "es2022", "--lib", "es2022", "--types", "node"]).args(resolution).arg("use.ts");
        pass(check.current_dir(&app));
    }
    let lint = node::folder("sdk/node_modules/publint/src/cli.js");
    pass(Command::new("node").arg(lint).args(["run", "--strict"]).arg(&clone));
}

/// Name and version of each, as `npm install` takes them.
fn beside() -> Vec<String> {
    let text = fs::read(node::folder("sdk/package.json")).expect("the client has a package.json");
    let package: Value = serde_json::from_slice(&text).expect("it is JSON");
    let version = |name: &str| package["devDependencies"][name].as_str().expect("a version").to_owned();
    BESIDE.iter().map(|name| format!("{name}@{}", version(name))).collect()
}

/// All but what was made from it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory can be made");
    for entry in fs::read_dir(from).expect("a folder of the project").flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() && name != "node_modules" && name != "dist" {
            copy(&path, &to.join(name));
        } else if path.is_file() {
            fs::copy(&path, to.join(name)).expect("it can be copied");
        }
    }
}
