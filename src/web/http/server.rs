//! Starts and stops the server.
//!
//! Start: journal, runtime, definitions, then the listener, so that everything is there for the
//! first client. Stop, on SIGTERM or Ctrl-C: sessions are asked to reconnect later, rows in flight
//! become durable, then the process ends within seconds.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actix_rt::Arbiter;
use actix_web::{
    App as ActixApp,
    dev::ServerHandle,
    middleware::{Condition, DefaultHeaders, from_fn},
    rt, web,
};
use tokio::sync::watch;

use super::{
    super::{
        admission::{count_all, within_rates},
        answer_memory::answer_memory,
        local::LocalSocket,
        pages::problem_pages::problem_pages,
        rest::metrics,
        routes::routes,
        startup_definitions,
        transport::{
            ConnectionTable, TransportLimits, room_for_connections, serve as serve_http, track,
        },
        trials::Trials,
        websocket::no_upgrade::no_upgrade,
    },
    accepted_tokens::accepted_tokens,
    access_log::access_log,
    app::App,
    collector,
    connections::Connections,
    cors::{cors, only_to_the_allowed},
    origin_check::{Refusals, only_to_own_hosts},
};
use crate::{
    admin::Pages,
    config::{Config, LogFormat, StoreKind},
    journal::{Journal, MemoryStore, SqliteStore, Store, end_process},
    limits::{self, Limit, Pot},
    logging,
    runtime::{
        Runtime,
        clock::{Clock, real_now, steady_now},
        disk_watch::DiskWatch,
        files::Files,
        http_calls::{HttpCallSettings, Targets},
        spans::{SpanSender, Spans},
    },
    session::{
        auth::{
            ticket::{TicketUse, Tickets},
            token::{Identity, Tokens},
        },
        sessions::Sessions,
    },
};

/// The period over which reconnects are spread, in milliseconds.
const SPREAD_MS: u64 = 3_000;
/// How long sessions may take to close.
const DRAIN: Duration = Duration::from_secs(3);
/// The resources that a page may load: its own files. The diagram's canvas uses inline styles.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'";

/// A running server.
pub struct Running {
    addresses: Vec<SocketAddr>,
    app: web::Data<App>,
    handle: ServerHandle,
    served: rt::task::JoinHandle<io::Result<()>>,
    watch: [rt::task::JoinHandle<()>; 3],
    fetching: Option<rt::task::JoinHandle<()>>,
    sweeping: rt::task::JoinHandle<()>,
    local: Option<LocalSocket>,
    spans: Option<(Spans, SpanSender)>,
    arbiters: Vec<Arbiter>,
    /// Ends with the server.
    _disk: Option<DiskWatch>,
}

/// Runs the server until it is stopped.
///
/// # Errors
/// Why it did not start, or why it ended, as a sentence.
pub async fn serve(config: Config) -> Result<(), String> {
    let mut running = start(config).await?;
    let signal = stop_signal();
    running.announce();
    let failed = tokio::select! {
        () = signal => None,
        served = &mut running.served => Some(served),
    };
    running.stop().await;
    match failed {
        None => Ok(()),
        Some(served) => Err(format!("the server failed: {served:?}")),
    }
}

/// Starts a server within a running actix system.
///
/// # Errors
/// Why it did not start, as a sentence.
pub async fn start(config: Config) -> Result<Running, String> {
    let (tokens, fetching) = accepted_tokens(&config).await?;
    let pages = Pages::load()?;
    let (runtime, arbiters) = start_runtime(&config).await?;
    let disk = watch_disk(&config, &runtime)?;
    startup_definitions::deploy_when_there_is_room(&runtime, &config).await?;
    runtime
        .begin_schedules()
        .await
        .map_err(|error| error.to_string())?;
    runtime.begin_retention(config.retention);
    let spans = collector::send_spans(&config, &runtime)?;
    let connections = Arc::new(Connections::new(runtime.lists.clone()));
    let transport = ConnectionTable::new(transport_limits(&config));
    let watch = [
        rt::spawn(watch_users(runtime.users.changes(), connections.clone())),
        rt::spawn(metrics::keep_small()),
        rt::spawn(transport.clone().keep_time()),
    ];
    let app = application(config, runtime, tokens, pages, connections, transport)?;
    let (addresses, server) = listen(&app).map_err(|error| {
        format!(
            "expected to listen on {:?}, but: {error}",
            app.config.listen
        )
    })?;
    let handle = server.handle();
    let local = listen_locally(&app, &addresses);
    Ok(Running {
        addresses,
        spans,
        sweeping: rt::spawn(Trials::sweep(app.clone())),
        app,
        handle,
        served: rt::spawn(server),
        watch,
        fetching,
        local,
        arbiters,
        _disk: disk,
    })
}

