use tempfile::TempDir;

use super::*;

fn store() -> (TempDir, Files, InstanceKey) {
    let data = tempfile::tempdir().unwrap();
    let files = Files::open(data.path()).unwrap();
    (data, files, InstanceKey(Uuid::now_v7()))
}

/// All files below the directory; marks as `incoming/…`.
fn found(data: &TempDir) -> Vec<String> {
    let mut found = Vec::new();
    let mut dirs = vec![data.path().join("files")];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path)
            } else {
                found.push(
                    path.strip_prefix(data.path())
                        .unwrap()
                        .display()
                        .to_string(),
                )
            }
        }
    }
    found.sort();
    found
}

fn received(files: &Files, instance: InstanceKey, bytes: &[u8]) -> Received {
    let mut incoming = files.begin(instance).unwrap();
    incoming.write(bytes).unwrap();
    incoming.finish().unwrap()
}

#[test]
fn a_stored_file_equals_its_upload() {
    let (data, files, instance) = store();
    let received = received(&files, instance, b"abc");
    let file = received.named("a.txt".to_owned(), "text/plain".to_owned());
    assert_eq!(
        (file.size, file.name.as_str(), file.media_type.as_str()),
        (3, "a.txt", "text/plain")
    );
    assert_eq!(
        file.sha256,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    received.sent().keep();
    assert_eq!(
        found(&data),
        [format!("files/{:02x}/{}", instance.partition(), file.id)]
    );
    assert_eq!(
        io::read_to_string(files.open_file(instance, file.id).unwrap()).unwrap(),
        "abc"
    );
}

#[test]
fn an_aborted_upload_leaves_no_file() {
    let (data, files, instance) = store();
    let mut incoming = files.begin(instance).unwrap();
    incoming.write(b"half").unwrap();
    assert_eq!(found(&data).len(), 2);
    drop(incoming);
    assert_eq!(found(&data), [""; 0]);
    drop(received(&files, instance, b"whole"));
    assert_eq!(found(&data), [""; 0]);
    received(&files, instance, b"refused")
        .sent()
        .settle(Some(&InstanceResponse::Refused(Refusal::Busy)));
    assert_eq!(found(&data), [""; 0]);
}

#[test]
fn undecided_files_are_kept_for_the_next_start() {
    let (data, files, instance) = store();
    for answer in [None, Some(InstanceResponse::Refused(Refusal::Internal))] {
        received(&files, instance, b"?")
            .sent()
            .settle(answer.as_ref());
        assert_eq!(found(&data).len(), 2);
        let files = Files::open(data.path()).unwrap();
        let leftovers = files.leftovers().unwrap();
        assert_eq!(
            leftovers.iter().map(Pending::instance).collect::<Vec<_>>(),
            [instance]
        );
        leftovers.into_iter().for_each(Pending::discard);
        assert_eq!(found(&data), [""; 0]);
    }
}

#[test]
fn uploads_under_way_are_bounded() {
    let (_data, files, instance) = store();
    let mut all: Vec<Incoming> = (0..UPLOADS.get())
        .map(|_| files.begin(instance).unwrap())
        .collect();
    assert!(matches!(files.begin(instance), Err(NoUpload::Busy)));
    all.pop();
    assert!(files.begin(instance).is_ok());
}

#[test]
fn temporary_files_are_deleted_with_their_store() {
    let files = Files::temporary();
    let instance = InstanceKey(Uuid::now_v7());
    let kept = received(&files, instance, b"abc");
    let id = kept.named(String::new(), String::new()).id;
    kept.sent().keep();
    let path = files.places.file(instance, id);
    assert!(path.exists());
    drop(files);
    assert!(!path.exists());
}
