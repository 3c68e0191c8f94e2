//! The database that daybook works on: where it is, who may connect to it how often, and what time it is there.
//!
//! * [`Address`]: one server, or several of which one takes writes.
//! * [`Primary`]: the server that takes writes, wherever it is at present. Every pool is made by it: it sets
//!   sessions up, and leaves a server that is gone.
//! * [`Budget`]: how many connections a program may have, and for what.
//! * [`DatabaseClock`]: the time by which everything is decided.
//!
//! Why so: `docs/adr/0029-the-database-keeps-the-time.md`.

mod address;
mod budget;
mod clock;
mod failure;
mod keeper;
mod link;
mod pooler;
mod pools;
mod room;
pub(crate) mod session;

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio_util::sync::{CancellationToken, DropGuard};

pub use address::{Address, AddressError, Owner};
pub use budget::{BadBudget, Budget};
pub(crate) use budget::{HEARTBEAT, Shares, WAKEUPS};
pub use clock::DatabaseClock;
pub use failure::is_in_vain;
pub use link::{Refused, State};
pub(crate) use pools::Purpose;
pub use room::Room;

use address::Target;
use keeper::Keeper;
use link::Link;
use pools::Pools;
use session::Setting;

/// What every session has. Compiling a plan costs more than our short queries. A machine that dies says nothing: what
/// it held of the server, connections and locks, is to be free within a minute and not after the two hours that
/// kernels wait (no effect on Unix sockets, where these are shown as 0).
const SETTINGS: &[(&str, &str)] = &[
    ("jit", "off"),
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "3"),
];

/// What the sessions of pools are called in `pg_stat_activity`, where the address names them no other way. The keeper's
/// has a name of its own.
const NAME: &[(&str, &str)] = &[("application_name", "daybook")];

/// The server that takes writes, wherever it is at present. Cheap to clone.
#[derive(Clone)]
pub struct Primary {
    link: Arc<Link>,
    pools: Pools,
    clock: Arc<DatabaseClock>,
    /// Of every session, before those of its pool.
    settings: Vec<Setting>,
    /// Of every session, after those of its pool.
    last_settings: Vec<Setting>,
    /// Ends the keeper, with the last clone.
    _keeper: Option<Arc<DropGuard>>,
}

impl Primary {
    /// Looks for it, and follows it. No pool connects before it was found. Needs a Tokio runtime.
    ///
    /// `owner`: who makes and changes tables, where that is somebody else. The program may have so many `connections`. `needs_room`: a server that cannot hold them beside those of
    /// other programs is refused.
    #[must_use]
    pub fn follow(
        address: Address,
        owner: Option<Owner>,
        connections: u32,
        needs_room: bool,
    ) -> Self {
        let must_write = address.target == Target::Writable;
        let mut primary = Self::over(Link::new(address.first(), must_write, State::Awaited));
        primary.pools.owner = owner;
        let cancel = CancellationToken::new();
        let keeper = Keeper {
            address,
            connections,
            needs_room,
            link: Arc::clone(&primary.link),
            pools: primary.pools.clone(),
            settings: primary.settings.clone(),
            clock: Arc::clone(&primary.clock),
        };
        tokio::spawn(keeper.run(cancel.clone()));
        Self { _keeper: Some(Arc::new(cancel.drop_guard())), ..primary }
    }

    /// One server, taken as it is: nobody follows it, and its clock is not asked.
    #[must_use]
    pub fn fixed(server: PgConnectOptions) -> Self {
        Self::over(Link::new(server, false, State::Found))
    }

    fn over(link: Link) -> Self {
        let settings = session::settings(SETTINGS);
        let (pools, clock, last_settings) = Default::default();
        Self { link: Arc::new(link), pools, clock, settings, last_settings, _keeper: None }
    }

    /// Where it is at present, for sessions of the tables' owner that have these settings whatever they are for. Nobody
    /// follows it.
    pub(crate) fn fixed_with(&self, settings: &[(&str, &str)]) -> Self {
        let owners = Self::fixed(self.owners_options());
        Self { last_settings: session::settings(settings), ..owners }
    }

    /// Whether its tables have an owner who does nothing else.
    pub(crate) fn has_owner(&self) -> bool {
        self.pools.owner.is_some()
    }

    /// How the owner of the tables connects to it at present.
    pub(crate) fn owners_options(&self) -> PgConnectOptions {
        self.pools.options(Purpose::Own, &self.options())
    }

    /// How to connect to it at present.
    #[must_use]
    pub fn options(&self) -> PgConnectOptions {
        self.link.options()
    }

    /// Its clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<DatabaseClock> {
        &self.clock
    }

    /// Whether there is one.
    #[must_use]
    pub fn state(&self) -> State {
        self.link.state().borrow().clone()
    }

    /// Waits until it was found.
    ///
    /// # Errors
    /// When daybook does not work on what was found.
    pub async fn found(&self) -> Result<(), Refused> {
        let mut state = self.link.state();
        let known = state.wait_for(|state| *state != State::Awaited).await;
        match known.map(|state| state.clone()) {
            Ok(State::Refused(refused)) => Err(refused),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Why none was found when one was looked for last: nothing secret is in it.
    #[must_use]
    pub fn last_failure(&self) -> Option<String> {
        self.link.last_failure()
    }

    /// When one was lost last: connections that are older lead nowhere.
    pub(crate) fn lost_at(&self) -> Option<Instant> {
        self.link.lost_at()
    }

    /// Somebody could not connect: has the server no room?
    pub(crate) fn suspect(&self) {
        self.link.suspect();
    }

    /// A pool whose sessions have these settings, and are ready when they are handed out.
    pub(crate) fn pool(
        &self,
        purpose: Purpose,
        pool: PgPoolOptions,
        settings: &[(&str, &str)],
    ) -> PgPool {
        let own = session::settings(settings);
        let is_named = self.options().get_application_name().is_some();
        let name = session::settings(if is_named { &[] } else { NAME });
        let all = self.settings.iter().chain(&name).chain(&own).chain(&self.last_settings);
        let all: Arc<[Setting]> = all.cloned().collect();
        let leads_here = |link: &Link, age: Duration| {
            let connected_at = Instant::now().checked_sub(age);
            link.lost_at().is_none_or(|lost| connected_at > Some(lost))
        };
        let shared = || Arc::clone(&self.link);
        let (link, takes, gives_back) = (shared(), shared(), shared());
        let pool = pool
            .after_connect(move |connection, _| {
                let (link, settings) = (Arc::clone(&link), Arc::clone(&all));
                Box::pin(async move { link.ready(connection, &settings).await })
            })
            .before_acquire(move |_, meta| {
                Box::pin(std::future::ready(Ok(leads_here(&takes, meta.age))))
            })
            .after_release(move |connection, meta| {
                let leads_here = leads_here(&gives_back, meta.age);
                Box::pin(async move {
                    if leads_here {
                        session::settle(connection).await?;
                    }
                    Ok(leads_here)
                })
            })
            .connect_lazy_with(self.pools.options(purpose, &self.options()));
        self.pools.add(purpose, &pool);
        pool
    }
}

impl From<&PgConnectOptions> for Primary {
    fn from(server: &PgConnectOptions) -> Self {
        Self::fixed(server.clone())
    }
}

impl From<&Self> for Primary {
    fn from(primary: &Self) -> Self {
        primary.clone()
    }
}
