//! What an event is about that does not say so itself: a cancellation names neither the category nor
//! the resources of what is cancelled, and yet belongs to them.

use std::collections::HashMap;

use daybook_domain::{ResourceId, TenantId, folded, upcasters};
use futures::TryStreamExt as _;
use serde_json::Value;
use sqlx::{PgPool, Row};
use uuid::Uuid;

use super::{CloudEvent, FeedFilter};
use crate::log::{StreamId, stored, upcast};

/// The events that say something of it.
const TELLING: [&str; 10] = [
    "AppointmentBooked",
    "AppointmentHeld",
    "AppointmentConfirmed",
    "AppointmentRescheduled",
    "AppointmentReassigned",
    "AppointmentTagged",
    "SessionScheduled",
    "SessionRescheduled",
    "ServiceDefined",
    "ServiceRevised",
];

/// The category and the resources that something has at some moment.
#[derive(Debug, Clone, Default, PartialEq)]
struct About {
    /// Folded: however it is spelt.
    category: Option<String>,
    resources: Vec<String>,
}

impl About {
    /// Takes note of what an event says.
    fn note(&mut self, data: &Value) {
        if let Some(category) = data["category"].as_str() {
            self.category = Some(folded(category));
        }
        if let Some(ids) = data["slot"]["resource_ids"].as_array() {
            self.resources = ids.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        }
    }

    /// `categories`: folded.
    fn is_wanted(&self, categories: &[String], resource: Option<ResourceId>) -> bool {
        let resource = resource.map(|id| id.to_string());
        let is_of = |category: &String| categories.contains(category);
        (categories.is_empty() || self.category.as_ref().is_some_and(is_of))
            && resource.is_none_or(|wanted| self.resources.contains(&wanted))
    }
}

/// The history of what one aggregate was about: from which version on it was what.
type History = Vec<(u64, About)>;

/// Those events that are about what the filter asks for, as it was before them or after them.
pub(super) async fn kept(
    pool: &PgPool,
    tenant: &TenantId,
    filter: &FeedFilter,
    mut events: Vec<CloudEvent>,
) -> Result<Vec<CloudEvent>, sqlx::Error> {
    let histories = histories(pool, tenant, &events).await?;
    let categories: Vec<String> =
        filter.categories.iter().map(|category| folded(category.as_str())).collect();
    let wanted = |about: &About| about.is_wanted(&categories, filter.resource_id);
    events.retain(|event| {
        if event.aggregate_type == "resource" {
            return filter.resource_id.is_some_and(|id| id.uuid() == event.aggregate_id);
        }
        let history = histories.get(&event.aggregate_id).map(Vec::as_slice).unwrap_or_default();
        let at = |version: u64| {
            history
                .iter()
                .rev()
                .find(|(from, _)| *from <= version)
                .is_some_and(|(_, it)| wanted(it))
        };
        at(event.stream_version) || at(event.stream_version - 1)
    });
    Ok(events)
}

/// Served by `events_pkey`, stream by stream; the collation keeps the index by position away.
async fn histories(
    pool: &PgPool,
    tenant: &TenantId,
    events: &[CloudEvent],
) -> Result<HashMap<Uuid, History>, sqlx::Error> {
    let mut ids: Vec<String> =
        events.iter().map(|event| format!("{tenant}/{}", event.aggregate_id)).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut rows = sqlx::query(
        "SELECT position, aggregate_type, aggregate_id, sequence, event_type, event_version,
                payload, metadata, recorded_at
           FROM events
          WHERE aggregate_type IN ('appointment', 'session', 'service') AND aggregate_id = ANY($1)
            AND tenant_id = $2 COLLATE \"C\" AND event_type = ANY($3)
          ORDER BY aggregate_type, aggregate_id, sequence",
    )
    .persistent(false)
    .bind(ids)
    .bind(tenant.as_str())
    .bind(TELLING)
    .fetch(pool);
    let upcasters = upcasters();
    let mut histories: HashMap<Uuid, History> = HashMap::new();
    while let Some(row) = rows.try_next().await? {
        let Some(id) = StreamId::uuid_of(row.try_get("aggregate_id")?) else { continue };
        let event = upcast(stored(&row)?, &upcasters);
        let history = histories.entry(id).or_default();
        let mut about = history.last().map(|(_, about)| about.clone()).unwrap_or_default();
        about.note(&event.payload);
        // Most events say what was said before.
        if history.last().is_none_or(|(_, before)| *before != about) {
            history.push((event.sequence as u64, about));
        }
    }
    Ok(histories)
}
