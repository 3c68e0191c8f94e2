//! `daybook import`: books the events of an iCalendar file.
//!
//! A service per category, a resource per location, an appointment per event. Their ids are made
//! from what the file says, so importing again finds what is there and books nothing.

mod ids;
mod progress;
mod rooms;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use chrono_tz::Tz;
use daybook_domain::appointment::{Appointment, AppointmentCommand, Booking, When};
use daybook_domain::client::{Client, ClientCommand, Contact};
use daybook_domain::resource::{Resource, ResourceCommand};
use daybook_domain::service::rules::BookingRules;
use daybook_domain::service::{Choose, Roles, Service, ServiceCommand, ServiceTerms};
use daybook_domain::time::{Buffer, Duration, Interval};
use daybook_domain::{Category, Name, Note, Personal, Tag, Tags, TenantId, Title};
use daybook_integrations::calendar::{self, Calendar, CalendarEvent};
use daybook_store::log::PersistedAggregate;
use daybook_store::{CommandContext, ExecuteError, Target, tenants};
use futures::{StreamExt, stream};
use uuid::Uuid;

use crate::cli::Import;
use crate::database::Database;
use crate::output;
use crate::parts::{self, Parts};
use ids::Ids;
use progress::progress_bar;
use rooms::Rooms;

/// Locations that are booked at once: group commit carries their bookings together.
const AT_ONCE: usize = 64;

/// The category of events that name none.
const NO_CATEGORY: &str = "Uncategorised";

/// Reads the file. One that is not a whole calendar is an error, before anything is booked.
pub(crate) fn read(options: &Import) -> anyhow::Result<Calendar> {
    let name = options.file.display();
    let bytes = std::fs::read(&options.file).with_context(|| format!("cannot read {name}"))?;
    let calendar = calendar::read(&bytes, options.time_zone);
    calendar.with_context(|| format!("{name} is not imported"))
}

/// Books the calendar's events, and says what became of them.
pub(crate) async fn run(
    database: &Database,
    options: &Import,
    calendar: Calendar,
) -> anyhow::Result<()> {
    let parts = parts::connected(database).await?;
    parts::prepare(&parts).await?;
    let (events, unreadable): (Vec<_>, Vec<_>) =
        calendar.events.into_iter().partition(Result::is_ok);
    let events: Vec<CalendarEvent> = events.into_iter().flatten().collect();
    let mut tally = Tally::default();
    for refusal in unreadable.into_iter().filter_map(Result::err) {
        tally.refused.push((refusal.line, refusal.to_string()));
    }
    let zone = events.first().map_or(Tz::UTC, |event| event.time_zone);
    let pool = parts.log().pool();
    tenants::create(pool, &options.tenant, zone.name(), parts.clock.now()).await?;
    let importer = Importer::new(parts, options.tenant.clone());
    importer.furnish(&events).await?;
    importer.book(&events, &mut tally).await?;
    tally.refused.sort();
    for (_, refusal) in &tally.refused {
        output::line(&format!("refused: {refusal}"))?;
    }
    let Tally { booked, already_there, refused } = tally;
    let refused = refused.len();
    output::line(&format!("booked {booked}, already there {already_there}, refused {refused}"))
}

#[derive(Default)]
struct Tally {
    booked: usize,
    already_there: usize,
    /// By their line in the file.
    refused: Vec<(usize, String)>,
}

enum Outcome {
    Booked,
    AlreadyThere,
    Refused(String),
}

struct Importer {
    parts: Parts,
    context: CommandContext,
    ids: Ids,
}

impl Importer {
    fn new(parts: Parts, tenant: TenantId) -> Self {
        let ids = Ids::of(&tenant);
        Self { parts, context: CommandContext::new(tenant, "daybook:import"), ids }
    }

    /// Makes the services, resources and the client that the events need.
    async fn furnish(&self, events: &[CalendarEvent]) -> anyhow::Result<()> {
        let name = Personal::new(Name::new("Imported calendar")?);
        let contact = Contact { name, email: None, phone: None, notes: None };
        self.make::<Client>(self.ids.client(), ClientCommand::RegisterClient(contact)).await?;
        let mut seen = BTreeSet::new();
        for event in events {
            // Whoever cannot be furnished is refused when it is booked, and says why.
            if seen.insert(category(event))
                && let Ok(terms) = terms(event)
            {
                let id = self.ids.service(category(event));
                self.make::<Service>(id, ServiceCommand::DefineService(terms)).await?;
            }
        }
        for (location, room) in Rooms::of(events).iter() {
            self.open_room(self.ids.resource(location), room).await?;
        }
        Ok(())
    }

    /// Registers a room, or opens it for longer if it is there.
    async fn open_room(&self, id: Uuid, room: &rooms::Room) -> anyhow::Result<()> {
        let there = self.parts.engine.load::<Resource>(&self.context.tenant, id).await?;
        let command = match there {
            None => match room.profile() {
                Ok(profile) => ResourceCommand::RegisterResource(profile),
                Err(_) => return Ok(()),
            },
            Some((Resource::Active(profile), _)) => match room.longer_hours(&profile)? {
                Some(hours) => ResourceCommand::ChangeResourceHours(hours),
                None => return Ok(()),
            },
            Some(_) => return Ok(()),
        };
        self.make::<Resource>(id, command).await
    }

