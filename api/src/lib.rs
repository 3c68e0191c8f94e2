//! Thin HTTP: routes parse and authenticate, the engine decides, projections are read.
//!
//! No rule of the domain lives here. What a route requires is in its signature ([`http::auth`]),
//! what it takes and gives in its types, and both are in the generated `openapi.json`.

mod bodies;
mod cache;
mod erasure;
pub mod export;
mod http;
pub mod imports;
mod openapi;
pub mod operations;
mod readiness;
mod restriction;
mod retention;
mod routes;
mod schema;
mod views;

use std::num::NonZeroU32;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::IntoResponse as _;
use daybook_projections::agenda::Agenda;
use daybook_projections::catalogue::Catalogue;
use daybook_projections::client_history::ClientHistory;
use daybook_projections::conflicts::Conflicts;
use daybook_projections::history::History;
use daybook_projections::reminders::Reminders;
use daybook_projections::retention::Retention;
use daybook_projections::search::Search;
use daybook_projections::sessions::Sessions;
use daybook_projections::utilisation::Utilisation;
use daybook_projections::waiting::WaitingList;
use daybook_projections::{Heard, Progress};
use daybook_store::Engine;
use daybook_store::audit::Recorder;
use daybook_store::browser::BrowserSessions;
use daybook_store::issuers::{Providers, Tokens};
use daybook_store::keys::KeyHolders;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::CorsLayer;

use cache::Cache;
pub use cache::{InvalidRedisAddress, InvalidRedisAuthorities, RedisAddress};
pub use http::cors::{CorsOrigin, InvalidOrigin};
use http::deprecation::{self, DEPRECATED};
use http::heavy::HeavyWork;
use http::in_flight::InFlight;
use http::peer::Peers;
pub use http::peer::{Encrypted, InvalidNetwork, Network, Peer};
use http::rate::RateLimit;
use http::{audit, basic, body, caching, compression, cors, database, etag, head, limits, trace};
use imports::ImportService;
pub use openapi::{document, feed_document};
pub use readiness::{Check, Checker, Readiness};
pub use retention::Retained;
use routes::events::Streams;
#[doc(hidden)]
pub use routes::fuzzing;

/// What the routes work on. It is cloned several times for each request.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What an [`App`] consists of.
#[derive(Clone)]
pub struct Parts {
    engine: Engine,
    search: Search,
    catalogue: Catalogue,
    conflicts: Conflicts,
    sessions: Sessions,
    waiting: WaitingList,
    reminders: Reminders,
    history: History,
    agenda: Agenda,
    utilisation: Utilisation,
    client_history: ClientHistory,
    retention: Retention,
    progress: Progress,
    keys: KeyHolders,
    tokens: Tokens,
    sessions_of_browsers: BrowserSessions,
    rate: RateLimit,
    peers: Peers,
    in_flight: InFlight,
    heavy: HeavyWork,
    /// Answers that are not worked out again.
    cache: Cache,
    readiness: Readiness,
    /// Which programs live, where somebody says so.
    heard: Option<watch::Receiver<Heard>>,
    streams: Streams,
    /// What imports calendars, where somebody does.
    imports: Option<Arc<dyn ImportService>>,
    /// Who was told what.
    audit: Recorder,
    /// Whose pages may call.
    cors_origins: Vec<CorsOrigin>,
    /// Whether endpoints of webhooks may be on this machine, without TLS.
    allows_insecure_webhooks: bool,
}

impl App {
    /// Routes over this engine and the projections of its log; `/readyz` tells this readiness.
    #[must_use]
    pub fn new(engine: Engine, progress: Progress, readiness: Readiness) -> Self {
        let pool = engine.log().pool();
        let history = History::new(pool.clone()).opened_by(engine.keyring().cloned());
        let keys = KeyHolders::new(engine.log(), engine.clock());
        let audit = Recorder::new(pool.clone());
        let tokens = tokens(&engine, Providers::none());
        let sessions_of_browsers =
            BrowserSessions::new(engine.log(), engine.clock(), &keys, &tokens);
        Self(Arc::new(Parts {
            search: Search::new(pool.clone()).opened_by(engine.keyring().cloned()),
            catalogue: Catalogue::new(pool.clone()).opened_by(engine.keyring().cloned()),
            conflicts: Conflicts::new(pool.clone()),
            sessions: Sessions::new(pool.clone()),
            waiting: WaitingList::new(pool.clone()),
            reminders: Reminders::new(pool.clone()),
            agenda: Agenda::new(history.clone()),
            history,
            utilisation: Utilisation::new(pool.clone()),
            client_history: ClientHistory::new(pool.clone()),
            retention: Retention::new(pool.clone()),
            engine,
            progress,
            keys,
            tokens,
            sessions_of_browsers,
            rate: RateLimit::default(),
            peers: Peers::default(),
            in_flight: InFlight::default(),
            heavy: HeavyWork::new(),
            cache: Cache::off(),
            readiness,
            heard: None,
            streams: Streams::default(),
            imports: None,
            audit,
            cors_origins: Vec::new(),
            allows_insecure_webhooks: false,
        }))
    }

