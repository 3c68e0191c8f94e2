//! What a row can be found by, as numbers: one for each thing that is known of it.
//!
//! A term is a hash of tenant, kind and value. So the terms of all columns share one index, a
//! tenant's postings are its own, and a long category costs no more than a short one. Two values
//! with the same hash do no harm: terms narrow the search, and the columns themselves decide.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use daybook_domain::appointment::Status;
use daybook_domain::{Metadata, MetadataKey, MetadataValue, Reference, TenantId, folded};
use daybook_store::Position;
use sha2::{Digest, Sha256};

use super::signature::Signature;
use super::words::Words;
use crate::appointments::version::AppointmentVersion;

/// A kind of term. The numbers are stored, in hashes: a new meaning takes a new number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Category = 1,
    Status = 2,
    Service = 3,
    Client = 4,
    Resource = 5,
    Tag = 6,
    Span = 7,
    /// Of a word of the title.
    Beginning = 8,
    /// A block of positions: see [`TermsOf::known_by`].
    Block = 9,
    /// Of a resource: what kind of thing it is.
    Thing = 10,
    Email = 11,
    Phone = 12,
    Reference = 13,
    /// Of metadata.
    Pair = 14,
}

/// Each beginning of a word is a term, up to so many characters; what follows these is compared. With
/// gaps between the lengths, who looks for the few `lessons` among many a `lesson` would compare all.
const LONGEST_BEGINNING: usize = 16;
/// The lengths that are in the signature, which has less room.
const SIGNED_BEGINNINGS: [usize; 4] = [1, 3, 5, 8];

/// How long the shortest block of positions is, and how many of them make one of the next length. So the
/// lengths are 1,024, 16,384, 262,144 and 4,194,304.
const BLOCK: u64 = 1_024;
const BLOCK_FACTOR: u64 = 16;
const BLOCK_LEVELS: u8 = 4;

/// A span of time of a fixed length, counted from 1970. Each row has the span of its start at each
/// level as a term, so that a range of any length is a few terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SpanLevel(u8);

impl SpanLevel {
    /// 4 hours, 32 hours, 11 days, 85 days.
    pub(super) const ALL: [Self; 4] = [Self(0), Self(1), Self(2), Self(3)];
    /// How many spans of a level make one of the next.
    pub(super) const FACTOR: i64 = 8;

    pub(super) const fn micros(self) -> i64 {
        let four_hours = 4 * 3_600 * 1_000_000;
        four_hours * Self::FACTOR.pow(self.0 as u32)
    }

    /// The number of the span that an instant is in.
    fn number(self, instant: DateTime<Utc>) -> i64 {
        instant.timestamp_micros().div_euclid(self.micros())
    }

    /// The fewest spans that cover all from one instant to another, and less than four hours more
    /// on either side. For ten years these are at most 84, and mostly about 30.
    pub(super) fn cover(first: DateTime<Utc>, last: DateTime<Utc>) -> Vec<(Self, i64)> {
        let [shortest, ..] = Self::ALL;
        let (mut at, end) = (shortest.number(first), shortest.number(last));
        let mut spans = Vec::new();
        while at <= end {
            let fits = |level: &&Self| {
                let length = Self::FACTOR.pow(u32::from(level.0));
                at.rem_euclid(length) == 0 && at + length - 1 <= end
            };
            let level = *Self::ALL.iter().rev().find(fits).unwrap_or(&shortest);
            let length = Self::FACTOR.pow(u32::from(level.0));
            spans.push((level, at.div_euclid(length)));
            at += length;
        }
        spans
    }
}

/// The terms of one tenant.
#[derive(Clone)]
pub(crate) struct TermsOf {
    hash: Sha256,
}

impl TermsOf {
    pub(crate) fn new(tenant: &TenantId) -> Self {
        // No tenant's name has a NUL, so no two tenants' terms hash the same bytes.
        Self { hash: Sha256::new().chain_update(tenant.as_str()).chain_update([0]) }
    }

    /// The same, which nobody can guess who has not the secret.
    pub(crate) fn keyed(self, secret: &[u8]) -> Self {
        Self { hash: self.hash.chain_update(secret) }
    }

