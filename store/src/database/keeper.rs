//! Keeps to the server that takes writes: finds it, proves that daybook can work on it, asks it for the time, and
//! finds the next one when it is gone.
//!
//! It has one connection, which hears at once when the server ends, and asks it for the time every few seconds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgListener, PgPoolOptions};
use sqlx::{Acquire as _, Connection as _, Executor as _, Row as _};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::address::{Address, Target};
use super::clock::{DatabaseClock, Sample};
use super::failure::{described, late, refusal};
use super::link::{Link, Refused};
use super::pooler::{self, Mark};
use super::pools::Pools;
use super::room;
use super::session::{self, Setting};

/// How often the database is asked for the time.
const RENEWAL: Duration = Duration::from_secs(5);

/// How often, while it has no room for another connection.
const RENEWAL_WHEN_FULL: Duration = Duration::from_secs(1);

/// How long a server may take to answer before it is taken for gone.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

/// How long it may take to be connected to.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long it may take to be found fit to work on.
const FIND_TIMEOUT: Duration = Duration::from_secs(10);

/// The pause before all servers are tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// What is not passing is tried again, too, for an operator may mend it.
const PAUSE_WHEN_REFUSED: Duration = Duration::from_secs(5);

/// How often the first answers are asked for: the quickest says most.
const FIRST_SAMPLES: usize = 3;

/// What keeps to the server that takes writes.
pub(super) struct Keeper {
    pub(super) address: Address,
    pub(super) connections: u32,
    /// Whether a server without room for this program is refused.
    pub(super) needs_room: bool,
    pub(super) link: Arc<Link>,
    pub(super) pools: Pools,
    pub(super) settings: Vec<Setting>,
    pub(super) clock: Arc<DatabaseClock>,
}

/// A server that answers, and its timeline.
type Candidate = (PgConnectOptions, PgConnection, Option<i64>);

/// Why there is no server to work on.
enum NoServer {
    /// None is there at present: why.
    Unreachable(String),
    /// One takes writes that is no primary any more: this program has worked on a later one.
    Outdated,
    Refused(Refused),
}

impl From<sqlx::Error> for NoServer {
    fn from(error: sqlx::Error) -> Self {
        match refusal(&error) {
            Some(said) => Self::Refused(Refused::InVain(said)),
            None => Self::Unreachable(error.to_string()),
        }
    }
}

impl Keeper {
    /// Until cancelled.
    pub(super) async fn run(self, cancel: CancellationToken) {
        cancel.run_until_cancelled(self.keep()).await;
    }

    async fn keep(self) {
        let (mut was_said, mut outdated_was_said) = (false, false);
        loop {
            let found = timeout(FIND_TIMEOUT, self.find()).await;
            match found.unwrap_or_else(|_| Err(late().into())) {
                Ok((options, mut session, mark)) => {
                    (was_said, outdated_was_said) = (false, false);
                    self.pools.move_to(&options);
                    self.link.found(&options);
                    let lost = self.follow(&mut session, &mark).await;
                    self.link.lost();
                    tracing::warn!(reason = %lost, "the database is gone; looking for it");
                }
                Err(NoServer::Refused(refused)) => {
                    // Whoever waits for the first one says so.
                    if self.link.was_found() {
                        tracing::error!("{refused}");
                    }
                    self.link.refuse(refused);
                    sleep(PAUSE_WHEN_REFUSED).await;
                }
                Err(NoServer::Outdated) => {
                    if !std::mem::replace(&mut outdated_was_said, true) {
                        tracing::error!(
                            "a server takes writes that is older than the one this program has worked on; waiting \
                             for that one (start this program anew if it is to work on the older one)"
                        );
                    }
                    sleep(RETRY_PAUSE).await;
                }
                Err(NoServer::Unreachable(error)) => {
                    if !std::mem::replace(&mut was_said, true) {
                        tracing::warn!(error, "no database to work on; trying again");
                    }
                    self.link.note_failure(error);
                    sleep(RETRY_PAUSE).await;
                }
            }
        }
    }

    /// The server to work on, and a session of this keeper's own.
    async fn find(&self) -> Result<(PgConnectOptions, PgListener, Mark), NoServer> {
        let (options, mut other, timeline) = self.candidate().await?;
        let name = room::announced(self.connections, self.needs_room);
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .max_lifetime(None)
            .idle_timeout(None)
            .acquire_timeout(CONNECT_TIMEOUT)
            .connect_lazy_with(options.clone().application_name(&name));
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.eager_reconnect(false);
        let session = (&mut listener).acquire().await?;
        session::set_up(session, &self.settings).await?;
        let Some(mark) = pooler::mark(session, &mut other).await? else {
            return Err(NoServer::Refused(Refused::Pooler));
        };
        if self.needs_room && !self.link.was_found() {
            room::look(session, self.connections).await?.map_err(NoServer::Refused)?;
        }
        for _ in 0..FIRST_SAMPLES {
            self.clock
                .take(sample(session, &mark).await?.ok_or(NoServer::Refused(Refused::Pooler))?);
        }
        let _ = other.close().await;
        self.link.note_timeline(timeline);
        Ok((options, listener, mark))
    }

