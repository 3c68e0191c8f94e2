//! `mixed`: 70 % searches, 20 % bookings and 10 % changes, on many appointments.

mod lag;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::ensure;

use crate::calendar::drawn;
use crate::catalogue::{self, Size};
use crate::cli::{Options, Timing};
use crate::cluster::{Database, Server};
use crate::daybook::{Daybook, Projections};
use crate::load::{self, Window, Work};
use crate::report::{Aim, Report};
use crate::searches::{Asked, Searches};
use lag::{Lag, Watch};

const SEARCH: &str = "mixed-search";
const BOOK: &str = "mixed-book";
const RESCHEDULE: &str = "mixed-reschedule";
const CANCEL: &str = "mixed-cancel";
const LAG: &str = "mixed-lag";

const IN_FLIGHT: [usize; 3] = [4, 16, 64];

const APPOINTMENTS: u64 = 1_000_000;
const FEW_APPOINTMENTS: u64 = 5_000;

/// Appointments are changed in steps of this: a prime, so that each has its turn once.
const STEP: u64 = 1_000_003;

pub(crate) async fn run(
    server: &Server,
    options: &Options,
    appointments: Option<u64>,
) -> anyhow::Result<Report> {
    let timing = options.timing(20);
    let usual = if options.smoke { FEW_APPOINTMENTS } else { APPOINTMENTS };
    let appointments = appointments.unwrap_or(usual);
    ensure!(
        !appointments.is_multiple_of(STEP),
        "{STEP} is the one number of appointments that cannot be"
    );
    let size = Size::new(options.smoke, appointments);
    let database = Daybook::template(server, size).await?;
    let daybook = Arc::new(Daybook::open(&database, size)?);
    let projections = daybook.start_projections();
    daybook.get_to_know_all().await?;
    let mut report = Report::default();
    let shared = Arc::new(Shared {
        daybook,
        searches: Searches::new(Asked::Everyday),
        done: AtomicU64::new(0),
        changed: AtomicU64::new(0),
    });
    for in_flight in options.in_flight(&IN_FLIGHT) {
        cell(&shared, &projections, &database, timing, in_flight, &mut report).await?;
    }
    let found = shared.searches.found_on_average()?;
    report.remark(format!("a search found {found:.1} appointments on the average"));
    projections.stop().await?;
    Ok(report)
}

async fn cell(
    shared: &Arc<Shared>,
    projections: &Projections,
    database: &Database,
    timing: Timing,
    in_flight: usize,
    report: &mut Report,
) -> anyhow::Result<()> {
    projections.caught_up(&shared.daybook).await?;
    database.settle().await?;
    let (watch, lag) = Watch::start(&shared.daybook, projections);
    let worker = |_| Mixed { shared: Arc::clone(shared), lag: lag.clone() };
    let workers = (0..in_flight).map(worker).collect();
    let window = Window::from_now(timing);
    let samples = load::run(window, workers).await?;
    // With the last of these the watch knows that nothing more will come.
    drop(lag);
    for (case, summary) in samples.summaries() {
        report.add(case, in_flight, summary);
    }
    let lags = watch.finish(LAG, window).await?;
    let (lag, search) = (lags.of(LAG)?, samples.of(SEARCH)?);
    report.add(LAG, in_flight, lag);
    let at = format!("at {in_flight} in flight, ms");
    report.aim(&format!("p99 of searches {at}"), search.p99_ms, Aim::Below(10.0));
    report.aim(&format!("p99 of the lag {at}"), lag.p99_ms, Aim::Below(100.0));
    Ok(())
}

struct Shared {
    daybook: Arc<Daybook>,
    searches: Arc<Searches>,
    done: AtomicU64,
    changed: AtomicU64,
}

struct Mixed {
    shared: Arc<Shared>,
    lag: Lag,
}

impl Work for Mixed {
    async fn once(&mut self) -> anyhow::Result<&'static str> {
        let Shared { daybook, searches, done, .. } = &*self.shared;
        let (case, position) = match drawn(done.fetch_add(1, Ordering::Relaxed)) % 100 {
            0..70 => {
                searches.next(daybook).await?;
                return Ok(SEARCH);
            }
            70..90 => (BOOK, daybook.book().await?),
            90..95 => (RESCHEDULE, daybook.reschedule(self.shared.another()?).await?),
            _ => (CANCEL, daybook.cancel(self.shared.another()?).await?),
        };
        self.lag.committed(position);
        Ok(case)
    }
}

impl Shared {
    /// An appointment that was there before and was not changed yet.
    fn another(&self) -> anyhow::Result<daybook_domain::AppointmentId> {
        let changed = self.changed.fetch_add(1, Ordering::Relaxed);
        let all = self.daybook.size.appointments;
        ensure!(changed < all, "all {all} appointments are changed");
        Ok(catalogue::appointment(changed.wrapping_mul(STEP) % all))
    }
}
