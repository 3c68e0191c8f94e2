//! Who and what can be booked: the same in every run, so that ids need not be remembered.

use std::collections::BTreeSet;

use anyhow::Context;
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use daybook_domain::appointment::{Booking, When};
use daybook_domain::client::{Client, ClientCommand, Contact};
use daybook_domain::resource::{
    Capacity, Resource, ResourceCommand, ResourceKind, ResourceProfile,
};
use daybook_domain::service::rules::BookingRules;
use daybook_domain::service::{
    Choose, ReminderRules, Roles, Service, ServiceCommand, ServiceTerms,
};
use daybook_domain::time::{Buffer, Duration, WeeklyHours};
use daybook_domain::{
    AppointmentId, Category, ClientId, Name, Note, Personal, ResourceId, ResourceIds, ServiceId,
    Tag, Tags, TenantId, Title,
};
use daybook_store::{Clock as _, CommandContext, Engine, Executable, SystemClock, Target};
use futures::{StreamExt as _, TryStreamExt as _};
use uuid::{Builder, Uuid};

use crate::calendar::{SLOT_MINUTES, Slot, drawn};

/// How many services there are.
pub(crate) const SERVICES: u64 = 16;

/// Services have one of these categories.
const CATEGORIES: [&str; 8] =
    ["check-up", "physio", "dental", "lab", "vaccination", "consultation", "therapy", "imaging"];

/// Services have two of these tags.
const TAGS: [&str; 8] =
    ["adult", "child", "first", "follow-up", "urgent", "remote", "group", "billable"];

/// Titles are two of these words and a number.
pub(crate) const WORDS: [&str; 16] = [
    "knee",
    "shoulder",
    "back",
    "hand",
    "heart",
    "eye",
    "ear",
    "skin",
    "visit",
    "review",
    "control",
    "training",
    "talk",
    "measurement",
    "plan",
    "session",
];

/// Commands at once while the catalogue is made.
const AT_ONCE: usize = 64;

/// How much there is of everything, and from when on there are slots.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// There are 2 to the power of this resources.
    pub(crate) resource_bits: u32,
    /// How many clients there are.
    pub(crate) clients: u64,
    /// How many appointments were there from the beginning.
    pub(crate) appointments: u64,
    /// Whether each booking has a note, which is personal.
    pub(crate) noted: bool,
    /// The midnight that the first slots start at, in the future.
    pub(crate) begins: DateTime<Utc>,
}

impl Size {
    /// A large house: 1,024 resources and 4,096 clients; a small one to see that it works.
    pub(crate) fn new(smoke: bool, appointments: u64) -> Self {
        let (resource_bits, clients) = if smoke { (6, 128) } else { (10, 4_096) };
        let midnight = SystemClock.now().date_naive().and_time(NaiveTime::MIN).and_utc();
        Self {
            noted: false,
            resource_bits,
            clients,
            appointments,
            begins: midnight + TimeDelta::days(2),
        }
    }
}

pub(crate) fn service(number: u64) -> ServiceId {
    id(1, number).into()
}

pub(crate) fn resource(number: u64) -> ResourceId {
    id(2, number).into()
}

pub(crate) fn client(number: u64) -> ClientId {
    id(3, number).into()
}

/// The `number`th appointment that is there before: as if made in that order, one a millisecond.
pub(crate) fn appointment(number: u64) -> AppointmentId {
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&drawn(number).to_be_bytes());
    Builder::from_unix_timestamp_millis(1_780_000_000_000 + number, &bytes).into_uuid().into()
}

fn id(kind: u64, number: u64) -> Uuid {
    let named = kind << 56 | number;
    let (high, low) = (drawn(named), drawn(!named));
    Builder::from_random_bytes(Uuid::from_u64_pair(high, low).into_bytes()).into_uuid()
}

