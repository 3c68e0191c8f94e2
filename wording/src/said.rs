//! What there is to say.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use daybook_domain::sending::Kind;

/// What a message can say, and no more: titles of appointments are not in it, for they can be personal, nor notes or
/// how a client is reached. It does not show itself: it is somebody's.
#[derive(Clone, Copy)]
pub struct Said<'a> {
    pub kind: Kind,
    /// What the client is called.
    pub client: &'a str,
    /// What the service is called.
    pub service: &'a str,
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    /// By whose clocks times are told: that of the place.
    pub zone: Tz,
    pub location: Option<&'a str>,
    /// Until when the place is kept, where one is offered.
    pub until: Option<DateTime<Utc>>,
}

impl Said<'_> {
    pub(crate) fn at(&self, instant: DateTime<Utc>) -> DateTime<Tz> {
        instant.with_timezone(&self.zone)
    }
}