/// Opens the stores of the data directory, and starts the runtime on them, with its threads.
async fn start_runtime(config: &Config) -> Result<(Arc<Runtime>, Vec<Arbiter>), String> {
    let journal = open_journal(config)?;
    let files = open_files(config)
        .map_err(|error| format!("expected to keep files in the data directory, but: {error}"))?;
    let http_calls = http_call_settings(config)?;
    let clock = if config.test_clock {
        Clock::stopped_at(real_now())
    } else {
        Clock::real()
    };
    let arbiters: Vec<Arbiter> = (0..config.workers).map(|_| Arbiter::new()).collect();
    let handles = arbiters.iter().map(Arbiter::handle).collect();
    let program = Some(&config.script_program);
    let runtime = Runtime::start(journal, files, http_calls, clock, handles, program);
    let runtime = runtime.await.map_err(|error| error.to_string())?;
    runtime.limit_live_memory(config.limits.max_instance_memory << 20);
    Ok((runtime, arbiters))
}

/// The state that all requests and connections share.
fn application(
    config: Config,
    runtime: Arc<Runtime>,
    tokens: Tokens,
    pages: Pages,
    connections: Arc<Connections>,
    transport: Arc<ConnectionTable>,
) -> Result<web::Data<App>, String> {
    let secret = config
        .jwt_secret
        .load()
        .map_err(|error| error.to_string())?;
    let tokens = Arc::new(tokens);
    let memory = config.limits.unread_memory();
    let sessions = Sessions::new(runtime, tokens, config.limits, &secret, memory);
    let tickets = Mutex::new(Tickets::new(limits::TICKETS.get()));
    Ok(web::Data::new(App {
        transport,
        uploads: Pot::with_part(
            limits::UPLOADS.get(),
            limits::UPLOADS_PER_USER.get(),
            Limit::Uploads,
        ),
        config,
        sessions: Arc::new(sessions),
        connections,
        pages,
        tickets,
        trials: Trials::default(),
        refusals: Refusals::default(),
    }))
}

/// A store in memory has no disk.
fn watch_disk(config: &Config, runtime: &Runtime) -> Result<Option<DiskWatch>, String> {
    if config.store == StoreKind::Memory {
        return Ok(None);
    }
    let (dir, journal) = (config.data.clone(), runtime.journal.clone());
    DiskWatch::start(dir, config.watermarks, journal)
        .map(Some)
        .map_err(|error| format!("expected to start the thread that watches the disk, but {error}"))
}

impl Running {
    /// The addresses on which it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The running system, for code that started the server in its own process.
    pub fn runtime(&self) -> &Arc<Runtime> {
        &self.app.sessions.runtime
    }

    /// Its URL for a browser on this machine, without a slash at the end.
    pub fn base_url(&self) -> String {
        base_url(&self.addresses)
    }

    /// A link that signs the owner in, once.
    ///
    /// # Errors
    /// Why there is none, as a sentence.
    pub fn sign_in_link(&self) -> Result<String, String> {
        let owner = Identity::owner();
        let mut tickets = self
            .app
            .tickets
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let ticket = tickets
            .issue(TicketUse::SignIn, owner, None, steady_now())
            .map_err(|error| error.to_string())?;
        Ok(format!("{}/sign-in?ticket={ticket}", self.base_url()))
    }

    /// Prints where to go. The first page mentions the line that begins with "Sign in".
    fn announce(&self) {
        let (base, config) = (self.base_url(), &self.app.config);
        log::info!(version = env!("CARGO_PKG_VERSION"), address = &*base, production = config.production; "ready");
        let limits = &config.limits;
        log::info!(
            "rates (per second:at once): anonymous callers of one address {}; one user {}; all \
            users of one address {}; live instances of anonymous callers of one address: {}",
            limits.anonymous,
            limits.user,
            limits.address,
            limits.anonymous_instances
        );
        let is_json = config.log_format == LogFormat::Json;
        let print = |message: &str| {
            let time = real_now().to_string();
            logging::print(&logging::output_line(is_json, &time, message));
        };
        print(&format!(
            "Stepwire {} is ready at {base}",
            env!("CARGO_PKG_VERSION")
        ));
        if config.examples {
            print(&format!("Demo:    {base}/demo"));
        }
        if !config.sign_in_link {
            return;
        }
        match self.sign_in_link() {
            Ok(link) => print(&format!("Sign in: {link} (works once, within 15 minutes)")),
            Err(sentence) => log::error!("no sign-in link could be made: {sentence}"),
        }
    }

