//! So many programs, tenants and connections, for so long.

use std::sync::Arc;

use anyhow::ensure;
use sqlx::{Connection as _, PgConnection};

use crate::calendar::Calendar;
use crate::catalogue::Size;
use crate::cli::Timing;
use crate::cluster::{Database, Server};
use crate::daybook::AT_ONCE_TO_KNOW;
use crate::http::server::{Program, Serving};
use crate::http::{self, People, Person};
use crate::load::{self, Window};
use crate::report::Report;
use crate::samples::{Samples, Summary, float};

/// What all cells have in common.
pub(super) struct Cell<'a> {
    pub(super) server: &'a Server,
    pub(super) program: &'a Program,
    pub(super) template: &'a Database,
    pub(super) size: Size,
    pub(super) timing: Timing,
}

pub(super) struct Measured {
    pub(super) summary: Summary,
}

impl Cell<'_> {
    /// The connections are shared out evenly among the programs, and the programs among the tenants.
    pub(super) async fn measure(
        &self,
        case: &'static str,
        nodes: usize,
        tenants: &[&str],
        in_flight: usize,
        report: &mut Report,
    ) -> anyhow::Result<Measured> {
        let database = self.server.copy(self.template).await?;
        let mut serving = Vec::with_capacity(nodes);
        let mut people = Vec::with_capacity(nodes);
        for node in 0..nodes {
            let key = http::key(&database, tenants[node % tenants.len()], self.size).await?;
            let log = self.server.scratch(&format!("{case}-{in_flight}-{node}.log"));
            let node = Serving::start(self.program, &database, log).await?;
            let connections = in_flight / nodes;
            people.push(People { address: node.address, key, connections, size: self.size, case });
            serving.push(node);
        }
        let (timing, size) = (self.timing, self.size);
        // One thread for all of them: they are to leave the processors to the programs.
        let samples = tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(load(people, size, timing))
        });
        let samples = samples.await??;
        let summary = samples.of(case)?;
        report.add(case, in_flight, summary);
        let events_a_batch = events_a_batch(&database).await?;
        report.remark(format!(
            "{case} at {in_flight}: {:.0} batches/s of {events_a_batch:.1}",
            summary.per_second / events_a_batch
        ));
        for node in serving {
            node.stop()?;
        }
        self.server.drop(database).await?;
        Ok(Measured { summary })
    }
}

async fn load(people: Vec<People>, size: Size, timing: Timing) -> anyhow::Result<Samples> {
    let calendar = Arc::new(Calendar::new(size));
    // A program that has just been started knows nobody who books.
    for people in &people {
        let strangers = people.workers(AT_ONCE_TO_KNOW, &calendar).await?;
        load::run(Window::from_now(timing.only_warm_up()), strangers).await?;
    }
    let mut workers: Vec<Person> = Vec::new();
    for people in &people {
        workers.extend(people.workers(people.connections, &calendar).await?);
    }
    load::run(Window::from_now(timing), workers).await
}

/// The bookings of a batch are recorded at one instant, and those of another at another.
async fn events_a_batch(database: &Database) -> anyhow::Result<f64> {
    let mut connection = PgConnection::connect_with(&database.options).await?;
    // The last thousands: not those of the warm-up, when everybody books at once.
    let (events, batches): (i64, i64) = sqlx::query_as(
        "SELECT count(*), count(DISTINCT (e.tenant_id, e.recorded_at))
           FROM log_heads h
           JOIN events e ON e.tenant_id = h.tenant_id AND e.position > h.position - 2000
          WHERE e.event_type = 'AppointmentBooked'",
    )
    .fetch_one(&mut connection)
    .await?;
    connection.close().await?;
    ensure!(batches > 0, "nothing was booked");
    Ok(float(events.cast_unsigned()) / float(batches.cast_unsigned()))
}
