//! A database with tables, tenants and events.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::TenantId;
use daybook_embedded_postgres::testing::{TestCluster, TestDatabase};
use daybook_store::log::NewEvent;
use daybook_store::{AnyEvent, Clock, Log, LogSettings, Position};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::appointments::Appointments;
use crate::catalogue::Catalogue;
use crate::checkpoint::Subscription;
use crate::runner::poll::Poll;
use crate::{Progress, Projection, ProjectionId, Runner, RunnerSettings, Schema, all, prepare};

pub(crate) fn at(instant: &str) -> DateTime<Utc> {
    instant.parse().unwrap()
}

/// A clock that stands until it is moved.
#[derive(Clone)]
pub(crate) struct SetClock(Arc<Mutex<DateTime<Utc>>>);

impl SetClock {
    pub(crate) fn at(instant: &str) -> Self {
        Self(Arc::new(Mutex::new(at(instant))))
    }

    pub(crate) fn move_on(&self, by: TimeDelta) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for SetClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

pub(crate) async fn tables(url: &str) -> Result<(), String> {
    let pool = PgPool::connect(url).await.map_err(|error| error.to_string())?;
    daybook_store::migrate(&pool).await.map_err(|error| error.to_string())?;
    prepare(&pool, &all(&pool, None)).await.map_err(|error| error.to_string())?;
    pool.close().await;
    Ok(())
}

/// A database of the test's own.
pub(crate) struct World {
    pub(crate) pool: PgPool,
    pub(crate) log: Log,
    pub(crate) clock: SetClock,
    database: TestDatabase,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(TestCluster::shared().database(tables).await).await
    }

    pub(crate) async fn with(database: TestDatabase) -> Self {
        let options = || database.url.parse().unwrap();
        let pool = PgPoolOptions::new().max_connections(12).connect_with(options()).await.unwrap();
        let clock = SetClock::at("2026-11-23T07:00:00Z");
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let log = Log::open(&options(), &shared, LogSettings::default());
        Self { pool, log, clock, database }
    }

    fn options(&self) -> PgConnectOptions {
        self.database.url.parse().unwrap()
    }

    /// The logs as another program has them.
    pub(crate) fn another_program(&self) -> Log {
        let shared: Arc<dyn Clock> = Arc::new(self.clock.clone());
        Log::open(&self.options(), &shared, LogSettings::default())
    }

    pub(crate) async fn tenant(&self, name: &str) -> TenantId {
        let tenant: TenantId = name.parse().unwrap();
        daybook_store::tenants::create(&self.pool, &tenant, "UTC", self.clock.now()).await.unwrap();
        tenant
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn projections(&self) -> Vec<Arc<dyn Projection>> {
        all(&self.pool, None)
    }

    pub(crate) fn progress(&self) -> Progress {
        Progress::new(self.log.clone(), [Appointments::ID, Catalogue::ID].into())
    }

    pub(crate) fn runner(&self, projections: Vec<Arc<dyn Projection>>) -> Runner {
        let settings = RunnerSettings {
            tick: Duration::from_millis(20),
            idle_tick: Duration::from_millis(20),
            rest: Duration::ZERO,
            retry_stalled: Duration::from_millis(150),
            ..RunnerSettings::default()
        };
        Runner::new(self.log.clone(), projections).with_settings(settings)
    }

    /// A program that runs until it is stopped.
    pub(crate) fn start(&self, projections: Vec<Arc<dyn Projection>>) -> Running {
        let cancel = CancellationToken::new();
        let task = tokio::spawn(self.runner(projections).run(cancel.clone()));
        Running { cancel, task }
    }

    /// One poll of the appointments projection, by a program of its own.
    pub(crate) fn poll(&self, subscription: &Subscription) -> Poll {
        Poll {
            subscription: subscription.clone(),
            projection: Arc::new(Appointments::default()),
            log: self.log.clone(),
            settings: RunnerSettings::default(),
            progress: self.progress(),
            me: Uuid::now_v7(),
            keeps_lease: true,
            cancel: CancellationToken::new(),
        }
    }

    /// Returns when the projection is there; fails when it does not come.
    pub(crate) async fn caught_up(
        &self,
        tenant: &TenantId,
        projection: ProjectionId,
        position: Position,
    ) {
        let deadline = tokio::time::Instant::now() + Duration::from_mins(1);
        self.progress().wait_until(tenant, projection, position, deadline).await.unwrap();
    }

    /// Every column of every appointment of the tenant, with its parties and its past.
    pub(crate) async fn appointment_rows(&self, tenant: &TenantId) -> Vec<String> {
        sqlx::query_scalar(
            &Schema::of(Appointments::ID).sql(
                "SELECT (to_jsonb(a) - '{tenant_id,terms,signature,low_word_signature,high_word_signature}'::text[]
                        || (
                            SELECT jsonb_build_object('parties', jsonb_agg(l.party_id ORDER BY 1))
                              FROM {schema}.appointments_by_party l
                             WHERE l.tenant_id = a.tenant_id AND l.start_at = a.start_at
                               AND l.appointment_id = a.appointment_id)
                        || (
                            SELECT jsonb_build_object('past', jsonb_agg(
                                       to_jsonb(p) - '{tenant_id,terms,signature,low_word_signature,high_word_signature}'::text[] ORDER BY p.position))
                              FROM {schema}.appointments p
                             WHERE p.tenant_id = a.tenant_id AND p.until_position IS NOT NULL
                               AND p.appointment_id = a.appointment_id))::text
                   FROM {schema}.appointments a WHERE tenant_id = $1 AND until_position IS NULL
                  ORDER BY appointment_id",
            ),
        )
        .bind(tenant.as_str())
        .fetch_all(&self.pool)
        .await
        .unwrap()
    }

