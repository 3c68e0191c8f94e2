//! What an answer is cached under.

use std::fmt::{Debug, Write as _};

use axum::http::Uri;
use daybook_domain::TenantId;
use daybook_domain::rights::Limits;
use daybook_projections::Basis;
use daybook_store::Position;
use sha2::{Digest as _, Sha256};

use crate::http::etag::Etag;

/// Of which sources this program was built. Programs of other sources may answer otherwise, and share nothing with it.
pub(super) const BUILD: &str = env!("DAYBOOK_SOURCES");

/// What asks for the same data as without it, and only says how new they must be.
const HOW_NEW: &str = "min_position";

/// What is asked: by whom, of which route, and how.
#[derive(Clone)]
pub(crate) struct Question(Vec<u8>);

impl Question {
    /// What this request asks for. All of its query is part of it, in whichever order it comes, and what its caller is limited to: whoever
    /// may see less is never told another's answer.
    pub(crate) fn new(route: &str, tenant: &TenantId, limits: &Limits, uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default();
        let name = |pair: &&str| pair.split_once('=').map_or(*pair, |(name, _)| name) != HOW_NEW;
        let mut pairs: Vec<&str> = query.split('&').filter(name).collect();
        pairs.sort_unstable();
        let question = Self(Vec::new());
        let question = pairs.into_iter().fold(
            question.part(BUILD.as_bytes()).part(route.as_bytes()).part(tenant.as_str().as_bytes()),
            |question, pair| question.part(pair.as_bytes()),
        );
        question.and(limits)
    }

    /// The same, where the answer depends on this as well, whose `Debug` must say all of it.
    pub(crate) fn and(self, more: &impl Debug) -> Self {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = write!(text, "{more:?}");
        // What is asked for ends here: no pair of a query is empty and none begins so.
        self.part(b"&").part(text.as_bytes())
    }

    /// Length first, so that no two questions are written alike.
    fn part(mut self, bytes: &[u8]) -> Self {
        self.0.extend((bytes.len() as u64).to_be_bytes());
        self.0.extend(bytes);
        self
    }

    /// What the answer is cached under that rests on this.
    pub(crate) fn on(&self, basis: &Basis) -> Key {
        let material = self.clone().part(b"#").part(&basis.bytes()).0;
        let digest = |of: &str| -> [u8; 32] {
            Sha256::new().chain_update(of).chain_update(&material).finalize().into()
        };
        Key {
            address: digest("address"),
            tag: digest("tag"),
            etag: Etag::of_key(&digest("etag")),
            position: basis.position(),
        }
    }
}

/// What an answer is cached under. It says nothing of what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    address: [u8; 32],
    tag: [u8; 32],
    etag: Etag,
    position: Position,
}

impl Key {
    /// Where the answer is.
    pub(crate) const fn address(&self) -> &[u8; 32] {
        &self.address
    }

    /// What an answer is known by that comes from elsewhere: nobody knows it who does not know what it is the answer to.
    pub(super) const fn tag(&self) -> &[u8; 32] {
        &self.tag
    }

    /// Of which position the answer is.
    pub(crate) const fn position(&self) -> Position {
        self.position
    }

    /// The tag of the answer: it is the same only if the answer is.
    pub(crate) const fn etag(&self) -> Etag {
        self.etag
    }
}

#[cfg(test)]
impl Key {
    pub(super) fn of_tests(number: u8) -> Self {
        let (address, tag) = ([number; 32], [number ^ 0xff; 32]);
        Self { address, tag, etag: Etag::of_key(&address), position: Position::START }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(uri: &str) -> Question {
        Question::new(
            "/v1/utilisation",
            &"north".parse().unwrap(),
            &Limits::default(),
            &uri.parse().unwrap(),
        )
    }

    #[test]
    fn the_order_of_a_query_and_how_new_it_must_be_make_no_other_question() {
        let one = asked("/v1/utilisation?from=2027-01-01&to=2027-01-02");
        let same = asked("/v1/utilisation?to=2027-01-02&min_position=7&from=2027-01-01");
        assert_eq!(one.0, same.0);
    }

    #[test]
    fn whatever_else_is_asked_is_another_question() {
        let one = asked("/v1/utilisation?from=2027-01-01&to=2027-01-02");
        let others = [
            asked("/v1/utilisation?from=2027-01-01&to=2027-01-03"),
            asked("/v1/utilisation?from=2027-01-01"),
            asked("/v1/utilisation?from=2027-01-01&to=2027-01-02&limit=2"),
            asked("/v1/utilisation?from=2027-01-01&to=2027-01-02").and(&Some(1)),
            Question::new("/v1/utilisation", &"south".parse().unwrap(), &Limits::default(), &uri()),
            Question::new(
                "/v1/appointments",
                &"north".parse().unwrap(),
                &Limits::default(),
                &uri(),
            ),
        ];
        for other in others {
            assert_ne!(one.0, other.0);
        }
        // What is beside the query cannot be said by it.
        assert_ne!(asked("/?a=1").and(&2).0, asked("/?a=1&&=2").0);
    }

    fn uri() -> Uri {
        "/v1/utilisation?from=2027-01-01&to=2027-01-02".parse().unwrap()
    }
}