    pub(crate) fn term(&self, kind: Kind, value: &[u8]) -> i64 {
        let hash = self.hash.clone().chain_update([kind as u8]).chain_update(value).finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&hash[..8]);
        i64::from_be_bytes(first)
    }

    /// Of a word that is looked for, however it is spelt.
    pub(super) fn word(&self, kind: Kind, word: &str) -> i64 {
        self.term(kind, folded(word).as_bytes())
    }

    fn reference(&self, reference: &Reference) -> i64 {
        self.term(Kind::Reference, reference.as_str().as_bytes())
    }

    /// Of a pair of metadata: no text has a NUL, so no two pairs are the same bytes.
    fn pair(&self, (key, value): (&MetadataKey, &MetadataValue)) -> i64 {
        let bytes = [key.as_str().as_bytes(), &[0], value.as_str().as_bytes()].concat();
        self.term(Kind::Pair, &bytes)
    }

    pub(super) fn pairs(&self, metadata: &Metadata) -> impl Iterator<Item = i64> {
        metadata.iter().map(|pair| self.pair(pair))
    }

    /// Of what a caller keeps with something.
    pub(crate) fn kept(&self, reference: Option<&Reference>, metadata: &Metadata) -> Vec<i64> {
        let reference = reference.map(|reference| self.reference(reference));
        reference.into_iter().chain(self.pairs(metadata)).collect()
    }

    pub(super) fn status(&self, status: Status) -> i64 {
        self.term(Kind::Status, status.as_str().as_bytes())
    }

    /// The longest beginning of a word that is a term: each word that begins like it has it.
    pub(crate) fn beginning(&self, word: &str) -> i64 {
        let longest = first_chars(word, LONGEST_BEGINNING).unwrap_or(word);
        self.term(Kind::Beginning, longest.as_bytes())
    }

    /// The longest beginning of a word that is in the signature.
    pub(super) fn signed_beginning(&self, word: &str) -> i64 {
        let mut lengths = SIGNED_BEGINNINGS.into_iter().rev();
        let longest = lengths.find_map(|length| first_chars(word, length));
        self.term(Kind::Beginning, longest.unwrap_or_default().as_bytes())
    }

    pub(super) fn span(&self, level: SpanLevel, number: i64) -> i64 {
        let [b0, b1, b2, b3, b4, b5, b6, b7] = number.to_be_bytes();
        self.term(Kind::Span, &[level.0, b0, b1, b2, b3, b4, b5, b6, b7])
    }

    /// That something happened at this position: the block of each length that it is in.
    fn happened_at(&self, position: Position) -> Vec<i64> {
        let number = |level: u8| position.get() / (BLOCK * BLOCK_FACTOR.pow(level.into()));
        (0..BLOCK_LEVELS).map(|level| self.block(level, number(level))).collect()
    }

    /// Any of these: it had happened by this position, or not long after. In an index they come early,
    /// so that what happened later is not even met.
    pub(super) fn known_by(&self, position: Position) -> Vec<i64> {
        let (mut at, end) = (0, position.get() / BLOCK + 1);
        let mut blocks = Vec::new();
        while at < end {
            let length = |level: u8| BLOCK_FACTOR.pow(level.into());
            let fits = |level: &u8| at % length(*level) == 0 && at + length(*level) <= end;
            let level = (0..BLOCK_LEVELS).rev().find(fits).unwrap_or_default();
            blocks.push(self.block(level, at / length(level)));
            at += length(level);
        }
        blocks
    }

    fn block(&self, level: u8, number: u64) -> i64 {
        let [b0, b1, b2, b3, b4, b5, b6, b7] = number.to_be_bytes();
        self.term(Kind::Block, &[level, b0, b1, b2, b3, b4, b5, b6, b7])
    }

    /// All terms of a row, and the signature of those that the lists of its parties do not say.
    pub(crate) fn row(
        &self,
        version: &AppointmentVersion,
        words: &Words,
        word_tokens: &[i64],
    ) -> (Vec<i64>, Signature) {
        let row = &version.appointment;
        let mut terms = vec![
            self.term(Kind::Category, words.category.as_bytes()),
            self.status(row.status),
            self.term(Kind::Service, row.service_id.uuid().as_bytes()),
        ];
        terms.extend(words.tags.iter().map(|tag| self.term(Kind::Tag, tag.as_bytes())));
        let mut signature: Vec<Signature> = terms.iter().copied().map(Signature::of).collect();
        signature.extend(self.pairs(&row.metadata).map(Signature::of_pair));
        for (length, chars) in beginnings(&words.title) {
            let term = self.term(Kind::Beginning, chars.as_bytes());
            if SIGNED_BEGINNINGS.contains(&length) {
                signature.push(Signature::of_beginning(term));
            }
            terms.push(term);
        }
        signature.extend(word_tokens.iter().copied().map(Signature::of_beginning));
        terms.extend(word_tokens);
        terms.push(self.term(Kind::Client, row.client_id.uuid().as_bytes()));
        terms.extend(self.kept(row.reference.as_ref(), &row.metadata));
        let resources = row.resource_ids.iter();
        terms.extend(resources.map(|id| self.term(Kind::Resource, id.uuid().as_bytes())));
        let start = row.during.start();
        terms.extend(SpanLevel::ALL.map(|level| self.span(level, level.number(start))));
        terms.extend(self.happened_at(row.position));
        (terms, signature.into_iter().collect())
    }
}

/// The beginnings of words that are terms, each once, with how many characters they have.
pub(crate) fn beginnings(words: &BTreeSet<String>) -> BTreeSet<(usize, &str)> {
    let of_length = |length| words.iter().filter_map(move |word| first_chars(word, length));
    let all = (1..=LONGEST_BEGINNING)
        .flat_map(|length| of_length(length).map(move |chars| (length, chars)));
    all.collect()
}

/// The first characters of a word that has so many.
fn first_chars(word: &str, length: usize) -> Option<&str> {
    let (last, char) = word.char_indices().nth(length - 1)?;
    Some(&word[..last + char.len_utf8()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms() -> TermsOf {
        TermsOf::new(&"north".parse::<TenantId>().unwrap())
    }

    #[test]
    fn of_a_word_the_longest_beginning_in_the_signature_is_looked_for() {
        let of = |word| terms().signed_beginning(word);
        assert_eq!(of("physiotherapy"), of("physioth"));
        assert_eq!(of("physio"), of("physi"));
        assert_eq!(of("phys"), of("phy"));
        assert_ne!(of("ph"), of("phy"));
        assert_eq!(of("årsk"), of("års"));
    }

    #[test]
    fn what_a_word_is_looked_up_by_is_a_term_of_all_that_begin_like_it_and_of_no_others() {
        let words = daybook_domain::words("Årsta lesson, electroencephalography");
        let all: Vec<i64> =
            beginnings(&words).into_iter().map(|(_, chars)| terms().beginning(chars)).collect();
        for word in &words {
            for (end, _) in word.char_indices().skip(1).chain([(word.len(), ' ')]) {
                let beginning = &word[..end];
                assert!(all.contains(&terms().beginning(beginning)), "{beginning}");
            }
        }
        for other in ["lessons", "lessor", "st", "årstad"] {
            assert!(!all.contains(&terms().beginning(other)), "{other}");
        }
    }
}
