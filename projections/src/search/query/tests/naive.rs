//! What a search should find, said in the plainest way.

use chrono::{DateTime, Utc};
use daybook_domain::appointment::Status;
use daybook_domain::rights::Place;
use daybook_domain::words;

use crate::search::row::FoundAppointment;
use crate::search::{SearchFilter, TagsMatch};

pub(super) fn status(row: &FoundAppointment, now: DateTime<Utc>) -> Status {
    match row.hold_expires_at {
        Some(lapses) if lapses <= now => Status::Cancelled,
        _ => row.status,
    }
}

pub(super) fn lets_through(
    filter: &SearchFilter,
    row: &FoundAppointment,
    now: DateTime<Utc>,
) -> bool {
    let start = row.during.start();
    let tag = |tag| row.tags.iter().any(|one| one == tag);
    filter.from.is_none_or(|from| start >= from)
        && filter.to.is_none_or(|to| start < to)
        && is_one_of(&filter.ids, &row.appointment_id)
        && is_one_of(&filter.categories, &row.category)
        && is_one_of(&filter.service_ids, &row.service_id)
        && is_one_of(&filter.client_ids, &row.client_id)
        && (filter.resource_ids.is_empty()
            || row.resource_ids.iter().any(|id| filter.resource_ids.contains(&id)))
        && filter.reference.as_ref().is_none_or(|one| row.reference.as_ref() == Some(one))
        && row.metadata.has_all(&filter.metadata)
        && (filter.statuses.is_empty() || filter.statuses.contains(&status(row, now)))
        && match filter.tags_match {
            TagsMatch::All => filter.tags.iter().all(tag),
            TagsMatch::Any => filter.tags.iter().count() == 0 || filter.tags.iter().any(tag),
        }
        && (filter.title.is_empty() || has_words(filter, row))
        && filter.within.admit(&Place {
            id: row.appointment_id,
            location: row.location.as_ref(),
            resource_ids: &row.resource_ids,
            category: &row.category,
            client_id: row.client_id,
        })
}

fn is_one_of<T: PartialEq>(wanted: &[T], one: &T) -> bool {
    wanted.is_empty() || wanted.contains(one)
}

/// A public title has words that begin so, and a personal one the words themselves.
fn has_words(filter: &SearchFilter, row: &FoundAppointment) -> bool {
    let words = words(row.title.reveal().unwrap().as_str());
    if row.title.is_personal() {
        return filter.personal_titles && filter.title.iter().all(|wanted| words.contains(wanted));
    }
    filter.title.iter().all(|wanted| words.iter().any(|word| word.starts_with(wanted)))
}
