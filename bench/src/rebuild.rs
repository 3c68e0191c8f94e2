//! `rebuild`: how fast the appointments projection is made from the log, beside the same fold as one SQL
//! statement, and a plain ordered COPY of the same events as the limit; and what it costs those who
//! book meanwhile.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use daybook_domain::appointment::{
    Appointment, AppointmentCheckedIn, AppointmentEvent, AppointmentTagged,
};
use daybook_projections::appointments::Appointments;
use daybook_projections::{Projection as _, Schema};
use daybook_store::log::{Append, Decision, OnConflict, StreamId, Submission, Verdict};
use futures::{StreamExt as _, TryStreamExt as _};
use sqlx::Connection as _;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::catalogue::{self, Size};
use crate::cli::{Options, Timing};
use crate::cluster::{Database, Server};
use crate::daybook::{Books, Daybook};
use crate::load::{self, Window};
use crate::report::{Aim, Rebuilt, Report};
use crate::samples::Summary;
use crate::{output, seed};

/// How often a rebuild and the statement are measured, in turn; the best of each counts.
const ROUNDS: usize = 2;

/// Events in one submission, of so many appointments.
const CHUNK: u64 = 2_000;

/// Who book while a rebuild goes on.
const BOOKERS: usize = 16;

/// Events per second.
const AIM: f64 = 200_000.0;

pub(crate) async fn run(
    server: &Server,
    options: &Options,
    appointments: u64,
) -> anyhow::Result<Report> {
    let appointments = if options.smoke { 2_000 } else { appointments };
    let size = Size::new(options.smoke, appointments);
    let mut report = Report::default();
    // A tenth first: memory must not grow with the log.
    for appointments in [appointments / 10, appointments] {
        let size = Size { appointments, ..size };
        let database = Daybook::log_only(server, size).await?;
        change_all(&database, size).await?;
        database.settle().await?;
        measure(&database, size, &mut report).await?;
        if report.rows("commits-alone").next().is_none() {
            commits_beside(&database, size, options.timing(15), &mut report).await?;
        }
        server.drop(database).await?;
    }
    aims(&mut report);
    Ok(report)
}

/// Something else happens to each appointment.
async fn change_all(database: &Database, size: Size) -> anyhow::Result<()> {
    let daybook = Daybook::open(database, size)?;
    let chunks = (0..size.appointments).step_by(usize::try_from(CHUNK)?);
    let chunks = chunks.map(|first| first..(first + CHUNK).min(size.appointments));
    futures::stream::iter(chunks)
        .map(async |numbers| {
            let appends = numbers.map(|number| {
                let id = catalogue::appointment(number);
                let stream = StreamId::of::<Appointment>(&daybook.tenant, id.uuid());
                anyhow::Ok(Append {
                    stream,
                    after: 1,
                    events: vec![seed::stored(&change(number)?)?],
                })
            });
            let decision = Decision::Accept {
                read_set: Vec::new(),
                appends: appends.collect::<Result<_, _>>()?,
                claims: Vec::new(),
                on_conflict: OnConflict::Refuse,
            };
            let decided_at = daybook.engine.clock().now();
            let tenant = daybook.tenant.clone();
            let submission = Submission { tenant, key: None, decided_at, decision };
            let verdict = daybook.log().append(submission).await?;
            ensure!(matches!(verdict, Verdict::Appended(_)), "while seeding: {verdict:?}");
            anyhow::Ok(())
        })
        .buffered(2)
        .try_collect::<()>()
        .await?;
    daybook.close().await;
    Ok(())
}

fn change(number: u64) -> anyhow::Result<AppointmentEvent> {
    Ok(if number.is_multiple_of(2) {
        AppointmentEvent::AppointmentCheckedIn(AppointmentCheckedIn {})
    } else {
        let terms = catalogue::all_terms()?;
        let terms = terms.first().context("no service")?;
        AppointmentEvent::AppointmentTagged(AppointmentTagged {
            category: terms.category.clone(),
            tags: terms.tags.clone(),
        })
    })
}

