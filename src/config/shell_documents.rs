//! Shell completions and manual pages, generated from the grammar that parses the command line. Not
//! here: the grammar (`command_line`).

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use clap_complete::{Shell, generate};
use clap_mangen::Man;

use super::command_line::CommandLine;

/// The name of the program for users.
const PROGRAM: &str = "stepwire";

/// The shell for which completions are printed.
#[derive(clap::Args, Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompletionsCommand {
    /// The shell
    pub shell: Shell,
}

/// The manual pages to print or write.
#[derive(clap::Args, Clone, Debug, PartialEq, Eq)]
pub struct ManCommand {
    /// Directory for the page of the program and one of each command [default: the page of the
    /// program is printed]
    pub directory: Option<PathBuf>,
}

impl CompletionsCommand {
    /// Writes the completions.
    pub fn write(self, out: &mut impl Write) {
        generate(self.shell, &mut CommandLine::grammar(), PROGRAM, out);
    }
}

impl ManCommand {
    /// Writes the page to `out`, or all pages to the directory.
    ///
    /// # Errors
    /// I/O errors.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let grammar = CommandLine::grammar();
        let Some(directory) = &self.directory else {
            return Man::new(grammar).render(out);
        };
        fs::create_dir_all(directory)?;
        write_pages(grammar, directory.as_path(), PROGRAM)
    }
}

fn write_pages(grammar: clap::Command, directory: &std::path::Path, name: &str) -> io::Result<()> {
    for command in grammar.get_subcommands() {
        if command.get_name() != "help" && !command.is_hide_set() {
            let name = format!("{name}-{}", command.get_name());
            write_pages(command.clone(), directory, &name)?;
        }
    }
    let mut page = Vec::new();
    Man::new(grammar.display_name(name.to_owned())).render(&mut page)?;
    fs::write(directory.join(format!("{name}.1")), page)
}
