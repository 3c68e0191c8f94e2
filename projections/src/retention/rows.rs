//! The rows, and how a batch of events changes them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use cqrs_es::Aggregate as _;
use daybook_domain::appointment::AppointmentState;
use daybook_domain::client::ClientEvent;
use daybook_domain::waiting::{EntryState, WaitingEntry};
use daybook_domain::{ClientId, TenantId};
use daybook_store::{AnyEvent, RecordedEvent};
use sqlx::FromRow;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::Retention;
use crate::change::{self, AppointmentChanges};
use crate::kit::{Column, Table, column, statement};
use crate::{ApplyError, Tables};

/// What a client has or had: a row.
pub(super) struct Engagement {
    thing_id: Uuid,
    client_id: ClientId,
    end_at: Option<DateTime<Utc>>,
}

/// A client: a row.
pub(super) struct ClientRow {
    client_id: ClientId,
    registered_at: DateTime<Utc>,
    idle_since: DateTime<Utc>,
    restricted: bool,
    on_legal_hold: bool,
    erased: bool,
}

pub(super) static ENGAGEMENTS: LazyLock<Table<Engagement>> = LazyLock::new(|| {
    Table::new(
        "engagements",
        [
            Column::field("thing_id", |row: &Engagement| &row.thing_id).key(),
            Column::field("client_id", |row| &row.client_id),
            Column::field("end_at", |row| &row.end_at),
        ],
    )
});

pub(super) static CLIENTS: LazyLock<Table<ClientRow>> = LazyLock::new(|| {
    Table::new(
        "clients",
        [
            Column::field("client_id", |row: &ClientRow| &row.client_id).key(),
            Column::field("registered_at", |row| &row.registered_at),
            Column::field("idle_since", |row| &row.idle_since),
            Column::field("restricted", |row| &row.restricted),
            Column::field("on_legal_hold", |row| &row.on_legal_hold),
            Column::field("erased", |row| &row.erased),
        ],
    )
});

impl FromRow<'_, PgRow> for ClientRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            client_id: column(row, "client_id")?,
            registered_at: column(row, "registered_at")?,
            idle_since: column(row, "idle_since")?,
            restricted: column(row, "restricted")?,
            on_legal_hold: column(row, "on_legal_hold")?,
            erased: column(row, "erased")?,
        })
    }
}

statement!(
    /// The end of the last of each client who has one. Served by `engagements_of_client`, from its end.
    LAST: Retention = "
    SELECT c.client_id, last.end_at
      FROM unnest($2::uuid[]) AS c (client_id)
     CROSS JOIN LATERAL (
           SELECT e.end_at FROM {schema}.engagements e
            WHERE e.tenant_id = $1 AND e.client_id = c.client_id AND e.end_at IS NOT NULL
            ORDER BY e.end_at DESC LIMIT 1) AS last"
);

pub(super) async fn apply(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    events: &[RecordedEvent],
) -> Result<(), ApplyError> {
    let mut engaged = of_appointments(tables, tenant, events).await?;
    engaged.extend(of_entries(tables, tenant, events).await?);
    ENGAGEMENTS.upsert(tables, tenant, &engaged).await?;
    let happened = of_clients(events);
    let ids = engaged.iter().map(|engagement| engagement.client_id);
    let ids: BTreeSet<ClientId> = ids.chain(happened.keys().copied()).collect();
    let ids: Vec<Uuid> = ids.into_iter().map(ClientId::uuid).collect();
    let stored = CLIENTS.load(tables, tenant, ids.iter().copied()).await?;
    let mut clients: BTreeMap<ClientId, ClientRow> =
        stored.into_iter().map(|row| (row.client_id, row)).collect();
    for (client, happened) in happened {
        for recorded in happened {
            after(&mut clients, client, recorded);
        }
    }
    let last = last(tables, tenant, &ids).await?;
    let mut rows: Vec<ClientRow> = clients.into_values().collect();
    for row in &mut rows {
        row.idle_since = last.get(&row.client_id).copied().unwrap_or(row.registered_at);
    }
    CLIENTS.upsert(tables, tenant, &rows).await
}