async fn measure(database: &Database, size: Size, report: &mut Report) -> anyhow::Result<()> {
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let events = 2.0 * size.appointments as f64;
    let copied = events / copied(database).await?.as_secs_f64();
    let (mut rebuilt, mut folded, mut peak_rss_mb) = (0.0_f64, 0.0_f64, 0.0_f64);
    for _ in 0..ROUNDS {
        folded = folded.max(events / fold_in_sql(database).await?.as_secs_f64());
        forget_peak()?;
        rebuilt = rebuilt.max(events / rebuild(database, size).await?.as_secs_f64());
        peak_rss_mb = peak_rss_mb.max(peak()?);
    }
    for (case, rate) in
        [("rebuild-copy", copied), ("rebuild-sql-fold", folded), ("rebuild", rebuilt)]
    {
        let row = report.add(case, 1, Summary::of_rate(rate));
        row.grown(size.appointments, None);
        if case == "rebuild" {
            row.rebuilt = Some(Rebuilt {
                events_per_second: rate.round(),
                ratio_to_sql_fold: rate / folded,
                ratio_to_copy: rate / copied,
                peak_rss_mb,
            });
        }
    }
    output::note(&format!(
        "{:.2} x the SQL statement, {:.2} x COPY, {peak_rss_mb:.0} MB at most",
        rebuilt / folded,
        rebuilt / copied
    ));
    Ok(())
}

/// The whole of it: rows, indexes, and what was appended meanwhile (nothing).
async fn rebuild(database: &Database, size: Size) -> anyhow::Result<Duration> {
    let daybook = Daybook::open(database, size)?;
    daybook.drop_appointments().await?;
    sqlx::raw_sql("CHECKPOINT").execute(daybook.log().pool()).await?;
    let begun = Instant::now();
    let built = daybook.build_appointments().await?;
    let took = begun.elapsed();
    ensure!(built == daybook_projections::Rebuilt::Done, "it was there already");
    let rows: i64 = sqlx::query_scalar(
        &Schema::of(Appointments::ID)
            .sql("SELECT count(*) FROM {schema}.appointments WHERE until_position IS NULL"),
    )
    .fetch_one(daybook.log().pool())
    .await?;
    ensure!(rows.cast_unsigned() == size.appointments, "there are {rows} rows");
    daybook.close().await;
    Ok(took)
}

/// The same tables, as one would make them in SQL. It is given every advantage: of each appointment it takes
/// what its first event says, whatever came after it, words as they stand between spaces, and its terms
/// and signature are hashes of the server's own.
const FOLD: &str = "
    CREATE SCHEMA fold;
    CREATE TABLE fold.appointments AS
    WITH event AS (
        SELECT tenant_id, aggregate_id, position, sequence, recorded_at,
               first_value(payload) OVER stream AS payload,
               lead(position) OVER stream AS until_position
          FROM events WHERE aggregate_type = 'appointment'
        WINDOW stream AS (PARTITION BY aggregate_id ORDER BY sequence)),
    field AS (
        SELECT tenant_id, split_part(aggregate_id, '/', 2)::uuid AS appointment_id,
               position, recorded_at, until_position,
               (payload->'slot'->'during'->>'start_at')::timestamptz AS start_at,
               (payload->'slot'->'during'->>'end_at')::timestamptz AS end_at,
               'booked' AS status, NULL::timestamptz AS hold_expires_at,
               payload->>'category' AS category,
               ARRAY(SELECT json_array_elements_text(payload->'tags')) AS tags,
               (payload->>'service_id')::uuid AS service_id,
               ARRAY(SELECT json_array_elements_text(payload->'slot'->'resource_ids')::uuid)
                   AS resource_ids,
               (payload->>'client_id')::uuid AS client_id, payload->>'title' AS title,
               sequence AS version
          FROM event)
    SELECT f.*,
           ARRAY[hashtextextended(category, 1), hashtextextended(status, 2),
                 hashtextextended(service_id::text, 3), hashtextextended(client_id::text, 4),
                 hashtextextended(resource_ids[1]::text, 5), hashtextextended(tags[1], 6),
                 hashtextextended(tags[2], 6),
                 (extract(epoch FROM start_at) / 14400)::bigint,
                 (extract(epoch FROM start_at) / 115200)::bigint + 1000000,
                 (extract(epoch FROM start_at) / 921600)::bigint + 2000000,
                 (extract(epoch FROM start_at) / 7372800)::bigint + 3000000,
                 position / 1024 + 4000000, position / 16384 + 5000000,
                 position / 262144 + 6000000, position / 4194304 + 7000000]
           || ARRAY(SELECT hashtextextended(left(word, n), 10)
                      FROM unnest(string_to_array(title, ' ')) AS word,
                           generate_series(1, length(word)) AS n) AS terms,
           ' ' || title AS words,
           hashtextextended(category, 7) | hashtextextended(service_id::text, 7) AS signature,
           hashtextextended(title, 8) AS low_word_signature,
           hashtextextended(title, 9) AS high_word_signature
      FROM field f;
    CREATE TABLE fold.appointments_by_party AS
    SELECT DISTINCT tenant_id, party_id, start_at, appointment_id, end_at AS busy_until, false AS long
      FROM fold.appointments CROSS JOIN unnest(resource_ids || client_id) AS party_id;
    CREATE TABLE fold.status_day_counts AS
    SELECT tenant_id, status, start_at::date AS day, count(*), min(position), max(until_position)
      FROM fold.appointments GROUP BY 1, 2, 3;
    CREATE TABLE fold.sessions
        (tenant_id text, session_id uuid, position bigint, start_at timestamptz);
