//! The program: reads its configuration and runs the server, prints a token, changes users, copies
//! a data directory, or runs a command against a server.

use std::{io::Write, process::ExitCode};

use stepwire::{
    backup,
    cli::{self, Check, CheckedFile, FoundProblem, Home},
    config::{self, Config, DoctorCommand, LogFormat, ProgramCommand, TokenRequest},
    explorer,
    expression::worker,
    limits::EXPLORED_STATES,
    logging,
    model::{
        problem::{Problem, Severity},
        source::{SourceFormat, read_control_flow},
    },
    runtime::{
        clock::real_now,
        definitions::DeployCheck,
        http_calls::{HttpCallSettings, Targets},
    },
    session::auth::token::{Identity, TokenSettings, Tokens},
    text::standard_error,
    web::{
        http::server,
        local::{command, request},
    },
};

/// Lets the system give memory in pages of 4 KiB only. With pages of 2 MiB a thread that touches the
/// first bytes of a buffer waits while the system clears 2 MiB, milliseconds at a time: when others
/// began many long requests, threads that serve connections spent more than half of their time so.
/// Processes that this one starts inherit it.
fn use_small_pages() {
    #[cfg(target_os = "linux")]
    // Without it everything works the same, only later.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

/// Rows, frames and messages are many small allocations on several threads, for which this
/// allocator is faster.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    use_small_pages();
    if let Some(served) = worker::serve_if_worker() {
        // The server that started it reads the channel; an error message would reach nobody.
        return served.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    let loaded = config::load(std::env::args_os());
    let json = loaded
        .as_ref()
        .is_ok_and(|(config, _)| config.log_format == LogFormat::Json);
    logging::start(json);
    let outcome = match loaded {
        Ok((config, ProgramCommand::Serve)) => {
            let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
            for (name, near) in config::mistyped_variables(names) {
                log::warn!("the variable {name} is ignored, as it is no option: write {near}");
            }
            config.named_limits.apply();
            let served = actix_rt::System::new().block_on(server::serve(config));
            if let (Err(sentence), true) = (&served, json) {
                // With the JSON format, the log contains nothing but JSON.
                log::error!("{sentence}");
                return ExitCode::FAILURE;
            }
            served
        }
        Ok((config, ProgramCommand::Token(request))) => print_token(&config, request),
        Ok((config, ProgramCommand::User(command))) => actix_rt::System::new().block_on(
            command::run(&config, command, std::io::stdin(), std::io::stdout()),
        ),
        Ok((config, ProgramCommand::Client(command))) => {
            let check = match checking(&config) {
                Ok(check) => check,
                Err(sentence) => return failed(&sentence),
            };
            let home = Home {
                server: server::usual_url(&config),
                data: config.data,
            };
            return actix_rt::System::new().block_on(cli::run(*command, home, check));
        }
        Ok((config, ProgramCommand::Backup(command))) => backup::backup(&config.data, &command)
            .map(|()| request::note_backup(&config.data, &command.destination)),
        Ok((config, ProgramCommand::Restore(command))) => backup::restore(&config.data, &command),
        Ok((_, ProgramCommand::Completions(command))) => {
            let mut text = Vec::new();
            command.write(&mut text);
            written(&String::from_utf8_lossy(&text), "the completions")
        }
        Ok((_, ProgramCommand::Man(command))) => command
            .write(&mut std::io::stdout())
            .map_err(|error| format!("expected to write manual pages, but: {error}")),
        Ok((config, ProgramCommand::Doctor(command))) => return run_doctor(&config, &command),
        Err(error) => Err(error.to_string()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => failed(&sentence),
    }
}

/// 0 for a sound data directory, 1 for one with faults, 2 for one that cannot be read.
fn run_doctor(config: &Config, command: &DoctorCommand) -> ExitCode {
    match backup::doctor(&config.data, command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(sentence) => {
            standard_error::complain(&sentence);
            ExitCode::from(2)
        }
    }
}

fn failed(sentence: &str) -> ExitCode {
    standard_error::complain(sentence);
    ExitCode::FAILURE
}

/// Writes to standard output, whose reader may be gone, or whose disk may be full.
fn written(text: &str, what: &str) -> Result<(), String> {
    let written = std::io::stdout().write_all(text.as_bytes());
    written.map_err(|error| format!("expected to write {what}, but: {error}"))
}

fn print_token(config: &Config, request: TokenRequest) -> Result<(), String> {
    if let Some(path) = config.jwt_secret.missing_file() {
        // When it runs in a folder other than the server's, this is a mistake that would otherwise
        // show only as 401.
        standard_error::complain(&format!(
            "expected the secret of a server in {}, but there is none: it is created \
            now; for the tokens of a server that runs elsewhere, name its directory with --data",
            path.display()
        ));
    }
    let secret = config
        .jwt_secret
        .load()
        .map_err(|error| error.to_string())?;
    let tokens = Tokens::new(TokenSettings {
        secret,
        issuer: config.jwt_issuer.clone(),
        audience: config.jwt_audience.clone(),
    })
    .with_longest(config.max_token_lifetime);
    let identity = Identity {
        subject: request.sub,
        tenant: request.tenant,
        roles: request.roles,
        ..Identity::anonymous(uuid::Uuid::nil())
    };
    let token = tokens
        .mint(&identity, real_now(), request.ttl)
        .map_err(|error| error.to_string())?;
    written(&format!("{token}\n"), "the token")
}

/// Checks definitions as a server with these settings and without any process would; the client
/// layer cannot do so itself.
fn checking(config: &Config) -> Result<Check, String> {
    let http_calls = HttpCallSettings::new(
        Targets::parse(&config.outbound_targets)?,
        config.secrets.0.clone(),
        Vec::new(),
    );
    let mut check = DeployCheck::new(http_calls);
    let found = |problem: Problem| FoundProblem {
        refuses: problem.severity == Severity::Error,
        element: problem.element,
        code: problem.code.to_owned(),
        message: problem.message,
    };
    Ok(Box::new(move |file, source, explores| {
        let format = SourceFormat::of_file(file);
        let problems = check.deploy(source, format, real_now()).into_iter();
        let mut checked = CheckedFile {
            problems: problems.map(found).collect(),
            verdict: None,
        };
        if explores {
            explore(source, format, &mut checked);
        }
        checked
    }))
}

/// Explores the control flow of the processes of a source; faults of the model become its problems.
fn explore(source: &[u8], format: SourceFormat, checked: &mut CheckedFile) {
    let mut verdicts = Vec::new();
    for (definition, _) in read_control_flow(source, format).unwrap_or_default() {
        let Ok(exploration) = explorer::explore(&definition, EXPLORED_STATES) else {
            continue;
        };
        let faults = exploration.faults.iter().map(|fault| FoundProblem {
            refuses: fault.kind.is_fault(),
            element: fault.element.clone(),
            code: fault.kind.code().to_owned(),
            message: fault.to_string(),
        });
        checked.problems.extend(faults);
        verdicts.push(format!("'{}' is {}", definition.id, exploration.verdict()));
    }
    checked.verdict = (!verdicts.is_empty()).then(|| verdicts.join("; "));
}
