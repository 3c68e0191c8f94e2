//! The engine against a real PostgreSQL, and against other engines.

mod bookings;
mod choices;
mod claims_cache;
mod facts;
mod keys;
mod plans;
mod repository;
mod unit_of_work;
mod waiting;

use chrono::DateTime;
use chrono::Utc;
use daybook_domain::appointment::{
    Appointment, AppointmentCommand, AppointmentRefusal, Booking, CancelledBy, MovedBy, When,
};
use daybook_domain::client::{Client, ClientCommand, Contact};
use daybook_domain::resource::{
    Capacity, Resource, ResourceCommand, ResourceKind, ResourceProfile,
};
use daybook_domain::service::rules::BookingRules;
use daybook_domain::service::{
    Choose, HoldLimit, ReminderRules, Roles, Service, ServiceCommand, ServiceTerms, TermsPatch,
};
use daybook_domain::time::{Buffer, Duration, WeeklyHours};
use daybook_domain::{Category, Name, Refusal, Tags};

use super::*;
use crate::testing::{House, resource, uuid};

const SERVICE: u128 = 100;
const CLIENT: u128 = 200;

fn terms() -> ServiceTerms {
    ServiceTerms {
        name: Name::new("Check-up").unwrap(),
        category: Category::new("care").unwrap(),
        tags: Tags::default(),
        duration: Duration::from_minutes(30).unwrap(),
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
    }
}

fn profile() -> ResourceProfile {
    ResourceProfile {
        name: Name::new("Room 1").unwrap(),
        kind: ResourceKind::Room,
        tags: Tags::default(),
        time_zone: chrono_tz::Tz::UTC,
        opening_hours: WeeklyHours::always().into(),
        capacity: Capacity::ONE,
        reference: None,
        metadata: daybook_domain::Metadata::default(),
    }
}

/// A house with a service, a client and the resources 1 and 2.
async fn an_open_house() -> (House, Engine) {
    let house = House::new().await;
    let engine = house.engine();
    let context = house.context();
    let service = Target::Existing(uuid(SERVICE));
    let define = ServiceCommand::DefineService(terms());
    engine.execute::<Service>(&context, service, define).await.unwrap();
    for n in [1, 2] {
        let register = ResourceCommand::RegisterResource(profile());
        let room = Target::Existing(uuid(n));
        engine.execute::<Resource>(&context, room, register).await.unwrap();
    }
    let contact = Contact::named(Name::new("A. Client").unwrap());
    let register = ClientCommand::RegisterClient(contact);
    engine.execute::<Client>(&context, Target::Existing(uuid(CLIENT)), register).await.unwrap();
    (house, engine)
}

impl House {
    fn context(&self) -> CommandContext {
        CommandContext::new(self.tenant.clone(), "a test")
    }

    fn with_key(&self, name: &str, request: u8) -> CommandContext {
        CommandContext { key: Some(crate::testing::key(name, request)), ..self.context() }
    }
}

fn booking(resources: &[u128], start: DateTime<Utc>) -> Booking {
    let ids: Vec<_> = resources.iter().copied().map(resource).collect();
    let (service, client) = (uuid(SERVICE).into(), uuid(CLIENT).into());
    Booking {
        resource_ids: (!ids.is_empty()).then(|| ids.try_into().unwrap()),
        ..Booking::new(service, client, When::From(start))
    }
}

/// Books a new appointment on resource 1.
async fn book(
    engine: &Engine,
    context: &CommandContext,
    start: DateTime<Utc>,
) -> Result<Executed<Appointment>, ExecuteError> {
    let command = AppointmentCommand::BookAppointment(booking(&[1], start));
    engine.execute(context, Target::fresh(), command).await
}

fn cancel() -> AppointmentCommand {
    AppointmentCommand::CancelAppointment {
        reason: None,
        by: CancelledBy::Client,
        overriding: None,
    }
}

#[track_caller]
fn refusal<A: std::fmt::Debug>(outcome: Result<Executed<A>, ExecuteError>) -> AppointmentRefusal {
    match outcome {
        Err(ExecuteError::Refused(Refusal::Appointment(refusal))) => refusal,
        other => panic!("not refused by an appointment's rules: {other:?}"),
    }
}