    /// Closes all connections, makes rows in flight durable, and ends. Takes at most seconds.
    pub async fn stop(self) {
        let connections = &self.app.connections;
        log::info!(
            "stopping: {} connections are closed with a time to reconnect",
            connections.len()
        );
        connections.drain(SPREAD_MS);
        self.sweeping.abort();
        self.app.trials.end_all();
        let drained = async {
            while !connections.is_empty() {
                rt::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if rt::time::timeout(DRAIN, drained).await.is_err() {
            log::warn!("{} connections did not go in time", connections.len());
        }
        self.handle.stop(true).await;
        self.watch.iter().for_each(rt::task::JoinHandle::abort);
        self.fetching.iter().for_each(rt::task::JoinHandle::abort);
        drop(self.local);
        self.app.sessions.runtime.stop();
        self.app.sessions.runtime.journal.shutdown();
        if let Some((spans, sender)) = self.spans {
            spans.end();
            sender.finish().await;
        }
        for arbiter in self.arbiters {
            arbiter.stop();
            // The thread ends by itself; its panic was logged when it happened.
            let _ = arbiter.join();
        }
    }
}

fn http_call_settings(config: &Config) -> Result<HttpCallSettings, String> {
    let key = config
        .webhook_secret
        .load()
        .map_err(|error| error.to_string())?;
    Ok(HttpCallSettings::new(
        Targets::parse(&config.outbound_targets)?,
        config.secrets.0.clone(),
        key,
    ))
}

/// Makes every connection check its user whenever a user has changed.
async fn watch_users(mut changes: watch::Receiver<()>, connections: Arc<Connections>) {
    while changes.changed().await.is_ok() {
        connections.users_changed();
    }
}

/// The URL of a server with this configuration on this machine, if it gets the port it names.
pub fn usual_url(config: &Config) -> String {
    base_url(&config.listen)
}

fn base_url(addresses: &[SocketAddr]) -> String {
    let address = addresses.first().map(|address| {
        let host = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        SocketAddr::new(host, address.port())
    });
    address
        .map(|address| format!("http://{address}"))
        .unwrap_or_default()
}

/// The local socket. A server that stores nothing on disk has one only if its directory exists.
fn listen_locally(app: &web::Data<App>, addresses: &[SocketAddr]) -> Option<LocalSocket> {
    let config = &app.config;
    if config.store == StoreKind::Memory && !config.data.exists() {
        return None;
    }
    LocalSocket::listen(app, base_url(addresses))
        .inspect_err(|error| {
            let directory = config.data.display();
            log::warn!(
                "expected a local socket in {directory}, but: {error}; users can be changed \
                while the server is stopped, and commands need --server and --token"
            );
        })
        .ok()
}

fn open_journal(config: &Config) -> Result<Journal, String> {
    let store: Box<dyn Store> = match config.store {
        StoreKind::Memory => Box::new(MemoryStore::default()),
        StoreKind::Sqlite => {
            Box::new(SqliteStore::open(&config.data).map_err(|error| error.to_string())?)
        }
    };
    Journal::start(store, limits::WRITER_QUEUE.get(), Box::new(end_process))
        .map_err(|error| error.to_string())
}

fn open_files(config: &Config) -> io::Result<Files> {
    match config.store {
        StoreKind::Memory => Ok(Files::temporary()),
        StoreKind::Sqlite => Files::open(&config.data),
    }
}

fn listen(app: &web::Data<App>) -> io::Result<(Vec<SocketAddr>, actix_web::dev::Server)> {
    let state = app.clone();
    let application = move || {
        // Called once by each worker, on its thread.
        Runtime::host_instances_here();
        ActixApp::new()
            .wrap(from_fn(within_rates))
            .wrap(cors(&state))
            .wrap(from_fn(only_to_the_allowed))
            .wrap(from_fn(only_to_own_hosts))
            .wrap(from_fn(problem_pages))
            .wrap(headers())
            .wrap(from_fn(no_upgrade))
            .wrap(from_fn(count_all))
            .wrap(from_fn(metrics::count))
            .wrap(from_fn(answer_memory))
            .wrap(Condition::new(state.config.access_log, from_fn(access_log)))
            .wrap(from_fn(track))
            .app_data(state.clone())
            .configure(routes)
    };
    let proxies = app.config.trusted_proxies.clone();
    serve_http(
        &app.config.listen,
        app.config.workers,
        &app.transport,
        // A proxy opens many connections; their clients are counted when the request is known.
        move |peer| !proxies.contain(peer.ip().to_canonical()),
        application,
    )
}

/// The limits of the transport: no more connections than the process may open files.
fn transport_limits(config: &Config) -> TransportLimits {
    let wanted = config.limits.max_connections;
    let room = room_for_connections().unwrap_or(wanted);
    // A few less are not reported: the default is a round number.
    if room < wanted / 2 {
        log::warn!(
            "expected to open files for {wanted} connections, but only {room} are possible: raise \
            the limit of open files (ulimit -n)"
        );
    }
    TransportLimits::new(config.limits.max_connections_per_address, wanted.min(room))
}

/// Headers of every response that does not set them itself.
fn headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add(("Content-Security-Policy", CONTENT_SECURITY_POLICY))
        .add(("X-Content-Type-Options", "nosniff"))
        // Not no-referrer: browsers would then hide the origin of the sign-out form, too.
        .add(("Referrer-Policy", "same-origin"))
        .add(("Cache-Control", "no-store"))
}

/// Ends when the server is to stop. It listens for signals at once, so a caller that knows that the
/// server is ready may stop it.
#[cfg(unix)]
fn stop_signal() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    );
    async move {
        let (Ok(mut terminate), Ok(mut interrupt)) = signals else {
            log::error!(
                "signals cannot be received: stop the server with kill -9, nothing acknowledged \
                is lost"
            );
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
async fn stop_signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