async fn of_appointments(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    events: &[RecordedEvent],
) -> Result<Vec<Engagement>, ApplyError> {
    let earlier = change::earlier(tables, tenant, events).await?;
    let changes = AppointmentChanges::of(&earlier, events)?;
    let latest = changes.streams().filter_map(|stream| stream.new.last());
    let engagement = latest.map(|change| {
        let (details, state) = change.made()?;
        let counts = !matches!(state, AppointmentState::Cancelled(_));
        Ok(Engagement {
            thing_id: change.id.uuid(),
            client_id: details.client_id,
            end_at: counts.then(|| details.slot.during.end()),
        })
    });
    engagement.collect()
}

async fn of_entries(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    events: &[RecordedEvent],
) -> Result<Vec<Engagement>, ApplyError> {
    let id = |event: &AnyEvent| match event {
        AnyEvent::Waiting(id, _) => Some(id.uuid()),
        _ => None,
    };
    let earlier = change::earlier_of(WaitingEntry::TYPE, id, tables, tenant, events).await?;
    let mut entries: BTreeMap<Uuid, (WaitingEntry, bool)> = BTreeMap::new();
    let all = earlier.iter().map(|it| (it, false)).chain(events.iter().map(|it| (it, true)));
    for (recorded, is_new) in all {
        let AnyEvent::Waiting(id, event) = &recorded.event else { continue };
        let (entry, changes) = entries.entry(id.uuid()).or_default();
        entry.evolve(event.clone());
        *changes |= is_new;
    }
    let engagement = |(thing_id, (entry, changes)): (Uuid, (WaitingEntry, bool))| {
        let joined = entry.joined().filter(|_| changes)?;
        let waits = matches!(joined.state, EntryState::Waiting | EntryState::Offered(_));
        let end_at = joined.wishes.days.bounds().map(|days| days.end()).filter(|_| waits);
        Some(Engagement { thing_id, client_id: joined.client_id, end_at })
    };
    Ok(entries.into_iter().filter_map(engagement).collect())
}

fn of_clients(events: &[RecordedEvent]) -> BTreeMap<ClientId, Vec<&RecordedEvent>> {
    let mut happened: BTreeMap<ClientId, Vec<&RecordedEvent>> = BTreeMap::new();
    for recorded in events {
        if let AnyEvent::Client(id, _) = &recorded.event {
            happened.entry(*id).or_default().push(recorded);
        }
    }
    happened
}

fn after(
    clients: &mut BTreeMap<ClientId, ClientRow>,
    client_id: ClientId,
    recorded: &RecordedEvent,
) {
    let AnyEvent::Client(_, event) = &recorded.event else { return };
    let registered_at = recorded.recorded_at;
    let row = clients.entry(client_id).or_insert(ClientRow {
        client_id,
        registered_at,
        idle_since: registered_at,
        restricted: false,
        on_legal_hold: false,
        erased: false,
    });
    match event {
        ClientEvent::ClientRegistered(_) | ClientEvent::ClientContactChanged(_) => {}
        ClientEvent::ClientErasureRequested(_) | ClientEvent::ClientErased(_) => row.erased = true,
        ClientEvent::ClientRestricted(_) => row.restricted = true,
        ClientEvent::ClientRestrictionLifted(_) => row.restricted = false,
        ClientEvent::ClientLegalHoldPlaced(_) => row.on_legal_hold = true,
        ClientEvent::ClientLegalHoldReleased(_) => row.on_legal_hold = false,
    }
}

async fn last(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    clients: &[Uuid],
) -> Result<HashMap<ClientId, DateTime<Utc>>, sqlx::Error> {
    if clients.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = tables.sql(&LAST);
    let query = sqlx::query_as(&sql).bind(tenant.as_str()).bind(clients);
    let rows: Vec<(Uuid, DateTime<Utc>)> = query.fetch_all(tables.connection()).await?;
    Ok(rows.into_iter().map(|(id, end_at)| (id.into(), end_at)).collect())
}
