//! The recipes of docs/reverse-proxy.md, run as printed: a real proxy terminates TLS in front of a
//! server, and clients can use everything behind it. Only ports, names and certificates differ.
//!
//! Needs the proxies' programs. Without one, its test reports by name that it was skipped, unless
//! `STEPWIRE_TEST=all`.

mod client;

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use stepwire::web::http::server::Running;
use tempfile::TempDir;

use crate::support::{self, node::skip};
use client::Client;

const PAGE: &str = include_str!("../docs/reverse-proxy.md");

/// A recipe of the page, by the language of its block.
fn recipe(language: &str) -> &'static str {
    let block = PAGE
        .split(&format!("```{language}\n"))
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    block.unwrap_or_else(|| panic!("docs/reverse-proxy.md has no block of {language}"))
}

/// A recipe with this text in it replaced, which must be there.
#[track_caller]
fn with(recipe: String, from: &str, to: &str) -> String {
    assert!(recipe.contains(from), "expected {from} in {recipe}");
    recipe.replace(from, to)
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port is free")
        .port()
}

fn is_installed(program: &str) -> bool {
    Command::new(program)
        .arg("version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok()
}

/// A proxy that runs until it is dropped.
struct Proxy {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Proxy {
    /// Starts a program and waits until its port is open.
    fn start(mut command: Command, port: u16, folder: TempDir) -> Self {
        let log = fs::File::create(folder.path().join("log")).expect("a file for the log");
        let child = command
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("the proxy starts");
        let mut proxy = Self {
            child,
            port,
            folder,
        };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = proxy.child.try_wait().expect("it can be looked at");
            assert!(
                ended.is_none() && began.elapsed() < Duration::from_secs(20),
                "no proxy: {ended:?}\n{}",
                proxy.log()
            );
            std::thread::yield_now();
        }
        proxy
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // A word to end, as it has children of its own.
        let _ = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}

/// A server that believes proxies on this machine.
async fn server() -> (Running, u16) {
    let server = support::start(support::config(&["--trusted-proxies", "127.0.0.1"])).await;
    let port = server.addresses()[0].port();
    (server, port)
}

#[actix_web::test]
async fn the_recipe_for_nginx_works_as_printed() {
    let missing = ["nginx", "openssl"]
        .into_iter()
        .find(|program| !is_installed(program));
    if let Some(missing) = missing {
        return skip(
            "the_recipe_for_nginx_works_as_printed",
            &format!("{missing} is missing"),
        );
    }
    let ((server, behind), port) = (server().await, free_port());
    let folder = tempfile::tempdir().expect("a temporary directory");
    certificate(folder.path());
    let recipe = with(
        recipe("nginx").to_owned(),
        "server 127.0.0.1:8000;",
        &format!("server 127.0.0.1:{behind};"),
    );
    let recipe = with(
        recipe,
        "listen 443 ssl;",
        &format!("listen 127.0.0.1:{port} ssl;"),
    );
    let recipe = with(
        recipe,
        "server_name app.example.com;",
        "server_name localhost;",
    );
    let recipe = with(recipe, "/etc/ssl/app.example.com.pem", "certificate.pem");
    let recipe = with(recipe, "/etc/ssl/app.example.com.key", "certificate.key");
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {kind};\n"))
        .concat();
    let around =
        "daemon off;\npid nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n";
    fs::write(
        folder.path().join("nginx.conf"),
        format!("{around}{temporary}{recipe}}}\n"),
    )
    .expect("a configuration");
    let mut nginx = Command::new("nginx");
    nginx
        .args(["-e", "stderr", "-c", "nginx.conf", "-p"])
        .arg(folder.path());
    let proxy = Proxy::start(nginx, port, folder);
    play(&proxy, &server).await;
    drop(proxy);
    server.stop().await;
}

#[actix_web::test]
async fn the_recipe_for_caddy_works_as_printed() {
    if !is_installed("caddy") {
        return skip("the_recipe_for_caddy_works_as_printed", "caddy is missing");
    }
    let ((server, behind), port) = (server().await, free_port());
    let folder = tempfile::tempdir().expect("a temporary directory");
    let recipe = with(
        recipe("caddy").to_owned(),
        "127.0.0.1:8000",
        &format!("127.0.0.1:{behind}"),
    );
    // With a certificate of its own making.
    let recipe = with(
        recipe,
        "app.example.com {",
        &format!("https://localhost:{port} {{\n    bind 127.0.0.1\n    tls internal"),
    );
    let around = "{\n    admin off\n    skip_install_trust\n    auto_https disable_redirects\n}\n";
    fs::write(folder.path().join("Caddyfile"), format!("{around}{recipe}"))
        .expect("a configuration");
    let mut caddy = Command::new("caddy");
    caddy
        .args(["run", "--config", "Caddyfile"])
        .current_dir(folder.path());
    caddy
        .env("HOME", folder.path())
        .env("XDG_DATA_HOME", folder.path())
        .env("XDG_CONFIG_HOME", folder.path());
    let proxy = Proxy::start(caddy, port, folder);
    play(&proxy, &server).await;
    drop(proxy);
    server.stop().await;
}

/// A certificate for this machine, for a day.
fn certificate(folder: &Path) {
    let arguments = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=localhost",
    ];
    let files = ["-keyout", "certificate.key", "-out", "certificate.pem"];
    let made = Command::new("openssl")
        .args(arguments)
        .args(files)
        .current_dir(folder)
        .output()
        .expect("openssl runs");
    assert!(made.status.success(), "{made:?}");
}

/// The actions of clients.
async fn play(proxy: &Proxy, server: &Running) {
    let client = Client::new(proxy.port, server);
    client.pages_and_problems().await;
    client.sign_in_and_origins().await;
    client.websocket().await;
    client.stream().await;
    client.upload().await;
}
