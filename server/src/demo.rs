//! A tenant to try: a small made-up practice.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use daybook_domain::TenantId;
use daybook_domain::client::{Client, ClientCommand, Contact};
use daybook_domain::resource::{
    Capacity, Resource, ResourceCommand, ResourceKind, ResourceProfile,
};
use daybook_domain::rights::ScopeSet;
use daybook_domain::service::rules::BookingRules;
use daybook_domain::service::{
    Choose, ReminderRules, Roles, Service, ServiceCommand, ServiceTerms,
};
use daybook_domain::time::{Buffer, Day, Duration, OpeningWindow, TimeOfDay, WeeklyHours};
use daybook_domain::{Category, Name, Tag, Tags};
use daybook_store::keys::{self, Held, KeyHolders, NewKey, Owner};
use daybook_store::{CommandContext, Executable, ExecuteError, Target, tenants};
use uuid::Uuid;

use crate::cli::Place;
use crate::database::data_dir;
use crate::output;
use crate::parts::Parts;

/// Ids that are the same in every demo, so that it is made once and the curl line can name them.
const SERVICE: Uuid = Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001);
const ROOM: Uuid = Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0002);
const CLIENT: Uuid = Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0003);

/// Makes the demo tenant if need be, and prints how to try it.
pub(crate) async fn introduce(parts: &Parts, place: &Place, url: &str) -> anyhow::Result<()> {
    let tenant: TenantId = "demo".parse()?;
    let pool = parts.log().pool();
    tenants::create(pool, &tenant, Tz::UTC.name(), parts.clock.now()).await?;
    furnish(parts, &tenant).await?;
    let key = key(parts, &tenant, &data_dir(place)?).await?;
    let (from, to) = next_four_weeks(parts);
    output::text(&format!(
        r#"
  {url}        the API; its documentation is at {url}/docs
  {key}        a key to the demo tenant

  Book a check-up at the first time that is free; pasted again, it books the next one:

    KEY={key}
    API={url}/v1
    START=$(curl -sG -H "Authorization: Bearer $KEY" $API/availability \
      -d service_id={SERVICE} -d resource_id={ROOM} \
      -d from={from} -d to={to} -d limit=1 | grep -o '"start_at":"[^"]*"' | cut -d '"' -f 4)
    curl -s -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' $API/appointments \
      -d "{{\"service_id\":\"{SERVICE}\",\"resource_ids\":[\"{ROOM}\"],\"client_id\":\"{CLIENT}\",\"start_at\":\"$START\"}}"

  And find it:

    curl -s -H "Authorization: Bearer $KEY" "$API/appointments?category=care"

"#
    ))
}

/// The days from tomorrow on in which the demo looks for free time.
fn next_four_weeks(parts: &Parts) -> (NaiveDate, NaiveDate) {
    let today = parts.clock.now().date_naive();
    let after = |days| today.checked_add_days(Days::new(days)).unwrap_or(today);
    (after(1), after(28))
}

async fn furnish(parts: &Parts, tenant: &TenantId) -> anyhow::Result<()> {
    let tags = Tags::try_from(std::collections::BTreeSet::from([Tag::new("adult")?]))?;
    let terms = ServiceTerms {
        name: Name::new("Check-up")?,
        category: Category::new("care")?,
        tags,
        duration: Duration::from_minutes(30)?,
        buffer_before: Buffer::NONE,
        buffer_after: Buffer::from_minutes(10)?,
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
    };
    make::<Service>(parts, tenant, SERVICE, ServiceCommand::DefineService(terms)).await?;
    let weekdays = vec![Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri];
    let hours = |hour: &str| hour.parse::<TimeOfDay>();
    let profile = ResourceProfile {
        name: Name::new("Room 1")?,
        kind: ResourceKind::Room,
        tags: Tags::default(),
        time_zone: Tz::UTC,
        capacity: Capacity::ONE,
        reference: None,
        metadata: daybook_domain::Metadata::default(),
        opening_hours: WeeklyHours::try_from(vec![OpeningWindow::new(
            weekdays,
            hours("08:00")?,
            hours("18:00")?,
        )?])?
        .into(),
    };
    make::<Resource>(parts, tenant, ROOM, ResourceCommand::RegisterResource(profile)).await?;
    let contact = Contact::named(Name::new("A. Client")?);
    make::<Client>(parts, tenant, CLIENT, ClientCommand::RegisterClient(contact)).await
}

/// Makes something unless it is there.
async fn make<A: Executable>(
    parts: &Parts,
    tenant: &TenantId,
    id: Uuid,
    command: A::Command,
) -> anyhow::Result<()>
where
    A::Command: Clone,
{
    let context = CommandContext::new(tenant.clone(), "daybook:demo");
    match parts.engine.execute::<A>(&context, Target::Existing(id), command).await {
        Ok(_) | Err(ExecuteError::Refused(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The key of the last time, where it still is one, else a new one. It opens nothing but the demo.
async fn key(parts: &Parts, tenant: &TenantId, folder: &Path) -> anyhow::Result<String> {
    let file = folder.join("demo-key");
    let pool = parts.log().pool();
    if let Ok(key) = std::fs::read_to_string(&file)
        && let Held::By(holder) =
            KeyHolders::new(parts.log(), &parts.clock).holder(key.trim()).await?
        && holder.owner == Owner::from(tenant)
    {
        return Ok(key.trim().to_owned());
    }
    let new = NewKey::of(ScopeSet::Manage.scopes());
    let key = keys::create(pool, tenant, new, parts.clock.now()).await?.key;
    let kept = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&file);
    if let Err(error) = kept.and_then(|mut file| file.write_all(key.as_bytes())) {
        tracing::debug!(%error, "the demo's key is not kept; there will be another next time");
    }
    Ok(key)
}
