//! The container file matches the program and the project: options, port, directory, user, compiler
//! and health check.

use std::{fs, process::Command};

use super::root;

/// The instructions, with continued lines joined and comments left out.
fn instructions() -> Vec<(String, String)> {
    let file = root().join("docs/operations/Containerfile");
    let text = fs::read_to_string(file).expect("the container file");
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let joined = lines.join("\n").replace("\\\n", " ");
    let instructions = joined.lines().filter_map(|line| line.split_once(' '));
    instructions
        .map(|(name, rest)| (name.to_owned(), rest.trim().to_owned()))
        .collect()
}

/// The arguments of an instruction, for each occurrence.
fn all(name: &str) -> Vec<String> {
    let named = instructions().into_iter().filter(|(it, _)| it == name);
    named.map(|(_, rest)| rest).collect()
}

fn only(name: &str) -> String {
    let mut found = all(name);
    assert_eq!(found.len(), 1, "{name}: {found:?}");
    found.remove(0)
}

/// The value of a variable.
fn variable(name: &str) -> String {
    let variables = only("ENV");
    let mut pairs = variables.split(' ').filter_map(|pair| pair.split_once('='));
    let found = pairs.find(|(it, _)| *it == name);
    found
        .unwrap_or_else(|| panic!("{name} in {variables}"))
        .1
        .to_owned()
}

/// The word after an option of a command.
fn behind<'a>(command: &'a str, option: &str) -> &'a str {
    let (_, rest) = command
        .split_once(option)
        .unwrap_or_else(|| panic!("{option} in {command}"));
    rest.split_whitespace().next().expect("a word behind it")
}

#[test]
fn variables_of_the_image_are_options_of_the_program() {
    let help = Command::new(env!("CARGO_BIN_EXE_stepwire"))
        .arg("--help")
        .output()
        .expect("the program runs");
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    for pair in only("ENV").split(' ') {
        let (name, _) = pair.split_once('=').expect("NAME=VALUE");
        assert!(
            help.contains(&format!("[env: {name}")),
            "no option reads {name}"
        );
    }
}

#[test]
fn port_directory_and_user_of_the_image_agree() {
    let port = only("EXPOSE");
    assert_eq!(variable("STEPWIRE_LISTEN"), format!("0.0.0.0:{port}"));
    let health = only("HEALTHCHECK");
    assert!(
        health.contains(&format!("/dev/tcp/127.0.0.1/{port} ")),
        "{health}"
    );
    assert!(health.contains("GET /healthz "), "{health}");
    let data = variable("STEPWIRE_DATA");
    assert_eq!(only("VOLUME"), data);
    let commands = all("RUN");
    let user = commands
        .iter()
        .find(|it| it.contains("useradd"))
        .expect("a user");
    assert_eq!(behind(user, "--home-dir"), data);
    assert_eq!(behind(user, "--uid"), only("USER"));
    let order = instructions();
    let place = |name: &str| order.iter().rposition(|(it, _)| it == name);
    assert!(
        place("USER") > place("RUN"),
        "what a volume holds belongs to its user"
    );
}

#[test]
fn the_image_is_built_as_documented() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the manifest");
    let (_, version) = manifest.split_once("rust-version = \"").expect("a version");
    let version = version.split('"').next().expect("its end");
    assert!(
        all("FROM")[0].contains(&format!("rust:{version}-")),
        "{:?}",
        all("FROM")
    );
    let commands = all("RUN");
    let build = commands
        .iter()
        .find(|it| it.contains("cargo build"))
        .expect("a build");
    let profile = behind(build, "--profile");
    assert!(
        manifest.contains(&format!("[profile.{profile}]")),
        "{profile}"
    );
    assert!(
        build.contains("STEPWIRE_WEB=require "),
        "an image without pages: {build}"
    );
    // The program that was built is the one that is run.
    let (_, built) = build.rsplit_once(" cp ").expect("a copy of what was built");
    let built = built.split_whitespace().collect::<Vec<_>>();
    assert_eq!(built[0], format!("target/{profile}/stepwire"));
    let copies = all("COPY");
    let copied = copies.last().expect("it is copied");
    assert_eq!(
        *copied,
        format!("--from=build {} /usr/local/bin/stepwire", built[1])
    );
    assert_eq!(only("ENTRYPOINT"), r#"["/usr/local/bin/stepwire"]"#);
}

/// Runs the image's health check, as written there, against a server that answers and one that does
/// not.
#[cfg(unix)]
#[test]
fn the_health_check_detects_a_server_that_does_not_answer() {
    use std::{
        io::{Read, Write},
        net::TcpListener,
        thread,
    };
    let (_, command) = only("HEALTHCHECK")
        .split_once("CMD ")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .expect("a command");
    let command: Vec<String> = serde_json::from_str(&command).expect("a list of words");
    for (answer, is_healthy) in [("HTTP/1.1 200 OK", true), ("HTTP/1.1 503 Busy", false)] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it listens").port();
        let answering = thread::spawn(move || {
            let (mut peer, _) = listener.accept().expect("it is asked");
            // The output arrives line by line.
            let (mut requested, mut piece) = (Vec::new(), [0; 1_024]);
            while !requested.ends_with(b"\r\n\r\n") {
                match peer.read(&mut piece).expect("a request") {
                    0 => break,
                    read => requested.extend(&piece[..read]),
                }
            }
            let requested = String::from_utf8_lossy(&requested).into_owned();
            write!(peer, "{answer}\r\n\r\n").expect("an answer");
            requested
        });
        let script = command[2].replace("/8000 ", &format!("/{port} "));
        let status = Command::new(&command[0])
            .args([&command[1], &script])
            .status();
        assert_eq!(status.expect("bash runs").success(), is_healthy, "{answer}");
        let requested = answering.join().expect("it was asked");
        assert!(
            requested.starts_with("GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n"),
            "{requested:?}"
        );
    }
    let nobody = command[2].replace("/8000 ", "/1 ");
    let status = Command::new(&command[0])
        .args([&command[1], &nobody])
        .output();
    assert!(!status.expect("bash runs").status.success());
}
