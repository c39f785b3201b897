//! The program: reads its configuration and runs the server, prints a token, or changes users.

use std::process::ExitCode;

use stepwire::{
    config::{self, Command, Config, TokenRequest},
    runtime::clock::real_now,
    session::token::{Identity, TokenSettings, Tokens},
    web::{local::command, server},
};

/// Rows, frames and messages are many small allocations on several threads: this allocator serves them in less time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    let outcome = match config::load(std::env::args_os()) {
        Ok((config, Command::Serve)) => actix_rt::System::new().block_on(server::serve(config)),
        Ok((config, Command::Token(request))) => print_token(&config, request),
        Ok((config, Command::User(command))) => {
            actix_rt::System::new().block_on(command::run(&config, command, std::io::stdin(), std::io::stdout()))
        }
        Err(error) => Err(error.to_string()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("stepwire: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn print_token(config: &Config, request: TokenRequest) -> Result<(), String> {
    let secret = config.jwt_secret.load().map_err(|error| error.to_string())?;
    let tokens = Tokens::new(TokenSettings { secret, issuer: config.jwt_issuer.clone(), audience: config.jwt_audience.clone() });
    let identity =
        Identity { subject: request.sub, tenant: request.tenant, roles: request.roles, ..Identity::anonymous(uuid::Uuid::nil()) };
    println!("{}", tokens.mint(&identity, real_now(), request.ttl).map_err(|error| error.to_string())?);
    Ok(())
}