";

async fn fold_in_sql(database: &Database) -> anyhow::Result<Duration> {
    let mut connection = sqlx::PgConnection::connect_with(&database.options).await?;
    sqlx::raw_sql(
        "DROP SCHEMA IF EXISTS fold CASCADE; CHECKPOINT; SET maintenance_work_mem = '256MB';
         SET work_mem = '256MB'",
    )
    .execute(&mut connection)
    .await?;
    let indexes = Appointments::default().indexes().replace("{schema}", "fold");
    let begun = Instant::now();
    sqlx::raw_sql(FOLD).execute(&mut connection).await?;
    sqlx::raw_sql(&indexes).execute(&mut connection).await?;
    let took = begun.elapsed();
    sqlx::raw_sql("DROP SCHEMA fold CASCADE").execute(&mut connection).await?;
    Ok(took)
}

/// All events of appointments, in the order in which a rebuild wants them, and nothing done with them.
async fn copied(database: &Database) -> anyhow::Result<Duration> {
    let mut connection = sqlx::PgConnection::connect_with(&database.options).await?;
    let begun = Instant::now();
    let mut rows = connection
        .copy_out_raw(
            "COPY (SELECT aggregate_id, position, sequence, event_type, event_version, payload,
                          recorded_at
                     FROM events WHERE aggregate_type = 'appointment'
                    ORDER BY aggregate_type, aggregate_id, sequence)
               TO STDOUT (FORMAT binary)",
        )
        .await?;
    while rows.try_next().await?.is_some() {}
    Ok(begun.elapsed())
}

/// Bookings alone, and while the projection is made again and again.
async fn commits_beside(
    database: &Database,
    size: Size,
    timing: Timing,
    report: &mut Report,
) -> anyhow::Result<()> {
    let daybook = Arc::new(Daybook::open(database, size)?);
    daybook.get_to_know_all().await?;
    let alone = books(&daybook, timing, "commits-alone").await?;
    let (rebuilding, stop) = (Arc::clone(&daybook), CancellationToken::new());
    let stopped = stop.clone();
    let rebuilds = tokio::spawn(async move {
        let mut times = 0_u32;
        while !stopped.is_cancelled() {
            rebuilding.drop_appointments().await?;
            sleep(Duration::from_millis(10)).await;
            rebuilding.build_appointments().await?;
            times += 1;
        }
        anyhow::Ok(times)
    });
    let beside = books(&daybook, timing, "commits-beside-rebuild").await?;
    stop.cancel();
    let times = rebuilds.await??;
    report.add("commits-alone", BOOKERS, alone).grown(size.appointments, None);
    report.add("commits-beside-rebuild", BOOKERS, beside).grown(size.appointments, None);
    report.remark(format!("rebuilt {times} times while others booked"));
    let lost = 100.0 * (1.0 - beside.per_second / alone.per_second);
    report.aim("percent of commits lost to a rebuild", lost, Aim::Below(20.0));
    if let Some(daybook) = Arc::into_inner(daybook) {
        daybook.close().await;
    }
    Ok(())
}

async fn books(
    daybook: &Arc<Daybook>,
    timing: Timing,
    case: &'static str,
) -> anyhow::Result<Summary> {
    let workers = Books::many(daybook, case, BOOKERS);
    load::run(Window::from_now(timing), workers).await?.of(case)
}

fn aims(report: &mut Report) {
    let Some(rebuilt) = report.rows("rebuild").filter_map(|row| row.rebuilt).last() else { return };
    let first = report.rows("rebuild").find_map(|row| row.rebuilt);
    report.aim("times the SQL statement", rebuilt.ratio_to_sql_fold, Aim::AtLeast(1.5));
    report.aim("events rebuilt per second", rebuilt.events_per_second, Aim::AtLeast(AIM));
    if let Some(first) = first {
        let grown = rebuilt.peak_rss_mb / first.peak_rss_mb;
        report.aim("times the memory, of ten times the events", grown, Aim::Below(1.3));
    }
}

/// Lets the kernel forget the most memory that this process has had.
fn forget_peak() -> anyhow::Result<()> {
    std::fs::write("/proc/self/clear_refs", "5").context("cannot reset the peak of memory")
}

/// The most memory that this process has had since, in MB.
fn peak() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()).context("no VmHWM")?;
    Ok(kilobytes.parse::<f64>()? / 1024.0)
}
