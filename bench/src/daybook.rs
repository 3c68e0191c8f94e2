//! daybook as the program puts it together, in this process and without HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use daybook_domain::appointment::{Appointment, AppointmentCommand, Booking, CancelledBy, MovedBy};
use daybook_domain::{AppointmentId, ResourceIds, TenantId};
use daybook_projections::appointments::Appointments;
use daybook_projections::history::History;
use daybook_projections::search::Search;
use daybook_projections::{Progress, Projection, ProjectionId, Rebuilder, Rebuilt, Runner, Schema};
use daybook_store::personal::{Keyring, MasterKeys};
use daybook_store::{
    Clock, CommandContext, CommandKey, Engine, Log, LogSettings, Position, SystemClock, Target,
    migrate, tenants,
};
use futures::{StreamExt as _, TryStreamExt as _};
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

use crate::calendar::{Calendar, drawn};
use crate::catalogue::{self, Size};
use crate::cluster::{Database, Server};
use crate::load::Work;
use crate::seed::{append_all, seed};

/// Whose log everything is in.
pub(crate) const TENANT: &str = "bench";

/// The master key of the programs that are measured: all on a database have the same.
pub(crate) fn master_key() -> String {
    format!("daybook-master-key-1:{:064x}", 0xbe)
}

/// How long projections may take to catch up with what was seeded.
const PATIENCE: Duration = Duration::from_mins(30);

/// How many book at once while the engine gets to know everybody.
pub(crate) const AT_ONCE_TO_KNOW: usize = 64;

/// The engine, the search and what can be booked.
pub(crate) struct Daybook {
    pub(crate) engine: Engine,
    pub(crate) search: Search,
    pub(crate) history: History,
    pub(crate) tenant: TenantId,
    pub(crate) calendar: Calendar,
    pub(crate) size: Size,
    commands: AtomicU64,
}

impl Daybook {
    /// A database with the tables, the catalogue and the appointments, to copy from.
    pub(crate) async fn template(server: &Server, size: Size) -> anyhow::Result<Database> {
        let (database, daybook) = Self::furnished(server, size).await?;
        let projections = daybook.start_projections();
        seed(&daybook, &projections, 0..size.appointments).await?;
        projections.stop().await?;
        daybook.close().await;
        // What keeps a connection now would keep the database from being copied.
        disconnected(server, &database).await?;
        Ok(database)
    }

    /// The same, but for the projections: they have read nothing of it.
    pub(crate) async fn log_only(server: &Server, size: Size) -> anyhow::Result<Database> {
        let (database, daybook) = Self::furnished(server, size).await?;
        append_all(&daybook, 0..size.appointments).await?;
        daybook.close().await;
        Ok(database)
    }

    pub(crate) async fn furnished(server: &Server, size: Size) -> anyhow::Result<(Database, Self)> {
        let database = server.empty().await?;
        let daybook = Self::open(&database, Size { appointments: 0, ..size })?;
        let pool = daybook.log().pool();
        migrate(pool).await?;
        if let Some(keyring) = daybook.engine.keyring() {
            keyring.register().await?;
        }
        daybook_projections::prepare(pool, &daybook.projections()).await?;
        tenants::create(pool, &daybook.tenant, "UTC", SystemClock.now()).await?;
        catalogue::make(&daybook.engine, &daybook.tenant, size).await?;
        Ok((database, daybook))
    }

