//! The package of the client, as an app installs it: from the folder of a fresh clone, with only
//! Node and npm.

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};

use super::pass;
use crate::{
    support::node,
    wire::{Server, tokens_of},
};

/// The dependencies of apps, in the versions with which the client is tested.
const BESIDE: [&str; 4] = ["ws", "@types/ws", "@types/node", "typescript"];

/// How apps resolve modules. The last is a page's: it has no types of Node.
const RESOLUTIONS: [&[&str]; 3] = [
    &["--module", "nodenext"],
    &["--module", "node16"],
    &["--module", "esnext", "--moduleResolution", "bundler"],
];

#[test]
fn the_package_installs_from_its_folder() {
    if let Err(missing) = node::prepare("sdk") {
        return node::skip("package of the client", &missing);
    }
    let folder = tempfile::tempdir().expect("a directory can be made");
    let (clone, app) = (folder.path().join("sdk"), folder.path().join("app"));
    copy(&node::folder("sdk"), &clone);
    copy(&node::folder("tests/sdk/consumer"), &app);
    fs::write(
        app.join("package.json"),
        json!({"type": "module", "private": true}).to_string(),
    )
    .expect("it can be written");
    let mut install = node::npm();
    install
        .args([
            "install",
            "--no-audit",
            "--no-fund",
            "--prefer-offline",
            "file:../sdk",
        ])
        .args(beside());
    pass(install.current_dir(&app));

    let server = Server::start();
    let tokens: Value = serde_json::from_str(&tokens_of(&[("ada", &[])])).expect("tokens are JSON");
    let mut run = Command::new("node");
    run.arg("run.mjs").env(
        "STEPWIRE_URL",
        format!("ws://127.0.0.1:{}/v1/ws", server.port),
    );
    pass(run.current_dir(&app));
    write_types(
        &app,
        server.port,
        tokens["ada"].as_str().expect("ada has a token"),
    );

    for resolution in RESOLUTIONS {
        let mut check = Command::new("node");
        check.args([
            "node_modules/typescript/bin/tsc",
            "--noEmit",
            "--strict",
            "--exactOptionalPropertyTypes",
        ]);
        check
            .args(["--target", "es2022", "--lib", "es2022", "--types", "node"])
            .args(resolution)
            .arg("use.ts");
        pass(check.current_dir(&app));
    }
    lint(&clone);
}

/// The package has the files named by `package.json`, and resolves for all users of ES modules.
fn lint(package: &Path) {
    let tools: [(&str, &[&str]); 2] = [
        ("publint/src/cli.js", &["run", "--strict", "."]),
        (
            "@arethetypeswrong/cli/dist/index.js",
            &["--pack", ".", "--profile", "esm-only"],
        ),
    ];
    for (tool, arguments) in tools {
        let tool = node::folder("sdk/node_modules").join(tool);
        pass(
            Command::new("node")
                .arg(tool)
                .args(arguments)
                .current_dir(package),
        );
    }
}

/// Has the types written by the package's own program, which also says whether they are still
/// right.
fn write_types(app: &Path, port: u16, token: &str) {
    let types = |token: &str, options: &[&str]| {
        let mut command = Command::new("node");
        command.args([
            "node_modules/.bin/stepwire-types",
            "--out",
            "types",
            "--url",
            &format!("http://127.0.0.1:{port}"),
        ]);
        command
            .args(options)
            .env("STEPWIRE_TOKEN", token)
            .current_dir(app);
        command
    };
    let reported = |mut command: Command, code: i32, words: &str| {
        let output = command.output().expect("node was there a moment ago");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(
            output.status.code() == Some(code) && text.contains(words),
            "{command:?} ended with {}:\n{text}",
            output.status
        );
    };
    reported(
        types(token, &["--check"]),
        1,
        "onboarding.d.ts is not as the server has it",
    );
    pass(&mut types(token, &[]));
    reported(
        types(token, &["--check"]),
        0,
        "types is as the server has it",
    );
    reported(
        types(token, &["--check", "onboarding"]),
        1,
        "cardOrder.d.ts is of a process that the server has not published",
    );
    reported(
        types(token, &["nowhere"]),
        2,
        "there is none of the name nowhere",
    );
    reported(types("", &[]), 2, "add --token, or set STEPWIRE_TOKEN");
    reported(
        types(token, &["--url", "http://127.0.0.1:1"]),
        2,
        "expected a server at http://127.0.0.1:1, but it cannot be reached",
    );
}

/// Name and version of each, as `npm install` takes them.
fn beside() -> Vec<String> {
    let text = fs::read(node::folder("sdk/package.json")).expect("the client has a package.json");
    let package: Value = serde_json::from_slice(&text).expect("it is JSON");
    let version = |name: &str| {
        package["devDependencies"][name]
            .as_str()
            .expect("a version")
            .to_owned()
    };
    BESIDE
        .iter()
        .map(|name| format!("{name}@{}", version(name)))
        .collect()
}

/// All files except those generated from it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory can be made");
    for entry in fs::read_dir(from)
        .expect("a folder of the project")
        .flatten()
    {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() && name != "node_modules" && name != "dist" {
            copy(&path, &to.join(name));
        } else if path.is_file() {
            fs::copy(&path, to.join(name)).expect("it can be copied");
        }
    }
}
