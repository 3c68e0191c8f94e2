//! What people look for, each in its turn.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::ensure;
use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::Tags;
use daybook_domain::appointment::Status;
use daybook_projections::Limit;
use daybook_projections::search::{SearchFilter, Sort, TagsMatch, TitleWords};
use daybook_store::log::Moment;

use crate::calendar::{Calendar, drawn};
use crate::catalogue::{self, WORDS};
use crate::daybook::Daybook;
use crate::samples::float;

/// Which searches are asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asked {
    /// What desks and clients ask for; some find a page, some a few, some nothing.
    Everyday,
    /// What fills a page however many appointments there are: the same work at each size.
    FullPages,
}

/// Searches, and what they have found so far.
#[derive(Debug)]
pub(crate) struct Searches {
    asked: Asked,
    /// In what was known then; `None`: now.
    moment: Option<Moment>,
    run: AtomicU64,
    found: AtomicU64,
}

impl Searches {
    /// None yet. They are shared by those who search.
    pub(crate) fn new(asked: Asked) -> Arc<Self> {
        Self::as_of(asked, None)
    }

    /// The same, in what was known at a moment.
    pub(crate) fn as_of(asked: Asked, moment: Option<Moment>) -> Arc<Self> {
        Arc::new(Self { asked, moment, run: AtomicU64::new(0), found: AtomicU64::new(0) })
    }

    /// Runs the next search: its first page, as long as the API gives it.
    pub(crate) async fn next(&self, daybook: &Daybook) -> anyhow::Result<()> {
        let number = self.run.fetch_add(1, Ordering::Relaxed);
        let filter = match self.asked {
            Asked::Everyday => everyday(daybook, number)?,
            Asked::FullPages => full_page(daybook, number)?,
        };
        let (tenant, sort, limit) = (&daybook.tenant, Sort::StartAscending, Limit::default());
        let page = match self.moment {
            None => {
                let now = daybook.engine.clock().now();
                daybook.search.page(tenant, &filter, sort, None, limit, now).await?
            }
            Some(moment) => {
                daybook.history.page(tenant, (&filter, sort), None, limit, moment).await?
            }
        };
        self.found.fetch_add(page.items.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// How many appointments a search has found on the average: one that finds nothing is quick.
    ///
    /// # Errors
    /// When none has found anything.
    pub(crate) fn found_on_average(&self) -> anyhow::Result<f64> {
        let found = self.found.load(Ordering::Relaxed);
        ensure!(found > 0, "no search has found anything");
        Ok(float(found) / float(self.run.load(Ordering::Relaxed)))
    }
}

fn everyday(daybook: &Daybook, number: u64) -> anyhow::Result<SearchFilter> {
    let drawn = drawn(number);
    let from = day(&daybook.calendar, drawn % Calendar::days());
    let within = |days| Some(from + TimeDelta::days(days));
    let any = SearchFilter { from: Some(from), ..SearchFilter::default() };
    let rooms = 1 << daybook.size.resource_bits;
    Ok(match number % 5 {
        // The front desk: a week of one room.
        0 => {
            let resource_ids = vec![catalogue::resource(drawn % rooms)];
            SearchFilter { to: within(7), resource_ids, ..any }
        }
        // A client: whatever comes.
        1 => SearchFilter {
            from: Some(daybook.calendar.begins()),
            client_ids: vec![catalogue::client(drawn % daybook.size.clients)],
            ..any
        },
        // A month of a category with a tag.
        2 => SearchFilter { to: within(30), ..of_a_kind(any, drawn)? },
        // A day of a service, as far as it is booked.
        3 => SearchFilter { to: within(1), ..booked(any, drawn) },
        // The beginning of a word, from a day on.
        _ => called(any, drawn)?,
    })
}

fn full_page(daybook: &Daybook, number: u64) -> anyhow::Result<SearchFilter> {
    let drawn = drawn(number);
    // Half of the appointments come later.
    let from = day(&daybook.calendar, drawn % (Calendar::days() / 2));
    let any = SearchFilter { from: Some(from), ..SearchFilter::default() };
    Ok(match number % 4 {
        0 => any,
        1 => of_a_kind(any, drawn)?,
        2 => booked(any, drawn),
        _ => called(any, drawn)?,
    })
}

fn of_a_kind(any: SearchFilter, drawn: u64) -> anyhow::Result<SearchFilter> {
    // Of a service that there is, so that there is something to be found.
    let terms = catalogue::terms(drawn % catalogue::SERVICES)?;
    let tag = terms.tags.iter().next().cloned();
    let tags = Tags::try_from(BTreeSet::from_iter(tag))?;
    let categories = vec![terms.category];
    Ok(SearchFilter { categories, tags, tags_match: TagsMatch::All, ..any })
}

fn booked(any: SearchFilter, drawn: u64) -> SearchFilter {
    let service_ids = vec![catalogue::service(drawn % catalogue::SERVICES)];
    SearchFilter { service_ids, statuses: vec![Status::Booked], ..any }
}

fn called(any: SearchFilter, drawn: u64) -> anyhow::Result<SearchFilter> {
    let beginning = &catalogue::one_of(&WORDS, drawn)[..3];
    Ok(SearchFilter { title: TitleWords::parse(beginning)?, ..any })
}

/// One of the days that there are slots on.
fn day(calendar: &Calendar, number: u64) -> DateTime<Utc> {
    calendar.begins() + TimeDelta::days(i64::try_from(number).unwrap_or_default())
}