/// One of a list, as if drawn.
pub(crate) fn one_of(list: &[&'static str], number: u64) -> &'static str {
    let at = usize::try_from(drawn(number) % list.len() as u64).unwrap_or_default();
    list[at]
}

/// Which service is booked in a slot.
pub(crate) const fn service_of(slot: Slot) -> u64 {
    drawn(slot.number) % SERVICES
}

/// Who books a slot.
pub(crate) const fn client_of(slot: Slot, size: Size) -> u64 {
    drawn(slot.number + 1) % size.clients
}

/// A booking of this slot. Service, client and title depend on the slot's number.
pub(crate) fn booking(slot: Slot, size: Size) -> anyhow::Result<Booking> {
    let (service, client) = (service(service_of(slot)), client(client_of(slot, size)));
    Ok(Booking {
        resource_ids: Some(ResourceIds::try_from(vec![resource(slot.resource)])?),
        note: size.noted.then(|| Note::new(NOTE)).transpose()?.map(Personal::new),
        title: Some(Title::new(&title(slot.number))?.into()),
        ..Booking::new(service, client, When::From(slot.start))
    })
}

/// What is noted, where something is.
pub(crate) const NOTE: &str = "Comes with a walking stick, and asks for a chair by the window.";

pub(crate) fn title(number: u64) -> String {
    let (one, other) = (one_of(&WORDS, number), one_of(&WORDS, number + 1));
    format!("{one} {other} {}", number % 1_000)
}

/// A service's terms: half an hour without buffers, as in the plain SQL.
pub(crate) fn terms(number: u64) -> anyhow::Result<ServiceTerms> {
    let tags = [one_of(&TAGS, number), one_of(&TAGS, number + 100)];
    let tags = tags.into_iter().map(Tag::new).collect::<Result<BTreeSet<_>, _>>()?;
    Ok(ServiceTerms {
        name: Name::new(&format!("Service {number}"))?,
        category: Category::new(one_of(&CATEGORIES, number))?,
        tags: Tags::try_from(tags)?,
        duration: Duration::from_minutes(SLOT_MINUTES)?,
        buffer_before: Buffer::NONE,
        buffer_after: Buffer::NONE,
        needs: Roles::default(),
        choose: Choose::default(),
        limit_per_client_per_day: None,
        session_places: None,
        reminders: ReminderRules::default(),
        price: None,
        rules: BookingRules::default(),
        location: None,
        reference: None,
        metadata: daybook_domain::Metadata::default(),
    })
}

/// The terms of all services, by their number.
pub(crate) fn all_terms() -> anyhow::Result<Vec<ServiceTerms>> {
    (0..SERVICES).map(terms).collect()
}

/// Makes all services, resources and clients.
pub(crate) async fn make(engine: &Engine, tenant: &TenantId, size: Size) -> anyhow::Result<()> {
    let to_make = |number| (number, engine, tenant);
    futures::stream::iter((0..SERVICES).map(to_make))
        .map(|(number, engine, tenant)| async move {
            let command = ServiceCommand::DefineService(terms(number)?);
            make_one::<Service>(engine, tenant, service(number).uuid(), command).await
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await?;
    futures::stream::iter((0..1 << size.resource_bits).map(to_make))
        .map(|(number, engine, tenant)| async move {
            let command = ResourceCommand::RegisterResource(profile(number)?);
            make_one::<Resource>(engine, tenant, resource(number).uuid(), command).await
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await?;
    futures::stream::iter((0..size.clients).map(to_make))
        .map(|(number, engine, tenant)| async move {
            let contact = Contact::named(Name::new(&format!("Client {number}"))?);
            let command = ClientCommand::RegisterClient(contact);
            make_one::<Client>(engine, tenant, client(number).uuid(), command).await
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await
}

async fn make_one<A>(
    engine: &Engine,
    tenant: &TenantId,
    id: Uuid,
    command: A::Command,
) -> anyhow::Result<()>
where
    A: Executable,
    A::Command: Clone,
{
    let context = CommandContext::new(tenant.clone(), "bench");
    engine.execute::<A>(&context, Target::New(id), command).await.context("the catalogue")?;
    Ok(())
}

/// Open around the clock.
fn profile(number: u64) -> anyhow::Result<ResourceProfile> {
    Ok(ResourceProfile {
        name: Name::new(&format!("Room {number}"))?,
        kind: ResourceKind::Room,
        tags: Tags::default(),
        time_zone: Tz::UTC,
        opening_hours: WeeklyHours::always().into(),
        capacity: Capacity::ONE,
        reference: None,
        metadata: daybook_domain::Metadata::default(),
    })
}
