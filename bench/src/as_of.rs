//! `as-of`: searches in what was known at a moment, beside the same searches in what is known now.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use daybook_domain::appointment::{
    Appointment, AppointmentCancelled, AppointmentEvent, AppointmentTagged, CancelledBy,
};
use daybook_domain::claim::Claims;
use daybook_domain::service::ServiceTerms;
use daybook_store::Position;
use daybook_store::log::{
    Append, AsOf, Decision, Moment, OnConflict, StreamId, Submission, Verdict,
};

use crate::catalogue::{self, Size};
use crate::cli::Options;
use crate::cluster::Server;
use crate::daybook::Daybook;
use crate::load::{self, Window, Work};
use crate::report::{Aim, Report};
use crate::searches::{Asked, Searches};
use crate::seed::stored;

const NOW: &str = "search-now";

/// Appointments in one submission.
const CHUNK: u64 = 2_000;

pub(crate) async fn run(
    server: &Server,
    options: &Options,
    appointments: u64,
) -> anyhow::Result<Report> {
    let timing = options.timing(5);
    let size = Size::new(options.smoke, if options.smoke { 4_000 } else { appointments });
    let database = Daybook::template(server, size).await?;
    let daybook = Arc::new(Daybook::open(&database, size)?);
    let booked = head(&daybook).await?;
    change_many(&daybook).await?;
    database.settle().await?;
    let mut report = Report::default();
    // What can be booked was made before.
    let share = |percent: u64| booked.minus(size.appointments * (100 - percent) / 100);
    let moments = [
        (NOW, None),
        ("search-as-of-head", Some(head(&daybook).await?)),
        ("search-as-of-booked", Some(booked)),
        ("search-as-of-half", Some(share(50))),
        ("search-as-of-tenth", Some(share(10))),
    ];
    for asked in [Asked::Everyday, Asked::FullPages] {
        for (case, position) in moments {
            let moment = match position {
                Some(position) => Some(moment(&daybook, position).await?),
                None => None,
            };
            let case =
                format!("{case}{}", if matches!(asked, Asked::Everyday) { "" } else { "-full" });
            cell(&daybook, options, (&case, asked, moment), timing, &mut report).await?;
        }
    }
    aims(&mut report);
    Ok(report)
}

async fn cell(
    daybook: &Arc<Daybook>,
    options: &Options,
    (case, asked, moment): (&str, Asked, Option<Moment>),
    timing: crate::cli::Timing,
    report: &mut Report,
) -> anyhow::Result<()> {
    for in_flight in options.in_flight(&[1, 16]) {
        let searches = Searches::as_of(asked, moment);
        let worker = |_| Searcher { daybook: Arc::clone(daybook), searches: Arc::clone(&searches) };
        let workers = (0..in_flight).map(worker).collect();
        let samples = load::run(Window::from_now(timing), workers).await?;
        report.add(case, in_flight, samples.of(SEARCHED)?);
        let found = searches.found_on_average()?;
        report.remark(format!("{case} found {found:.1} on the average"));
    }
    Ok(())
}

const SEARCHED: &str = "searched";

struct Searcher {
    daybook: Arc<Daybook>,
    searches: Arc<Searches>,
}

impl Work for Searcher {
    async fn once(&mut self) -> anyhow::Result<&'static str> {
        self.searches.next(&self.daybook).await?;
        Ok(SEARCHED)
    }
}

async fn head(daybook: &Daybook) -> anyhow::Result<Position> {
    daybook.log().head(&daybook.tenant).await?.context("a log without an end")
}

async fn moment(daybook: &Daybook, position: Position) -> anyhow::Result<Moment> {
    let (log, now) = (daybook.log(), daybook.engine.clock().now());
    Ok(log.moment(&daybook.tenant, AsOf::Position(position), now).await??)
}

/// Tags every second appointment and calls every third one off, and waits until that is found.
async fn change_many(daybook: &Daybook) -> anyhow::Result<()> {
    let projections = daybook.start_projections();
    let terms = catalogue::all_terms()?;
    let mut first = 0;
    while first < daybook.size.appointments {
        let last = (first + CHUNK).min(daybook.size.appointments);
        change(daybook, first..last, &terms).await?;
        first = last;
    }
    projections.caught_up(daybook).await?;
    projections.stop().await
}

async fn change(
    daybook: &Daybook,
    numbers: std::ops::Range<u64>,
    terms: &[ServiceTerms],
) -> anyhow::Result<()> {
    let (mut appends, mut claims) = (Vec::new(), Vec::new());
    for number in numbers {
        let id = catalogue::appointment(number);
        let mut events = Vec::new();
        if number % 2 == 0 {
            let other = &terms[usize::try_from(number % catalogue::SERVICES)?];
            let (category, tags) = (other.category.clone(), other.tags.clone());
            events.push(AppointmentEvent::AppointmentTagged(AppointmentTagged { category, tags }));
        }
        if number % 3 == 0 {
            let by = CancelledBy::Client;
            let cancelled = AppointmentCancelled { reason: None, by, overridden: None };
            events.push(AppointmentEvent::AppointmentCancelled(cancelled));
        }
        claims.extend(events.iter().rev().find_map(Claims::claims_after).map(|it| (id, it)));
        let stream = StreamId::of::<Appointment>(&daybook.tenant, id.uuid());
        let events = events.iter().map(stored).collect::<anyhow::Result<Vec<_>>>()?;
        if !events.is_empty() {
            appends.push(Append { stream, after: 1, events });
        }
    }
    let decision =
        Decision::Accept { read_set: Vec::new(), appends, claims, on_conflict: OnConflict::Refuse };
    let (tenant, decided_at) = (daybook.tenant.clone(), daybook.engine.clock().now());
    let verdict =
        daybook.log().append(Submission { tenant, key: None, decided_at, decision }).await?;
    ensure!(matches!(verdict, Verdict::Appended(_)), "while changing: {verdict:?}");
    Ok(())
}

/// How much slower, at the same number in flight.
fn aims(report: &mut Report) {
    for end in ["", "-full"] {
        let now: Vec<(usize, f64)> = rates(report, &format!("{NOW}{end}"));
        for case in ["head", "booked", "half", "tenth"] {
            let case = format!("search-as-of-{case}{end}");
            for (in_flight, rate) in rates(report, &case) {
                let now = now.iter().find(|(other, _)| *other == in_flight);
                if let Some((_, now)) = now {
                    let what = format!("{case} at {in_flight}: times slower than now");
                    report.aim(&what, now / rate, Aim::Below(2.0));
                }
            }
        }
    }
}

fn rates(report: &Report, case: &str) -> Vec<(usize, f64)> {
    report.rows(case).map(|row| (row.in_flight, row.per_second)).collect()
}