    /// Makes the rows of the appointments projection again, from position 1 on.
    pub(crate) async fn rebuild(&self, tenant: &TenantId) {
        let schema = Schema::of(Appointments::ID);
        let tables = ["appointments", "appointments_by_party", "status_day_counts", "sessions"];
        let tables = tables.map(|table| format!("{schema}.{table}"));
        for table in tables.into_iter().chain(["checkpoints".to_owned()]) {
            sqlx::query(&format!("DELETE FROM {table} WHERE tenant_id = $1"))
                .bind(tenant.as_str())
                .execute(&self.pool)
                .await
                .unwrap();
        }
        let head = self.log.head(tenant).await.unwrap().unwrap();
        let runner = self.start(self.projections());
        self.caught_up(tenant, Appointments::ID, head).await;
        runner.stop().await;
    }

    /// Appends events as they are, without asking whether they make sense.
    pub(crate) async fn append(&self, tenant: &TenantId, events: &[AnyEvent]) -> Position {
        let payloads = events.iter().map(payload).collect::<Vec<_>>();
        self.append_raw(tenant, &payloads).await
    }

    /// Appends stored events: aggregate type, id, type, version, payload.
    pub(crate) async fn append_raw(&self, tenant: &TenantId, events: &[Stored]) -> Position {
        let column = |get: fn(&Stored) -> &String| -> Vec<String> {
            events.iter().map(|event| get(event).clone()).collect()
        };
        let position: i64 = sqlx::query_scalar(
            "WITH head AS (
                UPDATE log_heads
                   SET position = position + cardinality($2::text[]), recorded_at = $7, active = true
                 WHERE tenant_id = $1 RETURNING position - cardinality($2::text[]) AS before),
             written AS (
                INSERT INTO events
                SELECT $1, head.before + u.n, u.kind, $1 || '/' || u.id,
                       row_number() OVER (PARTITION BY u.kind, u.id ORDER BY u.n)
                       + (SELECT count(*) FROM events e WHERE e.tenant_id = $1
                             AND e.aggregate_type = u.kind AND e.aggregate_id = $1 || '/' || u.id),
                       u.type, u.version, u.payload::json, '{}', $7, ''
                  FROM head, unnest($2, $3::text[], $4::text[], $5::text[], $6::text[])
                       WITH ORDINALITY AS u (kind, id, type, version, payload, n))
             SELECT before + cardinality($2) FROM head",
        )
        .bind(tenant.as_str())
        .bind(column(|event| &event.kind))
        .bind(column(|event| &event.id))
        .bind(column(|event| &event.event_type))
        .bind(column(|event| &event.event_version))
        .bind(column(|event| &event.payload))
        .bind(self.clock.now())
        .fetch_one(&self.pool)
        .await
        .unwrap();
        Position::from_i64(position)
    }
}

/// A program that runs.
pub(crate) struct Running {
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) async fn stop(self) {
        self.cancel.cancel();
        self.task.await.unwrap();
    }
}

/// An event as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) event_type: String,
    pub(crate) event_version: String,
    pub(crate) payload: String,
}

pub(crate) fn payload(event: &AnyEvent) -> Stored {
    let (kind, id) = (event.aggregate_type().to_owned(), event.aggregate_id().to_string());
    let NewEvent { event_type, event_version, payload, .. } = event.encode().unwrap();
    Stored { kind, id, event_type, event_version, payload }
}
