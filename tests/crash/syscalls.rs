//! The system calls of a server, as `strace` prints them: writes to files, syncs, and data sent to
//! its clients, in one order. Not here: their evaluation (`power_cut`).

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::Path,
};

use uuid::Uuid;

/// Something that was asked of the system, or came to its end. Files are told by their names, and
/// their directory by an empty one.
#[derive(Debug)]
pub enum Event {
    /// Bytes are written at a place of a file: from here on the disk may have them.
    Writes {
        file: String,
        offset: usize,
        bytes: Vec<u8>,
    },
    /// A file is cut to a length.
    Cuts { file: String, length: usize },
    /// A file is gone.
    Removes { file: String },
    /// A sync that began at the event with this number is done: the disk has what came before it.
    Synced { file: String, since: usize },
    /// A reply goes out to a client.
    Acknowledges(Uuid),
}

/// Reads what `strace -f -y -xx` has written, of the files in a directory.
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
    /// Syncs in progress, by thread: of which file, since when.
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

    /// A name for a file of the directory.
    fn file(&self, path: &str) -> Option<String> {
        let path = path.trim_end_matches(" (deleted)");
        let within = Path::new(path).strip_prefix(&self.directory).ok()?;
        Some(within.to_string_lossy().into_owned())
    }

    /// Replies among what is sent; each counts once.
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

/// The first text in quotation marks, and what stands behind it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let (_, rest) = text.split_once('"')?;
    rest.split_once('"')
}

/// Bytes that are written as `\x0a`.
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
