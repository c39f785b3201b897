//! Files in a copy of the data directory: those named by instances are there unchanged, and nothing
//! else is restored.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use stepwire::journal::directory;
use uuid::Uuid;

use super::{
    documents::{bring, server, start, stored, text_file},
    http::User,
};

/// Runs the program, which also talks to the server on this thread; whether it succeeded, and what
/// it said.
async fn run(arguments: &[&Path]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stepwire"));
    command
        .args(arguments)
        .arg("--quiet")
        .env("RUST_LOG", "error");
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .expect("the program runs");
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stderr).into_owned()
            + &String::from_utf8_lossy(&output.stdout),
    )
}

#[actix_web::test]
async fn the_files_that_instances_name_are_copied_checked_and_restored() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&data).await;
    let alice = User::new(&server, "alice", &[]);
    let key = start(&alice).await;
    assert_eq!(bring(&alice, &key, text_file("a letter")).await.status, 200);
    let named: PathBuf = stored(&data)[0]
        .strip_prefix(data.path())
        .unwrap()
        .to_owned();
    // An upload in progress leaves a file that is newer than the database's moment, and its mark.
    directory::create(&data.path().join("files/07")).unwrap();
    let stray = PathBuf::from(format!("files/07/{}", Uuid::now_v7()));
    fs::write(data.path().join(&stray), "half").unwrap();
    fs::write(
        data.path()
            .join(format!("files/incoming/{key}.{}", Uuid::now_v7())),
        "",
    )
    .unwrap();

    let place = tempfile::tempdir().unwrap();
    let [copy, restored] = ["copy", "restored"].map(|name| place.path().join(name));
    let option = Path::new("--data");
    let (good, text) = run(&[Path::new("backup"), &copy, option, data.path()]).await;
    assert!(
        good && text.contains("1 instances") && text.contains("2 files"),
        "{text}"
    );
    assert!(
        copy.join(&named).exists()
            && copy.join(&stray).exists()
            && !copy.join("files/incoming").exists()
    );
    let (good, text) = run(&[Path::new("restore"), &copy, option, &restored]).await;
    assert!(good, "{text}");
    assert_eq!(fs::read(restored.join(&named)).unwrap(), b"a letter");
    assert!(!restored.join(&stray).exists(), "no row names it");

    fs::write(copy.join(&named), "a lettes").unwrap();
    let (good, text) = run(&[Path::new("restore"), &copy, Path::new("--check")]).await;
    assert!(
        !good && text.contains(named.to_str().unwrap()) && text.contains("is damaged"),
        "{text}"
    );
    // A copy of a directory that has lost a file is whole by its hashes; that the instance misses
    // it is found nevertheless.
    fs::remove_file(data.path().join(&named)).unwrap();
    let second = place.path().join("second");
    assert!(
        run(&[Path::new("backup"), &second, option, data.path()])
            .await
            .0
    );
    let (good, text) = run(&[Path::new("restore"), &second, Path::new("--check")]).await;
    assert!(
        !good && text.contains(&key) && text.contains(named.to_str().unwrap()),
        "{text}"
    );
    server.stop().await;
}