    async fn make<A: PersistedAggregate>(&self, id: Uuid, command: A::Command) -> anyhow::Result<()>
    where
        A::Command: Clone,
    {
        let target = Target::Existing(id);
        match self.parts.engine.execute::<A>(&self.context, target, command).await {
            Ok(_) | Err(ExecuteError::Refused(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Books the events of each location one after the other, so that of two that overlap the first
    /// in the file is booked, and of many locations at once.
    async fn book(&self, events: &[CalendarEvent], tally: &mut Tally) -> anyhow::Result<()> {
        let bar = progress_bar(events.len());
        let mut locations: BTreeMap<Option<&str>, Vec<&CalendarEvent>> = BTreeMap::new();
        for event in events {
            locations.entry(event.location.as_deref()).or_default().push(event);
        }
        let bookings = locations.into_values().map(async |events| {
            let mut outcomes = Vec::with_capacity(events.len());
            for event in events {
                outcomes.push((event, self.book_one(event).await?));
                bar.inc(1);
            }
            anyhow::Ok(outcomes)
        });
        let mut outcomes = stream::iter(bookings).buffer_unordered(AT_ONCE);
        while let Some(of_location) = outcomes.next().await {
            for (event, outcome) in of_location? {
                match outcome {
                    Outcome::Booked => tally.booked += 1,
                    Outcome::AlreadyThere => tally.already_there += 1,
                    Outcome::Refused(reason) => {
                        tally.refused.push((event.line, line(event, &reason)));
                    }
                }
            }
        }
        bar.finish_and_clear();
        Ok(())
    }

    async fn book_one(&self, event: &CalendarEvent) -> anyhow::Result<Outcome> {
        let id = self.ids.appointment(&event.uid, event.recurrence_id);
        let engine = &self.parts.engine;
        if engine.load::<Appointment>(&self.context.tenant, id).await?.is_some() {
            return Ok(Outcome::AlreadyThere);
        }
        let booking = match self.booking(event) {
            Ok(booking) => booking,
            Err(reason) => return Ok(Outcome::Refused(reason.to_string())),
        };
        let command = AppointmentCommand::BookAppointment(booking);
        match engine.execute::<Appointment>(&self.context, Target::Existing(id), command).await {
            Ok(_) => Ok(Outcome::Booked),
            Err(ExecuteError::Refused(refusal)) => Ok(Outcome::Refused(refusal.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    fn booking(&self, event: &CalendarEvent) -> anyhow::Result<Booking> {
        let location = event.location.as_deref().context("it has no LOCATION")?;
        let title = event.summary.as_deref().map(Title::new).transpose()?;
        let note = event.description.as_deref().map(note).transpose()?.map(Personal::new);
        let service = self.ids.service(category(event)).into();
        let when = When::Imported(during(event)?);
        Ok(Booking {
            resource_ids: Some(vec![self.ids.resource(location).into()].try_into()?),
            title,
            category: Some(Category::new(category(event))?),
            tags: Some(tags(event)?),
            note,
            ..Booking::new(service, self.ids.client().into(), when)
        })
    }
}

fn category(event: &CalendarEvent) -> &str {
    event.category.as_deref().unwrap_or(NO_CATEGORY)
}

/// A service for the category of `event`. Imported appointments have lengths of their own; what is
/// booked later is as long as the first.
fn terms(event: &CalendarEvent) -> anyhow::Result<ServiceTerms> {
    Ok(ServiceTerms {
        name: Name::new(category(event))?,
        category: Category::new(category(event))?,
        tags: Tags::default(),
        duration: duration(event)?,
        buffer_before: Buffer::NONE,
        buffer_after: Buffer::NONE,
        needs: Roles::default(),
        choose: Choose::default(),
        limit_per_client_per_day: None,
        session_places: None,
        price: None,
        rules: BookingRules::default(),
    })
}

/// The length of a service that is like `event`: a part of a minute counts as one.
fn duration(event: &CalendarEvent) -> anyhow::Result<Duration> {
    let seconds = u32::try_from((event.end - event.start).num_seconds())?;
    Ok(Duration::from_minutes(seconds.div_ceil(60))?)
}

/// When `event` is; nothing is longer than the longest service.
fn during(event: &CalendarEvent) -> anyhow::Result<Interval> {
    duration(event)?;
    Ok(Interval::new(event.start, event.end)?)
}

fn tags(event: &CalendarEvent) -> anyhow::Result<Tags> {
    let tags = event.tags.iter().map(|tag| Tag::new(tag));
    Ok(Tags::try_from(tags.collect::<Result<BTreeSet<_>, _>>()?)?)
}

/// As much of a description as a note takes.
fn note(description: &str) -> anyhow::Result<Note> {
    Ok(Note::new(&description.chars().take(Note::MAX_CHARS).collect::<String>())?)
}

fn line(event: &CalendarEvent, reason: &str) -> String {
    let summary = event.summary.as_deref().unwrap_or("(no summary)");
    format!("line {}: {summary}: {reason}", event.line)
}
