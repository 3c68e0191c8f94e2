//! How an entry of the audit log is shown.

use chrono::{DateTime, Utc};
use daybook_store::audit::{AuditKind, ListedEntry};
use daybook_store::hex;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// An entry of the audit log.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditView {
    /// Its place in the audit log, from 1.
    number: u64,
    /// When it was.
    recorded_at: DateTime<Utc>,
    /// Who did it or was told: `key:` and the id of a key; `command-line`; or `daybook` and what of it.
    actor: String,
    /// What was done.
    #[schema(value_type = String, example = "personal-data-read")]
    kind: AuditKind,
    /// Of whom: clients and others of whom something personal is known.
    subject_ids: Vec<Uuid>,
    /// Of how many more; left out where all are named.
    #[serde(skip_serializing_if = "is_zero")]
    more_subjects: u64,
    /// Of everybody of whom there is something in what was told; left out where it is not so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    all_subjects: bool,
    /// Which members, settings or scopes.
    fields: Vec<String>,
    /// What it was done to, where that is nobody: the id of a key, for instance. Of what was refused: the name of the problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    /// By which route.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "GET /v1/clients/{id}")]
    route: Option<String>,
    /// The request's id, which the events have as `correlation_id` that it led to.
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<Uuid>,
    /// The trace that it is part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    /// Why, as `Daybook-Purpose` said.
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
    /// How often, where the same happened several times in a moment.
    times: u64,
    /// By which the next entry follows it (SHA-256).
    hash: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl From<ListedEntry> for AuditView {
    fn from(ListedEntry { seq, hash, entry }: ListedEntry) -> Self {
        Self {
            number: seq.unsigned_abs(),
            recorded_at: entry.at,
            actor: entry.actor,
            kind: entry.kind,
            subject_ids: entry.subjects,
            more_subjects: entry.more_subjects,
            all_subjects: entry.all_subjects,
            fields: entry.fields.into_iter().collect(),
            object: entry.object,
            route: entry.route,
            correlation_id: entry.request_id,
            trace_id: entry.trace_id,
            purpose: entry.purpose.map(String::from),
            times: entry.times,
            hash: hex(&hash),
        }
    }
}
