//! `stepwire export`: a definition as it was deployed, or the instances of a process as JSON lines.

use std::{fs::File, io::Write};

use super::{
    access::Access,
    exit::{Exit, Failure},
    list::{Filter, InstancePages},
    print::{Printer, list},
    rest::{Rest, segment},
};
use crate::config::{DefinitionText, ExportArguments};

/// Writes the export.
///
/// # Errors
/// The definition or process does not exist, a file cannot be written, no server.
pub async fn export(
    export: ExportArguments,
    access: Access,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let mut rest = Rest::new(access)?;
    let mut out = Output::open(&export)?;
    if export.instances {
        let mut pages = InstancePages::new(Filter {
            process: Some(&export.process),
            ..Filter::default()
        });
        while let Some(page) = pages.next(&mut rest).await? {
            for entry in page {
                let key = entry["instance"].as_str().unwrap_or_default();
                let whole = rest.get(&format!("/v1/instances/{key}")).await?;
                out.write(format!("{whole}\n").as_bytes(), printer)?;
            }
        }
    } else {
        let (id, version) = version(&mut rest, &export.process).await?;
        let path = format!("/v1/definitions/{}/{version}", segment(&id));
        let bytes = match export.format {
            DefinitionText::Bpmn => rest.get_as(&path, "application/xml").await?,
            DefinitionText::Json => rest.get_as(&path, "application/json").await?,
        };
        out.write(&bytes, printer)?;
    }
    out.finish()?;
    Ok(Exit::Done)
}

/// The id and version that `PROCESS[@VERSION]` names.
async fn version(rest: &mut Rest, named: &str) -> Result<(String, u64), Failure> {
    if let Some((id, version)) = named.rsplit_once('@') {
        let number = version.parse().map_err(|_| {
            Failure::usage(format!(
                "expected PROCESS@VERSION with a number like {id}@2, but the version is '{version}'"
            ))
        })?;
        return Ok((id.to_owned(), number));
    }
    let definition = rest
        .get(&format!("/v1/definitions/{}", segment(named)))
        .await?;
    let newest = list(&definition["versions"])
        .iter()
        .filter_map(|version| version["version"].as_u64())
        .max();
    Ok((
        named.to_owned(),
        definition["published"].as_u64().or(newest).unwrap_or(1),
    ))
}

/// The destination: standard output, or a file that appears only when it is complete.
enum Output {
    Standard,
    File {
        file: File,
        draft: std::path::PathBuf,
        path: std::path::PathBuf,
    },
}

impl Output {
    fn open(export: &ExportArguments) -> Result<Self, Failure> {
        let Some(path) = export.output.clone() else {
            return Ok(Self::Standard);
        };
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let draft = path.with_file_name(name);
        let file = File::create(&draft).map_err(|error| unwritable(&path, &error))?;
        Ok(Self::File { file, draft, path })
    }

    fn write(&mut self, bytes: &[u8], printer: &mut Printer) -> Result<(), Failure> {
        match self {
            Self::Standard => printer.raw(bytes, false),
            Self::File { file, path, .. } => file
                .write_all(bytes)
                .map_err(|error| unwritable(path, &error)),
        }
    }

    fn finish(&mut self) -> Result<(), Failure> {
        let Self::File { file, draft, path } = self else {
            return Ok(());
        };
        file.sync_all()
            .and_then(|()| std::fs::rename(&*draft, &*path))
            .map_err(|error| unwritable(path, &error))
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Self::File { draft, .. } = self {
            // After the rename the draft no longer exists.
            let _ = std::fs::remove_file(draft);
        }
    }
}

fn unwritable(path: &std::path::Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!(
        "expected to write {}, but: {error}",
        path.display()
    ))
}
