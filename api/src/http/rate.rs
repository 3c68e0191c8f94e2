//! How many requests a second a key may send to this program, where whoever runs it says so; and what callers are told of it
//! (draft-ietf-httpapi-ratelimit-headers-10).

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use tokio::time::Instant;
use uuid::Uuid;

use super::Problem;
use super::buckets::{Buckets, Left};

pub(crate) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
pub(crate) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// As many requests may come at once as come in so long.
const HOLDS: Duration = Duration::from_secs(1);

/// A bucket for each key. Clones are one.
#[derive(Clone, Default)]
pub(crate) struct RateLimit(Option<Arc<Limit>>);

struct Limit {
    per_second: NonZeroU32,
    buckets: Buckets<Uuid>,
}

impl RateLimit {
    pub(crate) fn of(per_second: NonZeroU32) -> Self {
        Self(Some(Arc::new(Limit { per_second, buckets: Buckets::new(per_second, HOLDS) })))
    }

    /// Refuses one more request of a key that has sent too many; else says what it has left.
    pub(crate) fn take(&self, key: Uuid, now: Instant) -> Result<Option<Quota>, Problem> {
        let Some(limit) = &self.0 else { return Ok(None) };
        match limit.buckets.take(key, now) {
            Ok(left) => Ok(Some(Quota { policy: "key", left })),
            Err(left) => {
                let quota = Quota { policy: "key", left };
                Err(Problem::rate_limited(limit.per_second).with_quota(quota))
            }
        }
    }
}

/// What a caller has left of what they may send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quota {
    /// Whose quota it is: a word.
    pub(crate) policy: &'static str,
    pub(crate) left: Left,
}

impl Quota {
    /// Says it in the headers of an answer.
    pub(crate) fn tell(self, response: &mut Response) {
        let Self { policy, left } = self;
        let (window, next) = (whole_seconds(left.window), whole_seconds(left.next_in));
        let said = [
            (RATE_LIMIT_POLICY, format!("\"{policy}\";q={};w={window}", left.of)),
            (RATE_LIMIT, format!("\"{policy}\";r={};t={next}", left.requests)),
        ];
        for (name, value) in said {
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(name, value);
            }
        }
    }

    /// In how many seconds to come back.
    pub(crate) fn retry_after(self) -> u32 {
        u32::try_from(whole_seconds(self.left.next_in)).unwrap_or(u32::MAX).max(1)
    }
}

/// Rounded up: whoever comes back then is not too early.
fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;

    use super::*;

    #[test]
    fn nobody_is_limited_where_nobody_has_said_so() {
        let now = Instant::now();
        assert!((0..1_000).all(|_| RateLimit::default().take(Uuid::nil(), now).is_ok()));
    }

    #[test]
    fn what_is_left_is_told_as_the_draft_has_it() {
        let (limit, now) = (RateLimit::of(NonZeroU32::new(3).unwrap()), Instant::now());
        let mut answer = ().into_response();
        limit.take(Uuid::nil(), now).unwrap().unwrap().tell(&mut answer);
        assert_eq!(answer.headers()[RATE_LIMIT_POLICY], "\"key\";q=3;w=1");
        assert_eq!(answer.headers()[RATE_LIMIT], "\"key\";r=2;t=1");
        for _ in 0..2 {
            limit.take(Uuid::nil(), now).unwrap();
        }
        let refused = limit.take(Uuid::nil(), now).unwrap_err().into_response();
        assert_eq!(refused.headers()[RATE_LIMIT], "\"key\";r=0;t=1");
        assert_eq!(refused.headers()["retry-after"], "1");
    }
}
