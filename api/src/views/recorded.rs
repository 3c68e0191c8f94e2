//! When what is shown was made, and when it was changed last.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// Something in a list, and when its events were recorded.
#[derive(Serialize, ToSchema)]
pub(crate) struct Recorded<T> {
    #[serde(flatten)]
    item: T,
    /// When its first event was recorded.
    created_at: DateTime<Utc>,
    /// When its last event was recorded; with `as_of`, the last one up to then.
    updated_at: DateTime<Utc>,
}

impl<T> Recorded<T> {
    pub(crate) const fn item(&self) -> &T {
        &self.item
    }

    pub(crate) const fn new(
        item: T,
        (created_at, updated_at): (DateTime<Utc>, DateTime<Utc>),
    ) -> Self {
        Self { item, created_at, updated_at }
    }
}
