//! Reminds clients: what is due is begun in the log, handed to a relay, and what has become of it is recorded.
//!
//! What is due next is asked of all tenants at once, by one index in the order of time, as the sweeper does; of each tenant a
//! first one before anybody's second. A reminder is one in the log, whoever sends it: several programs may do so at once, and of
//! two that begin the same one, one does.
//!
//! * `send`: one reminder, from its beginning to what has become of it; `text`: what is written.
//! * `room`: how many at once, in all and of a tenant; `relay`: while none is there, nothing is begun.

mod relay_down;
mod room;
mod send;
mod settings;
mod text;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::{ReminderId, TenantId};
use daybook_integrations::mail::Relay;
use daybook_projections::reminders::Reminders;
use daybook_projections::{Due, DueQuery};
use daybook_store::Repeated;
use daybook_store::metrics::REMINDERS_OLDEST_DUE;
use daybook_store::reminding::at_home_since;
use metrics::gauge;
use tokio::task::{self, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::again::Again;
use crate::parts::Parts;
use relay_down::RelayDown;
use room::Room;
pub(crate) use settings::{Mailing, SmtpOptions};

/// The longest pause: what is planned within it is seen in time.
const MAX_PAUSE: Duration = Duration::from_secs(4);

/// The shortest, where there is more than there is room for.
const MIN_PAUSE: Duration = Duration::from_millis(100);

static REMIND: Repeated = Repeated::new("remind clients");

/// Reminds clients. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Reminder {
    parts: Parts,
    reminders: Reminders,
    relay: Arc<Relay>,
    mailing: Arc<Mailing>,
}

/// What has become of a turn.
enum Turn {
    /// It is recorded.
    Done,
    /// Nothing is: another program is at it, or it is not due any more.
    Not,
    /// The relay could not be reached.
    NotReached,
}

impl Reminder {
    pub(crate) fn new(parts: Parts, mailing: Mailing) -> anyhow::Result<Self> {
        let relay = Arc::new(mailing.relay()?);
        Ok(Self { reminders: parts.reminders(), parts, relay, mailing: Arc::new(mailing) })
    }

    /// Reminds until cancelled; what is being handed over then is cut off, and found again when it lapses.
    pub(crate) async fn run(self, cancel: CancellationToken) {
        let mut work = Work::default();
        let Some(since) = cancel.run_until_cancelled(self.at_home_since()).await else { return };
        while cancel.run_until_cancelled(work.round(&self, since)).await.is_some() {}
        // What is under way is nearly done, as a rule.
        let _ = tokio::time::timeout(Duration::from_secs(5), work.finish()).await;
    }
}

impl Reminder {
    /// Since when this database is where reminders are sent.
    async fn at_home_since(&self) -> DateTime<Utc> {
        loop {
            let since = at_home_since(self.parts.log().pool()).await;
            REMIND.note(&since);
            match since {
                Ok(since) => return since,
                Err(_) => sleep(MAX_PAUSE).await,
            }
        }
    }
}

#[derive(Default)]
struct Work {
    again: Again,
    room: Room,
    down: RelayDown,
    running: JoinSet<anyhow::Result<Turn>>,
    busy: HashMap<task::Id, (TenantId, ReminderId)>,
}

impl Work {
    /// Begins what is due and can be begun, and waits until there may be something to do again.
    async fn round(&mut self, reminder: &Reminder, since: DateTime<Utc>) {
        let mut but = self.again.not_now();
        but.extend(self.busy.values().map(|(_, id)| id.uuid()));
        let ahead = TimeDelta::from_std(MAX_PAUSE).unwrap_or_default();
        let due = reminder.reminders.due(DueQuery { ahead, but: &but }).await;
        REMIND.note(&due);
        let Ok(due) = due else {
            sleep(MAX_PAUSE).await;
            return;
        };
        let oldest = due.iter().map(|it| -it.due_in).max().unwrap_or_default();
        gauge!(REMINDERS_OLDEST_DUE).set(oldest.as_seconds_f64().max(0.0));
        let is_left = self.begin(reminder, &due, since);
        let next = due.iter().filter(|it| !it.is_due()).map(|it| it.due_in).min();
        let next = next.and_then(|next| next.to_std().ok()).unwrap_or(MAX_PAUSE).min(MAX_PAUSE);
        let pause = if is_left { self.down.pause().max(MIN_PAUSE) } else { next };
        let until = Instant::now() + pause.max(Duration::from_millis(20));
        // What has ended makes room, but many that end share a look.
        let mut ended = Vec::new();
        loop {
            let room = self.running.join_next_with_id();
            tokio::select! {
                Some(end) = room, if !self.busy.is_empty() => ended.push(end),
                () = sleep_until(until) => break,
            }
            if is_left && ended.len() >= room::SHARED_LOOK {
                break;
            }
        }
        for end in ended {
            self.end(end);
        }
    }

    /// Whether something is left that is due.
    fn begin(
        &mut self,
        reminder: &Reminder,
        due: &[Due<ReminderId>],
        since: DateTime<Utc>,
    ) -> bool {
        let mut is_left = false;
        for Due { tenant, id, .. } in due.iter().filter(|it| it.is_due()) {
            let most = self.down.most();
            if self.busy.len() >= most || !self.room.take(tenant) {
                is_left = true;
                continue;
            }
            let (reminder, of, id) = (reminder.clone(), tenant.clone(), *id);
            let task = self.running.spawn(async move { reminder.turn(&of, id, since).await });
            self.busy.insert(task.id(), (tenant.clone(), id));
        }
        is_left
    }

    fn end(&mut self, ended: Result<(task::Id, anyhow::Result<Turn>), task::JoinError>) {
        let (id, turn) = match ended {
            Ok((id, turn)) => (id, turn),
            Err(error) => (error.id(), Err(error.into())),
        };
        let Some((tenant, reminder)) = self.busy.remove(&id) else { return };
        self.room.give_back(&tenant);
        let id: Uuid = reminder.uuid();
        match turn {
            Ok(Turn::Done) => {
                self.down.is_there();
                self.again.note(id, true);
            }
            Ok(Turn::Not) => self.again.note(id, false),
            Ok(Turn::NotReached) => {
                self.down.is_not_there();
                self.again.note(id, true);
            }
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), %tenant, %reminder, "not reminded");
                self.again.note(id, false);
            }
        }
    }

    async fn finish(&mut self) {
        while let Some(ended) = self.running.join_next_with_id().await {
            self.end(ended);
        }
    }
}
