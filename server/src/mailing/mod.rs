//! Writes to clients: reminds them of their appointments, and tells them what becomes of these. What is due is begun in the log,
//! handed to a relay, and what has become of it is recorded.
//!
//! What is due next is asked of all tenants at once, by an index in the order of time, as the sweeper does; of each tenant a
//! first one before anybody's second. A message is one in the log, whoever sends it: several programs may do so at once, and of
//! two that begin the same one, one does.
//!
//! * `reminder`, `notice`: one of each, from its beginning to what has become of it; `sending`: what they have in common.
//! * `about`: what is known at the moment of sending; `words`: what is written of it.
//! * `room`: how many at once, in all and of a tenant; `relay_down`: while none is there, no mail is begun.

mod about;
mod notice;
mod relay_down;
mod reminder;
mod room;
mod sending;
mod settings;
mod words;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::service::Channel;
use daybook_domain::{NoticeId, ReminderId, TenantId};
use daybook_integrations::mail::Relay;
use daybook_projections::notices::Notices;
use daybook_projections::reminders::Reminders;
use daybook_projections::{Due, DueQuery};
use daybook_store::Repeated;
use daybook_store::metrics::{NOTICES_OLDEST_DUE, REMINDERS_OLDEST_DUE};
use daybook_store::reminding::at_home_since;
use daybook_store::templates::Templates;
use metrics::gauge;
use tokio::task::{self, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::again::Again;
use crate::parts::Parts;
use relay_down::RelayDown;
use room::Room;
use sending::Turn;
pub(crate) use settings::{Mailing, SmtpOptions};

/// The longest pause: what is planned within it is seen in time.
const MAX_PAUSE: Duration = Duration::from_secs(4);

/// What has just happened is told within this.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The shortest, where there is more than there is room for.
const MIN_PAUSE: Duration = Duration::from_millis(100);

/// How often it is looked for how long something has been due.
const WATCH_EVERY: Duration = Duration::from_secs(2);

static WRITE: Repeated = Repeated::new("write to clients");
static WATCH: Repeated = Repeated::new("see for how long clients wait to be written to");

/// Writes to clients. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Mailer {
    parts: Parts,
    reminders: Reminders,
    notices: Notices,
    templates: Templates,
    /// Where there is a relay; else nothing but what others send is begun.
    post: Option<Arc<Post>>,
}

/// A relay, and what is said to it.
struct Post {
    relay: Relay,
    mailing: Mailing,
}

/// Something that is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Errand {
    Reminder(ReminderId),
    Notice(NoticeId),
}

impl Errand {
    const fn uuid(self) -> Uuid {
        match self {
            Self::Reminder(id) => id.uuid(),
            Self::Notice(id) => id.uuid(),
        }
    }
}

impl fmt::Display for Errand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reminder(id) => write!(f, "reminder {id}"),
            Self::Notice(id) => write!(f, "notice {id}"),
        }
    }
}

impl Mailer {
    pub(crate) fn new(parts: Parts, mailing: Option<Mailing>) -> anyhow::Result<Self> {
        let post = match mailing {
            Some(mailing) => Some(Arc::new(Post { relay: mailing.relay()?, mailing })),
            None => None,
        };
        let (reminders, notices) = (parts.reminders(), parts.notices());
        let templates = Templates::new(parts.log());
        Ok(Self { parts, reminders, notices, templates, post })
    }

    /// Writes until cancelled; what is being handed over then is cut off, and found again when it lapses.
    pub(crate) async fn run(self, cancel: CancellationToken) {
        let mut work = Work::default();
        let Some(since) = cancel.run_until_cancelled(self.at_home_since()).await else { return };
        let both = async { tokio::join!(work.go_on(&self, since), self.watch()) };
        let _ = cancel.run_until_cancelled(both).await;
        // What is under way is nearly done, as a rule.
        let _ = tokio::time::timeout(Duration::from_secs(5), work.finish()).await;
    }

    /// Since when this database is where clients are written to.
    async fn at_home_since(&self) -> DateTime<Utc> {
        loop {
            let since = at_home_since(self.parts.log().pool()).await;
            WRITE.note(&since);
            match since {
                Ok(since) => return since,
                Err(_) => sleep(MAX_PAUSE).await,
            }
        }
    }

    /// Says for how long something has been due, also while the relay is away; without one, only what others send ever is.
    async fn watch(&self) {
        loop {
            WATCH.note(&self.watch_once().await);
            sleep(WATCH_EVERY).await;
        }
    }

    async fn watch_once(&self) -> Result<(), sqlx::Error> {
        let channel = self.post.is_none().then_some(Channel::Webhook);
        gauge!(REMINDERS_OLDEST_DUE).set(self.reminders.overdue(channel).await?);
        if self.post.is_some() {
            gauge!(NOTICES_OLDEST_DUE).set(self.notices.overdue().await?);
        }
        Ok(())
    }

