//! What is known of the server at present, shared by the keeper, the pools and whoever asks.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::sync::{Notify, watch};

use super::room::Room;
use super::session::{self, Setting};

/// Why daybook does not work on a database that it can reach.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Sessions do not stay what they are.
    #[error(
        "the database is behind a pooler in transaction mode, which loses daybook's settings, locks and \
         statements: use it in session mode (pool_mode=session), or connect to PostgreSQL directly"
    )]
    Pooler,
    /// It says no to this program, and would say so as often as it is asked.
    #[error(
        "the database refuses daybook: {0} (DAYBOOK_DATABASE_URL says where it is, and as whom to connect)"
    )]
    InVain(String),
    /// There is no room for this program.
    #[error("{0}")]
    NoRoom(Room),
}

/// Whether there is a database to work on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// None was reached yet, so nothing can be decided: what time it is, is not known.
    Awaited,
    /// There is one, or there was one that is looked for again.
    Found,
    /// There is one, without room for a connection to append by.
    Full,
    /// There is one that daybook does not work on.
    Refused(Refused),
}

/// What is known of the server.
pub(super) struct Link {
    state: watch::Sender<State>,
    /// Connections older than this lead to a server that is gone.
    lost_at: Mutex<Option<Instant>>,
    options: Mutex<PgConnectOptions>,
    /// The highest timeline that this program has worked on.
    timeline: Mutex<Option<i64>>,
    suspicion: Notify,
    /// Why no server was found when one was looked for last.
    failure: Mutex<Option<String>>,
    /// Whether a server that takes no writes is of no use.
    must_write: bool,
}

impl Link {
    pub(super) fn new(options: PgConnectOptions, must_write: bool, state: State) -> Self {
        Self {
            state: watch::Sender::new(state),
            lost_at: Mutex::default(),
            options: Mutex::new(options),
            timeline: Mutex::default(),
            suspicion: Notify::new(),
            failure: Mutex::default(),
            must_write,
        }
    }

    pub(super) fn state(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// Whether there was a server already.
    pub(super) fn was_found(&self) -> bool {
        matches!(*self.state.borrow(), State::Found | State::Full)
    }

    pub(super) fn is_full(&self) -> bool {
        *self.state.borrow() == State::Full
    }

    /// How to connect at present.
    pub(super) fn options(&self) -> PgConnectOptions {
        self.options.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// When a server was lost last.
    pub(super) fn lost_at(&self) -> Option<Instant> {
        *self.lost_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The highest timeline that this program has worked on: what has a lower one is no primary any more.
    pub(super) fn timeline(&self) -> Option<i64> {
        *self.timeline.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This program is going to work on this timeline.
    pub(super) fn note_timeline(&self, timeline: Option<i64>) {
        let mut highest = self.timeline.lock().unwrap_or_else(PoisonError::into_inner);
        *highest = timeline.max(*highest);
    }

    /// The server is gone, or another than it was.
    pub(super) fn lost(&self) {
        *self.lost_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// This is the server.
    pub(super) fn found(&self, options: &PgConnectOptions) {
        *self.options.lock().unwrap_or_else(PoisonError::into_inner) = options.clone();
        if self.was_found() {
            // What was connected while it was looked for may lead anywhere.
            self.lost();
        }
        self.state.send_replace(State::Found);
    }

    /// None was found, for this reason.
    pub(super) fn note_failure(&self, failure: String) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
    }

    /// Why none was found when one was looked for last.
    pub(super) fn last_failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn refuse(&self, refused: Refused) {
        self.lost();
        self.state.send_replace(State::Refused(refused));
    }

    /// Whether there is room at present; `true`: that is new.
    pub(super) fn note_room(&self, is_full: bool) -> bool {
        let now = if is_full { State::Full } else { State::Found };
        self.state.send_if_modified(|state| std::mem::replace(state, now.clone()) != now)
    }

    /// The keeper is to look at once: the server takes no writes, or no connections.
    pub(super) fn suspect(&self) {
        self.suspicion.notify_one();
    }

    /// Until somebody suspects it.
    pub(super) async fn suspected(&self) {
        self.suspicion.notified().await;
    }

    /// Readies a session of a pool's, which waits until there is a server to work on; an error: the session
    /// cannot be used.
    pub(super) async fn ready(
        &self,
        connection: &mut PgConnection,
        settings: &[Setting],
    ) -> Result<(), sqlx::Error> {
        let mut state = self.state.subscribe();
        // The sender is `self`'s.
        let _ = state.wait_for(|state| matches!(state, State::Found | State::Full)).await;
        if session::set_up(connection, settings).await?.writable || !self.must_write {
            return Ok(());
        }
        self.suspect();
        Err(sqlx::Error::Configuration("this server takes no writes".into()))
    }
}
