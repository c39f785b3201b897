//! A server that may open few files: it reports this at its start, refuses connections it has no
//! room for, and accepts new ones when there is room again.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// The number of files that the server may have open: fewer than any system allows by default.
const FILES: u32 = 128;
/// More connections than that.
const CONNECTIONS: usize = 300;

/// The program, ended with the test.
struct Program {
    child: Child,
    address: SocketAddr,
    warned: String,
    _data: TempDir,
}

impl Program {
    fn start() -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let mut child = Command::new("sh")
            .args([
                "-c",
                "ulimit -n \"$0\"; exec \"$@\" 2>&1",
                &FILES.to_string(),
            ])
            .arg(env!("CARGO_BIN_EXE_stepwire"))
            .args(["--listen", "127.0.0.1:0", "--data"])
            .arg(data.path())
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
        let (mut warned, mut address) = (String::new(), None);
        while address.is_none()
            && let Some(Ok(line)) = lines.next()
        {
            address = line
                .split_once("is ready at http://")
                .and_then(|(_, address)| address.trim().parse().ok());
            warned += &line;
        }
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            address: address.expect("the server comes up"),
            warned,
            _data: data,
        }
    }

    /// Whether it answers a new connection.
    async fn answers(&self) -> bool {
        let asked = async {
            let mut stream = TcpStream::connect(self.address).await?;
            let request = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
            stream.write_all(request).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            std::io::Result::Ok(answer)
        };
        let answered = timeout(Duration::from_secs(10), asked).await;
        matches!(answered, Ok(Ok(answer)) if answer.starts_with("HTTP/1.1 200"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_low_limit_of_open_files_is_reported_and_survived() {
    let program = Program::start();
    assert!(
        program
            .warned
            .contains("raise the limit of open files (ulimit -n)"),
        "{}",
        program.warned
    );
    assert!(program.answers().await);
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        if let Ok(Ok(stream)) =
            timeout(Duration::from_secs(5), TcpStream::connect(program.address)).await
        {
            held.push(stream);
        }
    }
    assert!(!held.is_empty());
    drop(held);
    let mut tries = 0;
    while !program.answers().await {
        tries += 1;
        assert!(tries < 20, "expected it to accept again");
    }
}
