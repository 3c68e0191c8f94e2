//! What imported events need to be booked: their places as resources, a service per category, a client.

use std::collections::HashSet;

use chrono_tz::Tz;
use daybook_domain::client::{Client, ClientCommand, Contact};
use daybook_domain::resource::{
    Capacity, Resource, ResourceCommand, ResourceKind, ResourceProfile,
};
use daybook_domain::service::rules::BookingRules;
use daybook_domain::service::{
    Choose, ReminderRules, Roles, Service, ServiceCommand, ServiceTerms,
};
use daybook_domain::time::{Buffer, Duration, WeeklyHours};
use daybook_domain::{Category, Name, Tags};
use daybook_integrations::calendar::{Person, Place};
use daybook_store::{CommandContext, Engine, Executable, ExecuteError, Target};
use uuid::Uuid;

use super::patience::patiently;
use super::wanted::Wish;

const CLIENT: &str = "Imported calendar";

/// How long what is booked later takes, where the first that was imported is no measure.
const AN_HOUR: u32 = 60;
const A_DAY: i64 = 24 * 60;

/// What was made, or found, already.
#[derive(Debug, Default)]
pub(super) struct Furnished(HashSet<Uuid>);

impl Furnished {
    /// Makes what a wish needs and is not there.
    pub(super) async fn furnish(
        &mut self,
        engine: &Engine,
        context: &CommandContext,
        wish: &Wish,
    ) -> anyhow::Result<()> {
        if self.0.insert(wish.client) {
            let command = ClientCommand::RegisterClient(contact(wish)?);
            make::<Client>(engine, context, wish.client, command).await?;
        }
        if self.0.insert(wish.service) {
            let command = ServiceCommand::DefineService(terms(wish)?);
            make::<Service>(engine, context, wish.service, command).await?;
        }
        if self.0.insert(wish.resource) {
            let zone = wish.to_book.time_zone;
            let command = ResourceCommand::RegisterResource(profile(wish, zone));
            make::<Resource>(engine, context, wish.resource, command).await?;
        }
        Ok(())
    }

    /// What is there of its own, and not to be made.
    pub(super) fn found(&mut self, id: Uuid) {
        self.0.insert(id);
    }
}

/// What is there already stays as it is.
async fn make<A: Executable<Command: Clone>>(
    engine: &Engine,
    context: &CommandContext,
    id: Uuid,
    command: A::Command,
) -> Result<(), ExecuteError> {
    let made = patiently(|| made::<A>(engine, context, id, command.clone()));
    made.await.result
}

async fn made<A: Executable>(
    engine: &Engine,
    context: &CommandContext,
    id: Uuid,
    command: A::Command,
) -> Result<(), ExecuteError> {
    if engine.load::<A>(&context.tenant, id).await?.is_some() {
        return Ok(());
    }
    match engine.execute::<A>(context, Target::Existing(id), command).await {
        Ok(_) | Err(ExecuteError::Refused(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whom it is with, or whoever it may be.
fn contact(wish: &Wish) -> anyhow::Result<Contact> {
    let Some(Person { name, email }) = &wish.to_book.person else {
        return Ok(Contact::named(Name::new(CLIENT)?));
    };
    Ok(Contact {
        name: name.clone(),
        email: Some(email.clone()),
        ..Contact::named(Name::new(CLIENT)?)
    })
}

/// It is always open: when there is something in it, its calendar says.
fn profile(wish: &Wish, time_zone: Tz) -> ResourceProfile {
    let kind = match wish.to_book.place {
        Place::Named(_) => ResourceKind::Room,
        // Whose calendar it is.
        Place::Calendar(_) => ResourceKind::Staff,
    };
    ResourceProfile {
        name: wish.place.clone(),
        kind,
        tags: Tags::default(),
        time_zone,
        opening_hours: WeeklyHours::always().into(),
        capacity: Capacity::ONE,
        reference: None,
        metadata: daybook_domain::Metadata::default(),
    }
}

/// Imported appointments have lengths of their own; what is booked later is as long as the first, if that
/// is no longer than a day.
fn terms(wish: &Wish) -> anyhow::Result<ServiceTerms> {
    let category: &Category = &wish.category;
    let seconds = wish.to_book.copied.during.length().num_seconds();
    let minutes = seconds.div_euclid(60) + i64::from(seconds % 60 != 0);
    let minutes = u32::try_from(minutes).ok().filter(|_| (1..=A_DAY).contains(&minutes));
    Ok(ServiceTerms {
        name: Name::new(category.as_str())?,
        category: category.clone(),
        tags: Tags::default(),
        duration: Duration::from_minutes(minutes.unwrap_or(AN_HOUR))?,
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
