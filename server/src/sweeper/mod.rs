//! Records what has come to pass by itself: holds that have lapsed, and what has become of entries of the waiting
//! list; forgets answers, deliveries of webhooks and months of the audit log that were kept long enough; goes on with
//! erasures and restrictions that were cut off; and erases clients who have not been there for as long as their tenant
//! has settled on.
//!
//! Nothing depends on it being quick: a lapsed hold is in nobody's way and shows as cancelled
//! before it is recorded. Several programs may sweep at once; the log takes each of it once.
//!
//! What is due is asked of all tenants at once, so a sweep with nothing to do is two statements, however many tenants
//! there are. Whether it is, the engine decides.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use daybook_api::{App, Retained};
use daybook_domain::appointment::{Appointment, AppointmentCommand};
use daybook_domain::{AppointmentId, ClientId, TenantId, WaitingEntryId};
use daybook_projections::due::MOST_DUE;
use daybook_projections::search::Search;
use daybook_projections::waiting::WaitingList;
use daybook_projections::{Due, DueQuery};
use daybook_store::audit;
use daybook_store::metrics::HOLDS_DUE;
use daybook_store::webhooks;
use daybook_store::{CommandContext, Engine, Repeated, Target};
use futures::{StreamExt as _, stream};
use metrics::gauge;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::again::Again;
use crate::parts::Parts;

/// The longest pause: no hold is made that lapses sooner.
const MAX_PAUSE: Duration = Duration::from_secs(4);

/// The shortest: what becomes due within it is recorded together.
const MIN_PAUSE: Duration = Duration::from_millis(50);

/// How often it is asked whether answers are to be forgotten: what has failed is tried again soon.
const CHORES_INTERVAL: Duration = Duration::from_mins(20);

/// How often it is asked whether an erasure was cut off.
const ERASURES_INTERVAL: Duration = Duration::from_secs(5);

/// How often it is asked whether a tenant's turn has come whose clients are erased some day, and how long others have the database after one.
const RETENTION_INTERVAL: Duration = Duration::from_secs(2);
const RETENTION_PAUSE: Duration = Duration::from_millis(250);

/// How much is recorded at once. A tenant's is appended in one batch, or a few.
const AT_ONCE: usize = 64;

static SWEEP: Repeated = Repeated::new("sweep");
static ERASE: Repeated = Repeated::new("finish erasures");
static RESTRICT: Repeated = Repeated::new("finish restrictions");
static RETAIN: Repeated = Repeated::new("erase clients by retention");
static FORGET_AUDIT: Repeated = Repeated::new("forget months of the audit log");
static FORGET: Repeated = Repeated::new("forget answers");
static FORGET_DELIVERIES: Repeated = Repeated::new("forget deliveries of webhooks");

/// Sweeps until cancelled: when something is due, or when told to.
pub(crate) async fn run(
    parts: Parts,
    app: App,
    audit_months: u32,
    told: Arc<Notify>,
    cancel: CancellationToken,
) {
    let all = async {
        tokio::join!(
            sweep(&parts, &told),
            forget_answers(&parts),
            forget_audit(&parts, audit_months),
            forget_deliveries(&parts),
            finish_erasures(&app),
            retain(&app),
        )
    };
    tokio::select! {
        () = cancel.cancelled() => {}
        _ = all => {}
    }
}

/// Goes on with erasures of clients, and restrictions, that were cut off.
async fn finish_erasures(app: &App) {
    loop {
        ERASE.note(&app.finish_erasures().await);
        RESTRICT.note(&app.finish_restrictions().await);
        sleep(ERASURES_INTERVAL).await;
    }
}

/// Erases clients who have not been there for as long as their tenants have settled on: some at a time, so that whoever books is not
/// kept waiting.
async fn retain(app: &App) {
    let mut again = Again::default();
    loop {
        let but: Vec<ClientId> = again.not_now().into_iter().map(ClientId::from).collect();
        let retained = app.retain(&but).await;
        RETAIN.note(&retained);
        let pause = match &retained {
            Ok(Some(Retained { kept, .. })) => {
                for client in kept {
                    again.note(client.uuid(), false);
                }
                RETENTION_PAUSE
            }
            Ok(None) | Err(_) => RETENTION_INTERVAL,
        };
        sleep(pause).await;
    }
}

async fn forget_answers(parts: &Parts) {
    let answers = parts.log().old_answers();
    loop {
        FORGET.note(&answers.forget().await);
        sleep(CHORES_INTERVAL).await;
    }
}

