//! `grow`: bookings and searches, the more appointments there are.

use std::sync::Arc;

use crate::catalogue::Size;
use crate::cli::{Options, Timing};
use crate::cluster::{Database, Server};
use crate::daybook::{Books, Daybook};
use crate::load::{self, Window, Work};
use crate::report::{Aim, Report};
use crate::searches::{Asked, Searches};
use crate::seed::append_all;

const APPEND: &str = "grow-append";
const SEARCH: &str = "grow-search";

const APPENDS_IN_FLIGHT: usize = 64;
const SEARCHES_IN_FLIGHT: usize = 16;

const SIZES: [u64; 4] = [10_000, 100_000, 1_000_000, 5_000_000];
const SMALL_SIZES: [u64; 2] = [1_000, 10_000];

pub(crate) async fn run(server: &Server, options: &Options, max: u64) -> anyhow::Result<Report> {
    let timing = options.timing(5);
    let mut report = Report::default();
    let size = Size::new(options.smoke, 0);
    let database = Daybook::log_only(server, size).await?;
    let daybook = Arc::new(Daybook::open(&database, size)?);
    daybook.get_to_know_all().await?;
    let sizes = if options.smoke { SMALL_SIZES.as_slice() } else { SIZES.as_slice() };
    let mut seeded = 0;
    for target in sizes.iter().copied().filter(|target| *target <= max) {
        // What was booked while it was measured is there too.
        let missing = target.saturating_sub(daybook.calendar.given());
        fill(&daybook, &database, seeded, missing).await?;
        seeded += missing;
        let there = daybook.calendar.given();
        search_cell(&daybook, timing, there, options, &mut report).await?;
        append_cell(&daybook, timing, there, options, &mut report).await?;
    }
    aims(&mut report);
    Ok(report)
}

/// Adds appointments, and makes the search anew with them: to follow so many would take longer than all that is
/// measured.
async fn fill(
    daybook: &Daybook,
    database: &Database,
    seeded: u64,
    missing: u64,
) -> anyhow::Result<()> {
    append_all(daybook, seeded..seeded + missing).await?;
    daybook.drop_appointments().await?;
    daybook.build_appointments().await?;
    database.settle().await
}

/// The log alone: what the projections cost is in `mixed`.
async fn append_cell(
    daybook: &Arc<Daybook>,
    timing: Timing,
    there: u64,
    options: &Options,
    report: &mut Report,
) -> anyhow::Result<()> {
    for in_flight in options.in_flight(&[APPENDS_IN_FLIGHT]) {
        let workers = Books::many(daybook, APPEND, in_flight);
        let samples = load::run(Window::from_now(timing), workers).await?;
        let smallest = smallest(report, APPEND, in_flight);
        report.add(APPEND, in_flight, samples.of(APPEND)?).grown(there, smallest);
    }
    Ok(())
}

async fn search_cell(
    daybook: &Arc<Daybook>,
    timing: Timing,
    there: u64,
    options: &Options,
    report: &mut Report,
) -> anyhow::Result<()> {
    for in_flight in options.in_flight(&[SEARCHES_IN_FLIGHT]) {
        let searches = Searches::new(Asked::FullPages);
        let worker = |_| Searcher { daybook: Arc::clone(daybook), searches: Arc::clone(&searches) };
        let workers = (0..in_flight).map(worker).collect();
        let samples = load::run(Window::from_now(timing), workers).await?;
        let found = searches.found_on_average()?;
        let smallest = smallest(report, SEARCH, in_flight);
        report.add(SEARCH, in_flight, samples.of(SEARCH)?).grown(there, smallest);
        report.remark(format!("at {there} appointments a search found {found:.1} on the average"));
    }
    Ok(())
}

fn smallest(report: &Report, case: &str, in_flight: usize) -> Option<f64> {
    let mut rows = report.rows(case).filter(|row| row.in_flight == in_flight);
    rows.next().map(|row| row.per_second)
}

struct Searcher {
    daybook: Arc<Daybook>,
    searches: Arc<Searches>,
}

impl Work for Searcher {
    async fn once(&mut self) -> anyhow::Result<&'static str> {
        self.searches.next(&self.daybook).await?;
        Ok(SEARCH)
    }
}

fn aims(report: &mut Report) {
    for case in [APPEND, SEARCH] {
        let last = report.rows(case).last().and_then(|row| row.ratio_to_smallest);
        if let Some(ratio) = last {
            let what = format!("{case}: times slower with the most than with the fewest");
            report.aim(&what, 1.0 / ratio, Aim::Below(1.3));
        }
    }
}
