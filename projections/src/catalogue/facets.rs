//! What services, resources and clients are found by.
//!
//! As in search (`docs/adr/0006-search-index.md`), a row has a term for each thing that is known of it; terms narrow, and
//! the document decides.

use std::collections::BTreeSet;
use std::fmt;

use daybook_domain::client::Contact;
use daybook_domain::resource::{ResourceKind, ResourceProfile};
use daybook_domain::service::ServiceTerms;
use daybook_domain::{
    Category, Email, Metadata, MetadataKey, MetadataValue, Personal, Phone, Reference, Tag, folded,
    words,
};
use unicode_normalization::UnicodeNormalization as _;

use crate::search::terms::{Kind, TermsOf, beginnings};

/// Something that is known of it, as it is compared: folded, or as a number is dialled. What identifies a client does not
/// show itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Facet {
    kind: Kind,
    value: String,
}

impl fmt::Debug for Facet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, value } = self;
        match kind {
            Kind::Email | Kind::Phone | Kind::Reference | Kind::Pair => write!(f, "{kind:?}(..)"),
            _ => write!(f, "{kind:?}({value:?})"),
        }
    }
}

impl Facet {
    /// However it is spelt.
    #[must_use]
    pub fn category(category: &Category) -> Self {
        Self { kind: Kind::Category, value: folded(category.as_str()) }
    }

    /// However it is spelt.
    #[must_use]
    pub fn tag(tag: &Tag) -> Self {
        Self { kind: Kind::Tag, value: folded(tag.as_str()) }
    }

    #[must_use]
    pub fn resource_kind(kind: ResourceKind) -> Self {
        let value = match kind {
            ResourceKind::Staff => "staff",
            ResourceKind::Room => "room",
            ResourceKind::Equipment => "equipment",
        };
        Self { kind: Kind::Thing, value: value.to_owned() }
    }

    /// In any case: no mail program tells two addresses apart that differ in that.
    #[must_use]
    pub fn email(email: &Email) -> Self {
        Self { kind: Kind::Email, value: email.as_str().to_lowercase().nfc().collect() }
    }

    /// Its digits, and whether it begins with a country: `00` and `+` are the same.
    #[must_use]
    pub fn phone(phone: &Phone) -> Self {
        let digits: String = phone.as_str().chars().filter(char::is_ascii_digit).collect();
        let value = match digits.strip_prefix("00") {
            Some(abroad) => format!("+{abroad}"),
            None if phone.as_str().starts_with('+') => format!("+{digits}"),
            None => digits,
        };
        Self { kind: Kind::Phone, value }
    }

    /// Letter for letter.
    #[must_use]
    pub fn reference(reference: &Reference) -> Self {
        Self { kind: Kind::Reference, value: reference.as_str().to_owned() }
    }

    /// Letter for letter. No text has a NUL, so no two pairs are the same.
    #[must_use]
    pub fn pair((key, value): (&MetadataKey, &MetadataValue)) -> Self {
        let value = format!("{}\0{}", key.as_str(), value.as_str());
        Self { kind: Kind::Pair, value }
    }

    /// Of what a caller keeps with it.
    fn kept(reference: Option<&Reference>, metadata: &Metadata) -> impl Iterator<Item = Self> {
        reference.map(Self::reference).into_iter().chain(metadata.iter().map(Self::pair))
    }

    pub(super) fn term(&self, terms: &TermsOf) -> i64 {
        terms.term(self.kind, self.value.as_bytes())
    }
}

/// All that one of them is found by.
#[derive(Debug, Default)]
pub struct FoundBy {
    facets: BTreeSet<Facet>,
    /// Of its name.
    words: BTreeSet<String>,
}

impl FoundBy {
    pub(super) fn service(terms: &ServiceTerms) -> Self {
        let kept = Facet::kept(terms.reference.as_ref(), &terms.metadata);
        let facets = kept.chain([Facet::category(&terms.category)]).collect();
        Self { facets, ..Self::default() }
    }

    pub(super) fn resource(profile: &ResourceProfile) -> Self {
        let kind = Facet::resource_kind(profile.kind);
        let kept = Facet::kept(profile.reference.as_ref(), &profile.metadata);
        let facets = profile.tags.iter().map(Facet::tag).chain([kind]).chain(kept).collect();
        Self { facets, ..Self::default() }
    }

    /// By what is open; what is sealed or erased finds nobody.
    pub(super) fn client(contact: &Contact) -> Self {
        let Contact { name, email, phone, reference, metadata, .. } = contact;
        let email = email.as_ref().and_then(Personal::reveal).map(Facet::email);
        let phone = phone.as_ref().and_then(Personal::reveal).map(Facet::phone);
        let reference = reference.as_ref().and_then(Personal::reveal).map(Facet::reference);
        let pairs = metadata.reveal().into_iter().flat_map(Metadata::iter).map(Facet::pair);
        let facets = email.into_iter().chain(phone).chain(reference).chain(pairs).collect();
        let words = name.reveal().map(|name| words(name.as_str())).unwrap_or_default();
        Self { facets, words }
    }

    pub(super) fn terms(&self, terms: &TermsOf) -> Vec<i64> {
        let facets = self.facets.iter().map(|facet| facet.term(terms));
        let words = beginnings(&self.words);
        facets.chain(words.into_iter().map(|(_, chars)| terms.beginning(chars))).collect()
    }

    /// Whether it has one of each of these, and each of those words, or one that begins with it.
    pub(super) fn has<'a>(
        &self,
        facets: &[BTreeSet<Facet>],
        mut words: impl Iterator<Item = &'a str>,
        whole: bool,
    ) -> bool {
        let is = |word: &str, wanted: &str| {
            if whole { word == wanted } else { word.starts_with(wanted) }
        };
        facets.iter().all(|any| !any.is_disjoint(&self.facets))
            && words.all(|wanted| self.words.iter().any(|word| is(word, wanted)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_number_is_the_same_however_it_is_written() {
        let phone = |text: &str| Facet::phone(&Phone::new(text).unwrap());
        assert_eq!(phone("+47 22 00 00 01"), phone("0047-22.00.00.01"));
        assert_eq!(phone("(22) 00 00 01"), phone("22000001"));
        assert_ne!(phone("+47 22 00 00 01"), phone("22 00 00 01"));
    }

    #[test]
    fn an_address_is_the_same_in_any_case() {
        let email = |text: &str| Facet::email(&Email::new(text).unwrap());
        assert_eq!(email("Front.Desk@Example.org"), email("front.desk@example.ORG"));
        assert_eq!(format!("{:?}", email("front.desk@example.org")), "Email(..)");
    }
}
