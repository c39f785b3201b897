//! How the server comes up and goes down.
//!
//! Up: journal, runtime, examples, then the listener, so that whoever connects finds everything there. Down, on SIGTERM or
//! Ctrl-C: sessions are told to come back later, what is in flight becomes durable, then the process ends within seconds.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_web::{App as ActixApp, HttpServer, dev::ServerHandle, rt, web};
use rust_embed::Embed;

use super::{app::App, connections::Connections, hang_up::HangUp, routes::routes};
use crate::{
    config::{Config, Store as StoreKind},
    journal::{Journal, MemoryStore, SqliteStore, Store, end_process},
    limits,
    model::source::SourceFormat,
    runtime::{
        Runtime,
        clock::{Clock, real_now},
        definitions::{Deploy, DeployError},
    },
    session::{
        connection::Sessions,
        ticket::{TicketUse, Tickets},
        token::{Identity, TokenSettings, Tokens},
    },
};

/// How long reconnects of one server are spread, in milliseconds.
const SPREAD_MS: u64 = 3_000;
/// How long sessions may take to go.
const DRAIN: Duration = Duration::from_secs(3);

#[derive(Embed)]
#[folder = "examples/"]
#[include = "*.bpmn"]
struct Examples;

/// Runs the server until it is told to stop.
///
/// # Errors
/// What kept it from starting, as a sentence.
pub async fn serve(config: Config) -> Result<(), String> {
    let secret = config.jwt_secret.load().map_err(|error| error.to_string())?;
    let settings = TokenSettings { secret, issuer: config.jwt_issuer.clone(), audience: config.jwt_audience.clone() };
    let tokens = Arc::new(Tokens::new(settings));
    let journal = open_journal(&config)?;
    let clock = if config.test_clock { Clock::standing_at(real_now()) } else { Clock::real() };
    let arbiters: Vec<actix_rt::Arbiter> = (0..config.workers).map(|_| actix_rt::Arbiter::new()).collect();
    let handles = arbiters.iter().map(actix_rt::Arbiter::handle).collect();
    let runtime = Runtime::start(journal.clone(), clock, handles).await.map_err(|error| error.to_string())?;
    if config.examples {
        deploy_examples(&runtime).await?;
    }
    let sessions = Arc::new(Sessions { runtime: runtime.clone(), tokens, limits: config.limits });
    let app = web::Data::new(App {
        config,
        sessions,
        connections: Arc::new(Connections::default()),
        tickets: Mutex::new(Tickets::new(limits::TICKETS)),
    });
    let server = listen(&app).map_err(|error| format!("expected to listen on {:?}, but: {error}", app.config.listen))?;
    announce(&app);
    let stop = rt::spawn(stop_on_signal(app.clone(), server.handle()));
    let served = server.await;
    stop.abort();
    drop(arbiters);
    journal.shutdown();
    served.map_err(|error| format!("the server failed: {error}"))
}

fn open_journal(config: &Config) -> Result<Journal, String> {
    let store: Box<dyn Store> = match config.store {
        StoreKind::Memory => Box::new(MemoryStore::default()),
        StoreKind::Sqlite => Box::new(SqliteStore::open(&config.data).map_err(|error| error.to_string())?),
    };
    Journal::start(store, limits::WRITER_QUEUE, Box::new(end_process)).map_err(|error| error.to_string())
}

/// Deploys and publishes the examples whose process ids are not known yet: on the first start all of them.
async fn deploy_examples(runtime: &Runtime) -> Result<(), String> {
    for name in Examples::iter() {
        let Some(file) = Examples::get(&name) else { continue };
        let deploy = Deploy {
            tenant: "default",
            source: &file.data,
            format: SourceFormat::BpmnXml,
            publish: true,
            by: "examples",
            now: runtime.clock.now(),
        };
        match runtime.definitions.deploy_if_unknown(deploy).await {
            Ok(deployed) => {
                deployed.iter().for_each(|one| log::info!("example '{}' deployed as version {}", one.row.id, one.row.version))
            }
            Err(DeployError::Invalid(problems)) => return Err(format!("example {name} has problems: {problems:?}")),
            Err(error) => return Err(format!("example {name} could not be deployed: {error:?}")),
        }
    }
    Ok(())
}

fn listen(app: &web::Data<App>) -> io::Result<actix_web::dev::Server> {
    let state = app.clone();
    let mut server = HttpServer::new(move || ActixApp::new().app_data(state.clone()).configure(routes))
        .workers(app.config.workers)
        .disable_signals()
        .shutdown_timeout(1)
        .h1_allow_half_closed(false)
        .on_connect(HangUp::on_connect);
    for address in &app.config.listen {
        server = server.bind(address)?;
    }
    Ok(server.run())
}

/// Tells a person where to go. The sign-in link works once.
fn announce(app: &App) {
    let Some(address) = app.config.listen.first() else { return };
    let base = format!("http://{address}");
    let admin =
        Identity { subject: "admin".to_owned(), roles: vec!["admin".to_owned()], ..Identity::anonymous(uuid::Uuid::nil()) };
    println!("Stepwire {} is ready at {base}", env!("CARGO_PKG_VERSION"));
    println!("  demo      {base}/demo");
    match app.tickets.lock().map(|mut tickets| tickets.issue(TicketUse::SignIn, admin, real_now())) {
        Ok(Ok(ticket)) => println!("  sign in   {base}/sign-in?ticket={ticket}   (works once, for 15 minutes)"),
        _ => log::error!("no sign-in link could be made"),
    }
}

async fn stop_on_signal(app: web::Data<App>, server: ServerHandle) {
    wait_for_signal().await;
    log::info!("stopping: {} connections are asked to come back later", app.connections.len());
    app.connections.drain(SPREAD_MS);
    let gone = async {
        while !app.connections.is_empty() {
            rt::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if rt::time::timeout(DRAIN, gone).await.is_err() {
        log::warn!("{} connections did not go in time", app.connections.len());
    }
    server.stop(true).await;
}

#[cfg(unix)]
async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        log::error!("signals cannot be received: stop the server with kill -9, nothing acknowledged is lost");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

#[cfg(not(unix))]
async fn wait_for_signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
