//! The system calls of a server, in the output of `strace`: writes to files, syncs, and data sent
//! to clients, in one order. Not here: their evaluation (`power_cut`).

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::Path,
};

use uuid::Uuid;

/// A system call that was made, or that returned. Files are identified by their names, the
/// directory by an empty one.
#[derive(Debug)]
pub enum Event {
    /// Bytes are written at an offset of a file: from here on they may be on the disk.
    Writes {
        file: String,
        offset: usize,
        bytes: Vec<u8>,
    },
    /// A file is truncated.
    Cuts { file: String, length: usize },
    /// A file is removed.
    Removes { file: String },
    /// A sync that began at the event with this number has returned: everything written before that
    /// is on the disk.
    Synced { file: String, since: usize },
    /// A reply is sent to a client.
    Acknowledges(Uuid),
}

/// Reads the output of `strace -f -y -xx`, for the files of a directory.
pub fn read(trace: &Path, directory: &Path) -> Vec<Event> {
    let text = fs::read_to_string(trace).expect("strace has written");
    let mut reader = Reader {
        directory: directory.to_owned(),
        events: Vec::new(),
        syncing: HashMap::new(),
        seen: HashSet::new(),
    };
    for line in text.lines() {
        reader.line(line);
    }
    reader.events
}

struct Reader {
    directory: std::path::PathBuf,
    events: Vec<Event>,
    /// The syncs in progress, by thread: the file, and the event at which it began.
    syncing: HashMap<String, (String, usize)>,
    seen: HashSet<Uuid>,
}

impl Reader {
    fn line(&mut self, line: &str) {
        let Some((thread, call)) = line.split_once(' ') else {
            return;
        };
        let call = call.trim_start();
        if let Some(rest) = call.strip_prefix("<... ") {
            if rest.starts_with("fdatasync") || rest.starts_with("fsync") {
                self.synced(thread, rest);
            }
            return;
        }
        let Some((name, arguments)) = call.split_once('(') else {
            return;
        };
        let named = |text: &str| String::from_utf8_lossy(&bytes_in(text)).into_owned();
        let target = arguments
            .split_once('<')
            .and_then(|(_, rest)| rest.split_once('>'))
            .map(|(path, _)| named(path))
            .unwrap_or_default();
        match name {
            "pwrite64" => {
                let (Some(file), Some((data, rest))) = (self.file(&target), quoted(arguments))
                else {
                    return;
                };
                let numbers = numbers_in(rest);
                let bytes = bytes_in(data);
                self.events.push(Event::Writes {
                    file,
                    offset: numbers[1],
                    bytes,
                });
            }
            "ftruncate" => {
                if let Some(file) = self.file(&target) {
                    let length = numbers_in(arguments.rsplit('>').next().unwrap_or_default())[0];
                    self.events.push(Event::Cuts { file, length });
                }
            }
            "unlink" => {
                let path = quoted(arguments).map(|(path, _)| named(path));
                if let Some(file) = path.and_then(|path| self.file(&path)) {
                    self.events.push(Event::Removes { file });
                }
            }
            "fdatasync" | "fsync" => {
                if let Some(file) = self.file(&target) {
                    let begun = (file, self.events.len());
                    self.syncing.insert(thread.to_owned(), begun);
                    if !call.contains("unfinished") {
                        self.synced(thread, call);
                    }
                }
            }
            "write" | "writev" | "sendto" | "sendmsg"
                if target.contains("socket") || target.contains("TCP") =>
            {
                self.sent(arguments);
            }
            _ => {}
        }
    }

    fn synced(&mut self, thread: &str, rest: &str) {
        if let Some((file, since)) = self.syncing.remove(thread)
            && rest.trim_end().ends_with("= 0")
        {
            self.events.push(Event::Synced { file, since });
        }
    }

    /// The name of a file in the directory.
    fn file(&self, path: &str) -> Option<String> {
        let path = path.trim_end_matches(" (deleted)");
        let within = Path::new(path).strip_prefix(&self.directory).ok()?;
        Some(within.to_string_lossy().into_owned())
    }

    /// The replies in sent data; each is counted once.
    fn sent(&mut self, arguments: &str) {
        let mut rest = arguments;
        let mut text = Vec::new();
        while let Some((data, after)) = quoted(rest) {
            text.extend(bytes_in(data));
            rest = after;
        }
        let text = String::from_utf8_lossy(&text);
        for frame in text.split("\"type\":\"reply\"").skip(1) {
            let id = frame
                .split_once("\"id\":\"")
                .and_then(|(_, id)| id.get(..36));
            if let Some(id) = id.and_then(|id| Uuid::parse_str(id).ok())
                && self.seen.insert(id)
            {
                self.events.push(Event::Acknowledges(id));
            }
        }
    }
}

/// The first quoted text, and the rest of the line.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let (_, rest) = text.split_once('"')?;
    rest.split_once('"')
}

/// Decodes bytes in the notation `\x0a`.
fn bytes_in(text: &str) -> Vec<u8> {
    let digits = text.split("\\x").skip(1);
    digits
        .filter_map(|pair| u8::from_str_radix(pair.get(..2)?, 16).ok())
        .collect()
}

/// The numbers between commas.
fn numbers_in(text: &str) -> Vec<usize> {
    let parts = text.split([',', ')', ' ']);
    parts.filter_map(|part| part.parse().ok()).collect()
}
