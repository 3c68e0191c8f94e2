//! Of the log, what whoever is limited to some of a tenant is told.
//!
//! An event is told if what it happened to lies within the limits now, and did so after it. So what has moved elsewhere is
//! not there any more, from its beginning; and of what has come from elsewhere, nothing is told of before. Of clients, series
//! and the waiting list nothing is told: they are of no place, or of more than one.

use std::collections::{BTreeSet, HashMap};

use cqrs_es::Aggregate;
use daybook_domain::appointment::Appointment;
use daybook_domain::resource::Resource;
use daybook_domain::rights::Limits;
use daybook_domain::service::Service;
use daybook_domain::session::Session;
use daybook_domain::{Decide as _, TenantId, upcasters};
use futures::TryStreamExt as _;
use serde_json::Value;
use sqlx::{PgPool, Row};
use uuid::Uuid;

use super::CloudEvent;
use crate::json::not_understood;
use crate::log::{StreamId, stored, upcast};

/// What events can be told of.
pub(super) const TOLD: [&str; 4] =
    [Appointment::TYPE, Resource::TYPE, Service::TYPE, Session::TYPE];

/// Those of the events that are told, without what they say of elsewhere.
pub(super) async fn kept(
    pool: &PgPool,
    tenant: &TenantId,
    limits: &Limits,
    mut events: Vec<CloudEvent>,
) -> Result<Vec<CloudEvent>, sqlx::Error> {
    let lay = versions_within(pool, tenant, limits, &events).await?;
    let is_within = |event: &CloudEvent, version: u64| {
        lay.get(&event.aggregate_id).is_some_and(|versions| versions.contains(&version))
    };
    events.retain(|event| match event.aggregate_type.as_str() {
        Resource::TYPE => limits.see_resource(event.aggregate_id.into()),
        _ => is_within(event, event.stream_version),
    });
    for event in &mut events {
        if !is_within(event, event.stream_version.saturating_sub(1)) {
            leave_out_elsewhere(&mut event.data);
        }
    }
    Ok(events)
}

/// Leaves out what an event says of elsewhere, by which something has come from there.
pub fn leave_out_elsewhere(data: &mut Value) {
    if let Some(data) = data.as_object_mut() {
        data.remove("from_resource_id");
    }
}

/// Of all that events happened to, the versions at which it lay within the limits; none where it does not now.
async fn versions_within(
    pool: &PgPool,
    tenant: &TenantId,
    limits: &Limits,
    events: &[CloudEvent],
) -> Result<HashMap<Uuid, BTreeSet<u64>>, sqlx::Error> {
    let of = |kind: &str| -> BTreeSet<Uuid> {
        let those = events.iter().filter(|event| event.aggregate_type == kind);
        those.map(|event| event.aggregate_id).collect()
    };
    let sees = |id: Uuid, it: &Appointment| limits.see(&it.placed(id));
    let appointments = Lying::of(pool, tenant, of(Appointment::TYPE), sees).await?;
    let sees = |_, it: &Session| it.plan().is_some_and(|plan| limits.see_session(plan, None));
    let mut sessions = Lying::of(pool, tenant, of(Session::TYPE), sees).await?;
    let mut ids = of(Service::TYPE);
    let plans = sessions.values().filter_map(|lying| lying.last.plan());
    ids.extend(plans.map(|plan| plan.service_id.uuid()));
    let sees = |id: Uuid, it: &Service| limits.see(&it.placed(id));
    let services = Lying::of(pool, tenant, ids, sees).await?;
    // Where they take place, their service says.
    sessions.retain(|_, lying| {
        lying.last.plan().is_some_and(|plan| {
            let service = services.get(&plan.service_id.uuid());
            limits.see_session(plan, service.and_then(|lying| lying.last.terms()))
        })
    });
    let appointments = appointments.into_iter().map(|(id, lying)| (id, lying.within));
    let sessions = sessions.into_iter().map(|(id, lying)| (id, lying.within));
    let services = services.into_iter().map(|(id, lying)| (id, lying.within));
    Ok(appointments.chain(sessions).chain(services).collect())
}

/// Where something lies, and lay.
struct Lying<A> {
    /// As it is now.
    last: A,
    version: u64,
    /// At which of its versions it lay within the limits.
    within: BTreeSet<u64>,
}

impl<A: Aggregate + Default> Lying<A> {
    /// Served by `events_pkey`, stream by stream; the collation keeps the index by position away.
    async fn of(
        pool: &PgPool,
        tenant: &TenantId,
        ids: BTreeSet<Uuid>,
        sees: impl Fn(Uuid, &A) -> bool,
    ) -> Result<HashMap<Uuid, Self>, sqlx::Error> {
        let mut all: HashMap<Uuid, Self> = HashMap::new();
        if ids.is_empty() {
            return Ok(all);
        }
        let ids: Vec<String> = ids.iter().map(|id| format!("{tenant}/{id}")).collect();
        let mut rows = sqlx::query(
            "SELECT aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata
               FROM events
              WHERE aggregate_type = $1 AND aggregate_id = ANY($2) AND tenant_id = $3 COLLATE \"C\"
              ORDER BY aggregate_type, aggregate_id, sequence",
        )
        .persistent(false)
        .bind(A::TYPE)
        .bind(ids)
        .bind(tenant.as_str())
        .fetch(pool);
        let upcasters = upcasters();
        while let Some(row) = rows.try_next().await? {
            let Some(id) = StreamId::uuid_of(row.try_get("aggregate_id")?) else { continue };
            let event = upcast(stored(&row)?, &upcasters);
            let happened = serde_json::from_value::<A::Event>(event.payload);
            let happened =
                happened.map_err(|error| sqlx::Error::Decode(not_understood(&error).into()))?;
            let none = || Self { last: A::default(), version: 0, within: BTreeSet::new() };
            let lying = all.entry(id).or_insert_with(none);
            lying.last.apply(happened);
            lying.version = event.sequence as u64;
            if sees(id, &lying.last) {
                lying.within.insert(lying.version);
            }
        }
        all.retain(|_, lying| lying.within.contains(&lying.version));
        Ok(all)
    }
}