    /// The server that will do. Of several that take writes the one that was promoted last: an old primary that
    /// has come back does not know yet that it is none. Nor is it one where it is the only one that answers at present.
    async fn candidate(&self) -> Result<Candidate, NoServer> {
        let servers = join_all(self.address.servers.iter().map(async |options| {
            let connected = PgConnection::connect_with(options);
            let connected = timeout(CONNECT_TIMEOUT, async {
                let mut connection = connected.await?;
                let timeline = match self.address.target {
                    Target::Any => None,
                    Target::Writable => timeline(&mut connection).await?,
                };
                Ok((options.clone(), connection, timeline))
            });
            let connected = connected.await.unwrap_or_else(|_| Err(late()));
            connected.map_err(|error| match refusal(&error) {
                Some(said) => NoServer::Refused(Refused::InVain(said)),
                None => NoServer::Unreachable(described(options, &error)),
            })
        }))
        .await;
        let (mut found, mut failure, mut is_outdated) = (None, None, false);
        for server in servers {
            match server {
                Ok(server) if self.is_outdated(&server) => is_outdated = true,
                Ok(server) if self.is_better(&server, found.as_ref()) => found = Some(server),
                Ok(_) => {}
                // Where one says no, another may still come.
                Err(NoServer::Refused(refused)) => {
                    failure = failure.or(Some(NoServer::Refused(refused)));
                }
                Err(other) => failure = Some(other),
            }
        }
        let none_writes = || NoServer::Unreachable("none of the servers takes writes".to_owned());
        match found {
            Some(found) => Ok(found),
            None if is_outdated => Err(NoServer::Outdated),
            None => Err(failure.unwrap_or_else(none_writes)),
        }
    }

    /// Whether it takes writes and this program has worked on a later one.
    fn is_outdated(&self, server: &Candidate) -> bool {
        server.2.is_some() && server.2 < self.link.timeline()
    }

    fn is_better(&self, server: &Candidate, found: Option<&Candidate>) -> bool {
        match self.address.target {
            Target::Any => found.is_none(),
            Target::Writable => server.2 > found.and_then(|found| found.2),
        }
    }

    /// Asks for the time, as long as the server answers; why it does not any more.
    async fn follow(&self, listener: &mut PgListener, mark: &Mark) -> sqlx::Error {
        let mut is_suspected = false;
        loop {
            let pause = if self.link.is_full() { RENEWAL_WHEN_FULL } else { RENEWAL };
            tokio::select! {
                // Nothing is listened for: it ends when the connection does.
                heard = listener.try_recv() => match heard {
                    Ok(Some(_)) => continue,
                    Ok(None) => return sqlx::Error::Io(std::io::ErrorKind::ConnectionAborted.into()),
                    Err(error) => return error,
                },
                () = sleep(pause) => {}
                () = self.link.suspected() => is_suspected = true,
            }
            let renewed = timeout(ANSWER_TIMEOUT, self.renew(listener, mark)).await;
            if let Err(error) = renewed.unwrap_or_else(|_| Err(late())) {
                return error;
            }
            if std::mem::take(&mut is_suspected) || self.link.is_full() {
                self.look_for_room().await;
            }
        }
    }

    async fn look_for_room(&self) {
        let is_full = self.pools.have_no_room(&self.link.options()).await;
        match (self.link.note_room(is_full), is_full) {
            (true, true) => tracing::error!("the database has no room for a connection"),
            (true, false) => tracing::info!("the database has room for connections again"),
            (false, _) => {}
        }
    }

    async fn renew(&self, listener: &mut PgListener, mark: &Mark) -> Result<(), sqlx::Error> {
        let session = listener.acquire().await?;
        match sample(session, mark).await? {
            Some(sample) => self.clock.take(sample),
            None => return Err(sqlx::Error::Configuration("its session was taken away".into())),
        }
        if self.address.target == Target::Writable && timeline(session).await?.is_none() {
            return Err(sqlx::Error::Configuration("it takes no writes any more".into()));
        }
        Ok(())
    }
}

/// Each promotion has a higher number; `None`: this server takes no writes.
const TIMELINE: &str = "
    SELECT CASE WHEN NOT pg_is_in_recovery()
                 AND current_setting('default_transaction_read_only') = 'off'
                THEN ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint
            END";

async fn timeline(connection: &mut PgConnection) -> Result<Option<i64>, sqlx::Error> {
    connection.fetch_one(TIMELINE).await?.try_get(0)
}

/// What time it is; `None`: this is not the session that was marked.
async fn sample(session: &mut PgConnection, mark: &Mark) -> Result<Option<Sample>, sqlx::Error> {
    let ask = format!(
        "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, {}",
        mark.is_there()
    );
    let sent = Instant::now();
    let row = session.fetch_one(ask.as_str()).await?;
    let received = Instant::now();
    let sample = Sample { sent, received, said: row.try_get(0)? };
    Ok(row.try_get::<bool, _>(1)?.then_some(sample))
}