    /// The same, which hears which programs live.
    #[must_use]
    pub fn with_programs(mut self, heard: watch::Receiver<Heard>) -> Self {
        Arc::make_mut(&mut self.0).heard = Some(heard);
        self
    }

    /// The same, which can import calendars.
    #[must_use]
    pub fn with_imports(mut self, imports: Arc<dyn ImportService>) -> Self {
        Arc::make_mut(&mut self.0).imports = Some(imports);
        self
    }

    /// The same, which caches answers in so many bytes of memory, and in a Redis that it shares with other programs.
    #[must_use]
    pub fn with_cache(mut self, bytes: u64, redis: Option<RedisAddress>) -> Self {
        Arc::make_mut(&mut self.0).cache = Cache::of(bytes, redis);
        self
    }

    /// The same, to which a key may send so many requests a second.
    #[must_use]
    pub fn with_rate_limit(mut self, per_second: Option<NonZeroU32>) -> Self {
        Arc::make_mut(&mut self.0).rate = per_second.map(RateLimit::of).unwrap_or_default();
        self
    }

    /// The same, to which so many requests a second without a good key may come from one address. Proxies of these networks
    /// say for which address they ask.
    #[must_use]
    pub fn with_peers(mut self, proxies: Vec<Network>, failures: Option<NonZeroU32>) -> Self {
        Arc::make_mut(&mut self.0).peers = Peers::new(proxies, failures);
        self
    }

    /// The same, which takes access tokens of issuers whose keys these are.
    #[must_use]
    pub fn with_issuers(mut self, providers: Providers) -> Self {
        let tokens = tokens(&self.engine, providers);
        let (log, clock) = (self.engine.log(), self.engine.clock());
        let sessions_of_browsers = BrowserSessions::new(log, clock, &self.keys, &tokens);
        let parts = Arc::make_mut(&mut self.0);
        (parts.tokens, parts.sessions_of_browsers) = (tokens, sessions_of_browsers);
        self
    }

    /// The same, which pages of these origins may call.
    #[must_use]
    pub fn with_cors(mut self, origins: Vec<CorsOrigin>) -> Self {
        Arc::make_mut(&mut self.0).cors_origins = origins;
        self
    }

    /// The same, which takes endpoints of webhooks on this machine, also without TLS.
    #[must_use]
    pub fn with_insecure_webhooks(mut self, are_allowed: bool) -> Self {
        Arc::make_mut(&mut self.0).allows_insecure_webhooks = are_allowed;
        self
    }

    /// The same, whose streams end within `drain` of when this is cancelled: they have no end of their own.
    #[must_use]
    pub fn with_stop(mut self, stop: CancellationToken, drain: Duration) -> Self {
        Arc::make_mut(&mut self.0).streams = Streams::until(stop, drain);
        self
    }
}

fn tokens(engine: &Engine, providers: Providers) -> Tokens {
    Tokens::new(engine.log(), engine.clock(), engine.keyring(), providers)
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// All routes. Whatever is under way, the probes answer.
pub fn router(app: App) -> Router {
    let (routes, probes, document) = openapi::documented();
    let probes = probes.method_not_allowed_fallback(routes::no_such_method);
    let (readiness, cors) = (app.readiness.clone(), cors::layer(&app.cors_origins));
    let all = routes
        .merge(routes::docs::routes(document))
        .merge(routes::calendar_feeds::addresses())
        .merge(routes::dav::routes())
        .fallback(routes::no_such_route)
        .method_not_allowed_fallback(routes::no_such_method)
        .layer(DefaultBodyLimit::max(body::MAX_BODY_BYTES))
        .layer(from_fn_with_state(DEPRECATED, deprecation::tell))
        .layer(from_fn(etag::not_modified))
        // Outside of it: whoever has the answer already is told nothing.
        .layer(from_fn_with_state(app.clone(), audit::record))
        .layer(from_fn_with_state(app.clone(), database::needed))
        // Inside of the bounds: an answer is under way until its last encoded part has been taken.
        .layer(compression::layer())
        .layer(from_fn(etag::of_encoding))
        .layer(from_fn(compression::never_refused))
        .layer(from_fn_with_state(app.clone(), limits::bound))
        .with_state(app)
        .merge(probes.with_state(readiness))
        .layer(from_fn(head::checked))
        .layer(from_fn(caching::said));
    let all = match cors {
        Some(cors) => for_pages_too(all, cors),
        None => all,
    };
    all.layer(CatchPanicLayer::custom(limits::panicked)).layer(from_fn(trace::trace))
}

/// Pages of other origins may call all but what is for calendar programs: what these ask by OPTIONS is no question of a browser's.
fn for_pages_too(all: Router, cors: CorsLayer) -> Router {
    let for_programs = all.clone();
    all.layer(cors).layer(from_fn(move |request: Request, next: Next| {
        let for_programs = for_programs.clone();
        async move {
            if basic::is_of_programs(request.uri().path()) {
                for_programs.oneshot(request).await.into_response()
            } else {
                next.run(request).await
            }
        }
    }))
}