/// Forgets the months of the audit log that were kept long enough.
async fn forget_audit(parts: &Parts, months: u32) {
    loop {
        let before = audit::kept_since(parts.clock.now(), months);
        FORGET_AUDIT.note(&audit::forget(parts.log().pool(), before).await);
        sleep(CHORES_INTERVAL).await;
    }
}

/// Forgets what was sent to endpoints of webhooks, once it was known for long enough.
async fn forget_deliveries(parts: &Parts) {
    loop {
        let forgotten = webhooks::forget_deliveries(parts.log().pool(), parts.clock.now()).await;
        FORGET_DELIVERIES.note(&forgotten);
        sleep(CHORES_INTERVAL).await;
    }
}

async fn sweep(parts: &Parts, told: &Notify) {
    let mut sweeper = Sweeper {
        parts,
        search: parts.search(),
        list: parts.waiting_list(),
        holds: Again::default(),
        entries: Again::default(),
    };
    loop {
        let swept = sweeper.sweep().await;
        SWEEP.note(&swept);
        let _ = timeout(swept.unwrap_or(MAX_PAUSE), told.notified()).await;
        sleep(MIN_PAUSE).await;
    }
}

struct Sweeper<'a> {
    parts: &'a Parts,
    search: Search,
    list: WaitingList,
    holds: Again,
    entries: Again,
}

impl Sweeper<'_> {
    /// Records what is due. How long there is nothing to do after that.
    async fn sweep(&mut self) -> Result<Duration, sqlx::Error> {
        let ahead = TimeDelta::from_std(MAX_PAUSE).unwrap_or_default();
        let engine = &self.parts.engine;
        // First the entries: what has become of an offer is recorded together with its hold.
        let but = self.entries.not_now();
        let due = self.list.due(DueQuery { ahead, but: &but }).await?;
        let pause = until_next(&due);
        let entries = due.into_iter().filter(Due::is_due).map(|it| (it.tenant, Over::Entry(it.id)));
        each(engine, entries.collect(), &mut self.entries).await;
        let but = self.holds.not_now();
        let due = self.search.due_holds(DueQuery { ahead, but: &but }).await?;
        let pause = pause.min(until_next(&due));
        let holds = due.into_iter().filter(Due::is_due).map(|it| (it.tenant, Over::Hold(it.id)));
        let holds: Vec<_> = holds.collect();
        // Those that could not be given back, too.
        gauge!(HOLDS_DUE).set(u32::try_from(holds.len() + but.len()).unwrap_or(u32::MAX));
        each(engine, holds, &mut self.holds).await;
        Ok(pause)
    }
}

/// Something whose time is over.
#[derive(Debug, Clone, Copy)]
enum Over {
    Entry(WaitingEntryId),
    Hold(AppointmentId),
}

impl Over {
    fn id(self) -> Uuid {
        match self {
            Self::Entry(id) => id.uuid(),
            Self::Hold(id) => id.uuid(),
        }
    }

    /// Records it. Refused: another has recorded something else, and the projection has not read that yet.
    async fn record(self, engine: Engine, tenant: TenantId) -> (Uuid, bool) {
        let recorded = match self {
            Self::Entry(id) => {
                let context = CommandContext::new(tenant.clone(), "daybook:waiting-list");
                engine.settle_entry(&context, id).await.map(drop)
            }
            Self::Hold(id) => {
                let context = CommandContext::new(tenant.clone(), "daybook:sweeper");
                let (target, command) =
                    (Target::Existing(id.uuid()), AppointmentCommand::ExpireHold);
                engine.execute::<Appointment>(&context, target, command).await.map(drop)
            }
        };
        if let Err(error) = &recorded {
            tracing::debug!(%error, %tenant, over = ?self, "it is not recorded that its time is over");
        }
        (self.id(), recorded.is_ok())
    }
}

/// How long until something else is due.
fn until_next<T>(due: &[Due<T>]) -> Duration {
    if due.len() >= MOST_DUE {
        return MIN_PAUSE;
    }
    let next = due.iter().filter(|it| !it.is_due()).map(|it| it.due_in).min();
    let next = next.and_then(|next| next.to_std().ok());
    next.map_or(MAX_PAUSE, |next| next.clamp(MIN_PAUSE, MAX_PAUSE))
}

/// Records these; what cannot be recorded is not tried again at once.
async fn each(engine: &Engine, over: Vec<(TenantId, Over)>, again: &mut Again) {
    let recorded = over.into_iter().map(|(tenant, over)| over.record(engine.clone(), tenant));
    let mut recorded = stream::iter(recorded).buffer_unordered(AT_ONCE);
    while let Some((id, done)) = recorded.next().await {
        again.note(id, done);
    }
}