    /// Over a database that has what it needs.
    pub(crate) fn open(database: &Database, size: Size) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let calendar = Calendar::new(size);
        let log = Log::open(&database.options, &clock, LogSettings::default());
        let search = Search::new(log.pool().clone());
        let history = History::new(log.pool().clone());
        let keyring = Keyring::new(&log, MasterKeys::new(&[master_key().parse()?])?);
        let engine = Engine::new(log, clock).with_keyring(keyring);
        let (tenant, commands) = (TENANT.parse()?, AtomicU64::new(0));
        Ok(Self { engine, search, history, tenant, calendar, size, commands })
    }

    /// Ends its connections.
    pub(crate) async fn close(self) {
        self.log().pool().close().await;
    }

    pub(crate) fn log(&self) -> &Log {
        self.engine.log()
    }

    fn projections(&self) -> Vec<Arc<dyn Projection>> {
        daybook_projections::all(self.log().pool(), self.engine.keyring())
    }

    /// Runs the projections until they are stopped.
    pub(crate) fn start_projections(&self) -> Projections {
        let runner = Runner::new(self.log().clone(), self.projections());
        let (cancel, progress) = (CancellationToken::new(), runner.progress());
        Projections { progress, cancel: cancel.clone(), task: tokio::spawn(runner.run(cancel)) }
    }

    /// Makes the appointments projection from the log as it is now, if it is not there.
    pub(crate) async fn build_appointments(&self) -> anyhow::Result<Rebuilt> {
        let appointments: Arc<dyn Projection> = Arc::new(Appointments::default());
        let clock = Arc::clone(self.engine.clock());
        let rebuilder = Rebuilder::new(self.log().clone(), clock, vec![Arc::clone(&appointments)]);
        Ok(rebuilder.rebuild(&appointments, &CancellationToken::new()).await?)
    }

    /// Drops the appointments projection.
    pub(crate) async fn drop_appointments(&self) -> anyhow::Result<()> {
        let drop = format!("DROP SCHEMA IF EXISTS {} CASCADE", Schema::of(Appointments::ID));
        sqlx::raw_sql(&drop).execute(self.log().pool()).await?;
        Ok(())
    }

    /// A command of somebody who may send it again: with a key, as over HTTP.
    fn context(&self) -> CommandContext {
        let number = self.commands.fetch_add(1, Ordering::Relaxed);
        let (one, other) = (drawn(number), drawn(!number));
        let mut fingerprint = [0; 32];
        fingerprint[..8].copy_from_slice(&one.to_be_bytes());
        let key = Some(CommandKey { key: format!("{one:016x}{other:016x}"), fingerprint });
        CommandContext { key, ..CommandContext::new(self.tenant.clone(), "bench") }
    }

    /// Books the next slot.
    pub(crate) async fn book(&self) -> anyhow::Result<Position> {
        self.make(catalogue::booking(self.calendar.take(), self.size)?).await
    }

    async fn make(&self, booking: Booking) -> anyhow::Result<Position> {
        self.execute(Target::fresh(), AppointmentCommand::BookAppointment(booking)).await
    }

    /// Books once for every client: an engine that has just been opened knows nobody, and one that
    /// has run for an hour knows everybody.
    pub(crate) async fn get_to_know_all(&self) -> anyhow::Result<()> {
        let bookings = (0..self.size.clients).map(|client| {
            let booking = catalogue::booking(self.calendar.take(), self.size)?;
            anyhow::Ok(Booking { client_id: catalogue::client(client), ..booking })
        });
        futures::stream::iter(bookings)
            .map(async |booking| self.make(booking?).await)
            .buffer_unordered(AT_ONCE_TO_KNOW)
            .try_for_each(async |_| Ok(()))
            .await
    }

    /// Moves an appointment to the next slot.
    pub(crate) async fn reschedule(&self, id: AppointmentId) -> anyhow::Result<Position> {
        let slot = self.calendar.take();
        let resource_ids = ResourceIds::try_from(vec![catalogue::resource(slot.resource)])?;
        let (start, resource_ids) = (slot.start, Some(resource_ids.into()));
        let command = AppointmentCommand::RescheduleAppointment {
            start,
            resource_ids,
            by: MovedBy::Client,
            overriding: None,
        };
        self.execute(Target::Existing(id.uuid()), command).await
    }

    /// Cancels an appointment.
    pub(crate) async fn cancel(&self, id: AppointmentId) -> anyhow::Result<Position> {
        let by = CancelledBy::Client;
        let command = AppointmentCommand::CancelAppointment { reason: None, by, overriding: None };
        self.execute(Target::Existing(id.uuid()), command).await
    }

    async fn execute(
        &self,
        target: Target,
        command: AppointmentCommand,
    ) -> anyhow::Result<Position> {
        let context = self.context();
        let executed = self.engine.execute::<Appointment>(&context, target, command).await?;
        executed.position.context("a booking without a position")
    }
}

/// Waits until nobody is connected to a database.
pub(crate) async fn disconnected(server: &Server, database: &Database) -> anyhow::Result<()> {
    let mut admin = server.admin().await?;
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let connections: i64 = sqlx::query_scalar(
            // One who vacuums is sent away by whoever copies the database.
            "SELECT count(*) FROM pg_stat_activity
                  WHERE datname = $1 AND backend_type = 'client backend'",
        )
        .bind(database.name())
        .fetch_one(&mut admin)
        .await?;
        if connections == 0 {
            return Ok(());
        }
        anyhow::ensure!(Instant::now() < deadline, "{connections} connections stay open");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Projections that run.
pub(crate) struct Projections {
    pub(crate) progress: Progress,
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

impl Projections {
    /// Waits until they have read all that is in the log.
    pub(crate) async fn caught_up(&self, daybook: &Daybook) -> anyhow::Result<()> {
        let head = daybook.log().head(&daybook.tenant).await?.unwrap_or_default();
        for projection in daybook.projections() {
            self.reach(daybook, projection.id(), head).await?;
        }
        Ok(())
    }

    async fn reach(
        &self,
        daybook: &Daybook,
        projection: ProjectionId,
        head: Position,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        self.progress.wait_until(&daybook.tenant, projection, head, deadline).await?;
        Ok(())
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.cancel.cancel();
        Ok(self.task.await?)
    }
}

/// A worker that books.
pub(crate) struct Books {
    pub(crate) daybook: Arc<Daybook>,
    /// What it says it did.
    pub(crate) case: &'static str,
}

impl Work for Books {
    async fn once(&mut self) -> anyhow::Result<&'static str> {
        self.daybook.book().await?;
        Ok(self.case)
    }
}

impl Books {
    /// So many of them.
    pub(crate) fn many(daybook: &Arc<Daybook>, case: &'static str, count: usize) -> Vec<Self> {
        (0..count).map(|_| Self { daybook: Arc::clone(daybook), case }).collect()
    }
}