    /// What is due of both kinds, in turns; while the relay is away, what others send.
    async fn due(&self, but: &[Uuid], is_away: bool) -> Result<Vec<Due<Errand>>, sqlx::Error> {
        let ahead = TimeDelta::from_std(MAX_PAUSE).unwrap_or_default();
        let query = DueQuery { ahead, but };
        let (reminders, notices) = if self.post.is_some() && !is_away {
            let (reminders, notices) = (self.reminders.due(query, None), self.notices.due(query));
            tokio::try_join!(reminders, notices)?
        } else {
            (self.reminders.due(query, Some(Channel::Webhook)).await?, Vec::new())
        };
        let reminders = reminders.into_iter().map(|due| as_errand(due, Errand::Reminder));
        let notices = notices.into_iter().map(|due| as_errand(due, Errand::Notice));
        // Each is in the order of whose turn it is.
        let mut due: Vec<_> = reminders.enumerate().chain(notices.enumerate()).collect();
        due.sort_by_key(|(turn, _)| *turn);
        Ok(due.into_iter().map(|(_, due)| due).collect())
    }

    async fn turn(
        &self,
        tenant: &TenantId,
        errand: Errand,
        since: DateTime<Utc>,
    ) -> anyhow::Result<Turn> {
        match errand {
            Errand::Reminder(id) => self.remind(tenant, id, since).await,
            Errand::Notice(id) => self.tell(tenant, id, since).await,
        }
    }
}

fn as_errand<T>(due: Due<T>, errand: fn(T) -> Errand) -> Due<Errand> {
    Due { tenant: due.tenant, id: errand(due.id), due_in: due.due_in }
}

#[derive(Default)]
struct Work {
    again: Again,
    room: Room,
    down: RelayDown,
    running: JoinSet<anyhow::Result<Turn>>,
    busy: HashMap<task::Id, (TenantId, Errand)>,
}

impl Work {
    async fn go_on(&mut self, mailer: &Mailer, since: DateTime<Utc>) {
        loop {
            self.round(mailer, since).await;
        }
    }

    /// Begins what is due and can be begun, and waits until there may be something to do again.
    async fn round(&mut self, mailer: &Mailer, since: DateTime<Utc>) {
        let mut but = self.again.not_now();
        but.extend(self.busy.values().map(|(_, errand)| errand.uuid()));
        let is_away = self.down.most() == 0;
        let due = mailer.due(&but, is_away).await;
        WRITE.note(&due);
        let Ok(due) = due else {
            sleep(MAX_PAUSE).await;
            return;
        };
        let most = if is_away { room::AT_ONCE } else { self.down.most() };
        let is_left = self.begin(mailer, (due.as_slice(), most), since);
        let next = due.iter().filter(|it| !it.is_due()).map(|it| it.due_in).min();
        let next = next.and_then(|next| next.to_std().ok()).unwrap_or(LOOK_EVERY).min(LOOK_EVERY);
        let pause = if is_left { MIN_PAUSE } else { next };
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

    /// Begins so many at most. Whether something is left that is due.
    fn begin(
        &mut self,
        mailer: &Mailer,
        (due, most): (&[Due<Errand>], usize),
        since: DateTime<Utc>,
    ) -> bool {
        let mut is_left = false;
        for Due { tenant, id, .. } in due.iter().filter(|it| it.is_due()) {
            if self.busy.len() >= most || !self.room.take(tenant) {
                is_left = true;
                continue;
            }
            let (mailer, of, errand) = (mailer.clone(), tenant.clone(), *id);
            let task = self.running.spawn(async move { mailer.turn(&of, errand, since).await });
            self.busy.insert(task.id(), (tenant.clone(), errand));
        }
        is_left
    }

    fn end(&mut self, ended: Result<(task::Id, anyhow::Result<Turn>), task::JoinError>) {
        let (id, turn) = match ended {
            Ok((id, turn)) => (id, turn),
            Err(error) => (error.id(), Err(error.into())),
        };
        let Some((tenant, errand)) = self.busy.remove(&id) else { return };
        self.room.give_back(&tenant);
        let id = errand.uuid();
        match turn {
            Ok(Turn::Reached) => {
                self.down.is_there();
                self.again.note(id, true);
            }
            Ok(Turn::Done) => self.again.note(id, true),
            Ok(Turn::Not) => self.again.note(id, false),
            Ok(Turn::NotReached) => {
                self.down.is_not_there();
                self.again.note(id, true);
            }
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), %tenant, %errand, "not sent");
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
