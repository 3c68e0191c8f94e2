//! postgres-es as it comes: one event per transaction, without claims, positions or keys.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cqrs_es::persist::{PersistedEventRepository as _, SerializedEvent};
use cqrs_es::{Aggregate as _, DomainEvent as _};
use daybook_domain::appointment::{Appointment, AppointmentEvent};
use postgres_es::PostgresEventRepository;
use serde_json::{Value, json};
use sqlx::postgres::PgPoolOptions;

use crate::catalogue;
use crate::cli::{Options, Timing};
use crate::cluster::Server;
use crate::load::{self, Window, Work};
use crate::report::Report;
use crate::seed;

const CASE: &str = "postgres-es";

const CONNECTIONS: u32 = 16;

/// Measures it with an event that is as large as daybook's.
pub(crate) async fn measure(
    server: &Server,
    options: &Options,
    timing: Timing,
    report: &mut Report,
) -> anyhow::Result<()> {
    if options.alone {
        return Ok(());
    }
    let database = server.with_tables(include_str!("../../sql/postgres_es.sql")).await?;
    database.settle().await?;
    // Not tested each time they are taken from the pool: it would cost a round trip.
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .min_connections(CONNECTIONS)
        .test_before_acquire(false)
        .connect_with(database.options.clone())
        .await?;
    let shared = Arc::new(Shared {
        repository: PostgresEventRepository::new(pool.clone()),
        event: seed::an_event(&catalogue::all_terms()?)?,
        next: AtomicU64::new(0),
    });
    let workers = (0..CONNECTIONS).map(|_| Persists(Arc::clone(&shared))).collect();
    let samples = load::run(Window::from_now(timing), workers).await?;
    report.add(CASE, CONNECTIONS as usize, samples.of(CASE)?);
    pool.close().await;
    server.drop(database).await
}

struct Shared {
    repository: PostgresEventRepository,
    event: AppointmentEvent,
    next: AtomicU64,
}

struct Persists(Arc<Shared>);

impl Work for Persists {
    async fn once(&mut self) -> anyhow::Result<&'static str> {
        let Shared { repository, event, next } = &*self.0;
        let number = next.fetch_add(1, Ordering::Relaxed);
        let stored = SerializedEvent::new(
            catalogue::appointment(number).to_string(),
            1,
            Appointment::TYPE.to_owned(),
            event.event_type(),
            event.event_version(),
            serde_json::to_value(event)?,
            metadata(),
        );
        repository.persist::<Appointment>(&[stored], None).await?;
        Ok(CASE)
    }
}

fn metadata() -> Value {
    json!({"actor": "bench", "correlation_id": "01970000-0000-7000-8000-000000000001"})
}
