//! What is searched for.

use std::collections::BTreeSet;
use std::fmt::Debug;

use chrono::{DateTime, Utc};
use daybook_domain::appointment::Status;
use daybook_domain::rights::{Few, Limits};
use daybook_domain::{
    AppointmentId, Category, ClientId, Metadata, Reference, ResourceId, ServiceId, Tags, TenantId,
    folded,
};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::signature::Signature;
use super::terms::{Kind, TermsOf};
use super::words::TitleWords;
use crate::RecordedOrder;
use crate::page::cursor::List;
use crate::within::push_limits;

/// What an appointment must be to be found; each field that is empty lets all through, and of one with several values
/// any will do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchFilter {
    /// It starts at this instant or later. (One that began earlier and still runs is not found.)
    pub from: Option<DateTime<Utc>>,
    /// It starts before this instant.
    pub to: Option<DateTime<Utc>>,
    /// One of these appointments.
    pub ids: Vec<AppointmentId>,
    /// However they are spelt.
    pub categories: Vec<Category>,
    /// Its tags, however they are spelt; none: whatever they are.
    pub tags: Tags,
    /// Whether it needs all of `tags`.
    pub tags_match: TagsMatch,
    /// A hold that has lapsed is cancelled.
    pub statuses: Vec<Status>,
    pub service_ids: Vec<ServiceId>,
    /// It has one of them at least.
    pub resource_ids: Vec<ResourceId>,
    pub client_ids: Vec<ClientId>,
    /// What the caller's own system calls it.
    pub reference: Option<Reference>,
    /// It has all of these pairs.
    pub metadata: Metadata,
    /// The beginnings of words of its title.
    pub title: TitleWords,
    /// Whether they are looked for in personal titles, too: by whom these are told to, or others would find out what they are.
    pub personal_titles: bool,
    /// It lies within these as well, whatever else is asked for.
    pub within: Limits,
}

/// How several tags count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TagsMatch {
    /// It has one of them at least.
    Any,
    /// It has all of them.
    #[default]
    All,
}

/// In which order appointments are given; those that start together, by their id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// The earliest first.
    #[default]
    StartAscending,
    /// The latest first.
    StartDescending,
}

/// A filter as terms: a row that it lets through has all of `all`, one of each of `any`, and in its line
/// of words each of `words`.
#[derive(Debug, Clone, Default)]
pub(super) struct SearchTerms {
    pub(super) all: Vec<i64>,
    pub(super) any: Vec<Vec<i64>>,
    pub(super) words: Vec<String>,
}

impl SearchTerms {
    /// One of several, where any is asked for.
    fn one_of(&mut self, terms: impl Iterator<Item = i64>) {
        // In an order of their own: the list is the same.
        let terms: Vec<i64> = terms.collect::<BTreeSet<_>>().into_iter().collect();
        match terms.as_slice() {
            [] => {}
            [one] => self.all.push(*one),
            _ => self.any.push(terms),
        }
    }
}

impl SearchFilter {
    /// With what stands for each word of the title, where personal ones are looked for, too.
    pub(super) fn search_terms(&self, terms: &TermsOf, word_tokens: &[i64]) -> SearchTerms {
        let mut search_terms = self.asked_terms(terms, word_tokens);
        self.limit(&mut search_terms, terms);
        search_terms
    }

    fn asked_terms(&self, terms: &TermsOf, word_tokens: &[i64]) -> SearchTerms {
        let mut search_terms = SearchTerms::default();
        search_terms.one_of(self.category_terms(terms));
        search_terms.one_of(self.service_terms(terms));
        let clients = self.client_ids.iter().map(|id| id.uuid());
        search_terms.one_of(clients.map(|id| terms.term(Kind::Client, id.as_bytes())));
        let resources = self.resource_ids.iter().map(|id| id.uuid());
        search_terms.one_of(resources.map(|id| terms.term(Kind::Resource, id.as_bytes())));
        search_terms.all.extend(terms.kept(self.reference.as_ref(), &self.metadata));
        let tags = self.tags.iter().map(|tag| terms.word(Kind::Tag, tag.as_str()));
        let tags: Vec<i64> = tags.collect();
        match self.tags_match {
            TagsMatch::Any if tags.len() > 1 => search_terms.any.push(tags),
            _ => search_terms.all.extend(tags),
        }
        if let Some(statuses) = self.stored_statuses() {
            search_terms
                .any
                .push(statuses.into_iter().map(|status| terms.status(status)).collect());
        }
        let beginnings = self.title.iter().map(|word| terms.beginning(word));
        if word_tokens.is_empty() {
            search_terms.all.extend(beginnings);
        } else {
            let either =
                beginnings.zip(word_tokens).map(|(beginning, token)| vec![beginning, *token]);
            search_terms.any.extend(either);
        }
        search_terms.words = self.title.in_lines();
        search_terms
    }

    /// Of locations there are no terms: of them, columns alone decide.
    fn limit(&self, search_terms: &mut SearchTerms, terms: &TermsOf) {
        // Nor of an appointment itself.
        let Limits { resource_ids, categories, client_id, locations: _, appointment_id: _ } =
            &self.within;
        let resources = resource_ids.iter().flat_map(Few::iter);
        search_terms.one_of(resources.map(|id| terms.term(Kind::Resource, id.uuid().as_bytes())));
        let categories = categories.iter().flat_map(Few::iter);
        search_terms.one_of(categories.map(|it| terms.word(Kind::Category, it.as_str())));
        let client = client_id.map(|id| terms.term(Kind::Client, id.uuid().as_bytes()));
        search_terms.one_of(client.into_iter());
    }

    pub(super) fn asks_for_personal_titles(&self) -> bool {
        self.personal_titles && !self.title.is_empty()
    }

    fn category_terms(&self, terms: &TermsOf) -> impl Iterator<Item = i64> {
        self.categories.iter().map(|it| terms.word(Kind::Category, it.as_str()))
    }

    fn service_terms(&self, terms: &TermsOf) -> impl Iterator<Item = i64> {
        self.service_ids.iter().map(|id| terms.term(Kind::Service, id.uuid().as_bytes()))
    }

    /// The filter itself, on the columns of a row, without the words of the title.
    pub(super) fn push_conditions<'q>(
        &'q self,
        sql: &mut QueryBuilder<'q, Postgres>,
        now: DateTime<Utc>,
    ) {
        if !self.ids.is_empty() {
            let ids: Vec<Uuid> = self.ids.iter().map(|id| id.uuid()).collect();
            sql.push(" AND appointment_id = ANY(").push_bind(ids).push(")");
        }
        if !self.categories.is_empty() {
            let categories = self.categories.iter().map(|it| folded(it.as_str()));
            sql.push(" AND folded_category = ANY(");
            sql.push_bind(categories.collect::<Vec<_>>()).push(")");
        }
        if !self.service_ids.is_empty() {
            let ids: Vec<Uuid> = self.service_ids.iter().map(|id| id.uuid()).collect();
            sql.push(" AND service_id = ANY(").push_bind(ids).push(")");
        }
        if !self.client_ids.is_empty() {
            let ids: Vec<Uuid> = self.client_ids.iter().map(|id| id.uuid()).collect();
            sql.push(" AND client_id = ANY(").push_bind(ids).push(")");
        }
        if !self.resource_ids.is_empty() {
            let ids: Vec<Uuid> = self.resource_ids.iter().map(|id| id.uuid()).collect();
            sql.push(" AND resource_ids && ").push_bind(ids);
        }
        if let Some(reference) = &self.reference {
            sql.push(" AND reference = ").push_bind(reference.as_str());
        }
        for (key, value) in self.metadata.iter() {
            sql.push(" AND metadata ->> ").push_bind(key.as_str());
            sql.push(" = ").push_bind(value.as_str());
        }
        let tags: Vec<String> = self.tags.iter().map(|tag| folded(tag.as_str())).collect();
        if !tags.is_empty() {
            sql.push(match self.tags_match {
                TagsMatch::Any => " AND folded_tags && ",
                TagsMatch::All => " AND folded_tags @> ",
            });
            sql.push_bind(tags);
        }
        push_limits(&self.within, "", sql);
        if let Some(statuses) = self.shown_statuses() {
            let statuses: Vec<&str> = statuses.into_iter().map(Status::as_str).collect();
            sql.push(" AND CASE WHEN status = 'held' AND hold_expires_at <= ").push_bind(now);
            sql.push(" THEN 'cancelled' ELSE status END = ANY(").push_bind(statuses).push(")");
        }
    }

    /// Parties of whom all appointments that it lets through have one; those with the fewest, as far as can be told.
    /// None: it asks for none.
    pub(super) fn parties(&self) -> BTreeSet<Uuid> {
        let clients: BTreeSet<Uuid> = self.client_ids.iter().map(|id| id.uuid()).collect();
        if !clients.is_empty() {
            return clients;
        }
        let Limits { resource_ids, client_id, .. } = &self.within;
        if let Some(id) = client_id {
            return BTreeSet::from([id.uuid()]);
        }
        let asked: BTreeSet<Uuid> = self.resource_ids.iter().map(|id| id.uuid()).collect();
        if asked.is_empty() {
            resource_ids.iter().flat_map(Few::iter).map(|id| id.uuid()).collect()
        } else {
            asked
        }
    }

    /// What is in the signature of a row that it lets through: of each of these, one at least.
    pub(super) fn signatures(&self, terms: &TermsOf, word_tokens: &[i64]) -> Vec<Vec<Signature>> {
        let categories: Vec<_> = self.category_terms(terms).map(Signature::of).collect();
        let services: Vec<_> = self.service_terms(terms).map(Signature::of).collect();
        let tags = self.tags.iter().map(|tag| terms.word(Kind::Tag, tag.as_str()));
        let (any_tag, each_tag): (Vec<_>, Vec<_>) =
            tags.partition(|_| self.tags_match == TagsMatch::Any);
        let tags = each_tag.into_iter().map(Signature::of);
        let words =
            self.title.iter().map(|word| Signature::of_beginning(terms.signed_beginning(word)));
        let of_tokens = word_tokens.iter().copied().map(Signature::of_beginning);
        let (words, either): (Vec<_>, Vec<_>) = if word_tokens.is_empty() {
            (words.collect(), Vec::new())
        } else {
            (Vec::new(), words.zip(of_tokens).map(|(word, token)| vec![word, token]).collect())
        };
        // Of what has one value only, all bits are asked for at once.
        let (one, several): (Vec<_>, Vec<_>) =
            [categories, services].into_iter().partition(|any| any.len() == 1);
        let pairs = terms.pairs(&self.metadata).map(Signature::of_pair);
        let each = one.into_iter().flatten().chain(tags).chain(pairs).chain(words).collect();
        let statuses = self.stored_statuses().unwrap_or_default();
        let statuses =
            statuses.into_iter().map(|status| Signature::of(terms.status(status))).collect();
        let all = [vec![each], any_tag.into_iter().map(Signature::of).collect(), statuses];
        let all = all.into_iter().chain(several).chain(either);
        all.filter(|any| !any.is_empty() && *any != [Signature::default()]).collect()
    }

    /// The statuses as they are asked for; `None`: any.
    pub(super) fn shown_statuses(&self) -> Option<Vec<Status>> {
        let asked: Vec<Status> =
            Status::ALL.into_iter().filter(|status| self.statuses.contains(status)).collect();
        (!asked.is_empty() && asked.len() < Status::ALL.len()).then_some(asked)
    }

    /// The statuses that rows may have that show as one that is asked for.
    pub(super) fn stored_statuses(&self) -> Option<Vec<Status>> {
        let mut stored = self.shown_statuses()?;
        if stored.contains(&Status::Cancelled) && !stored.contains(&Status::Held) {
            stored.push(Status::Held);
        }
        Some(stored)
    }

    /// Which list of appointments it is.
    pub(super) fn list(&self, tenant: &TenantId, sort: Sort) -> List {
        self.list_in(tenant, sort)
    }

    /// The same, in the order in which they were made or changed.
    pub(super) fn recorded_list(&self, tenant: &TenantId, order: RecordedOrder) -> List {
        self.list_in(tenant, order)
    }

    fn list_in(&self, tenant: &TenantId, order: impl Debug) -> List {
        let search_terms = self.asked_terms(&TermsOf::new(tenant), &[]);
        let micros = |bound: Option<DateTime<Utc>>| bound.map(|at| at.timestamp_micros());
        let tags_match = (self.tags.iter().count() > 1).then_some(self.tags_match);
        let days = (micros(self.from), micros(self.to));
        let list = List::of(
            tenant,
            "appointments",
            &(order, days, &self.ids, self.shown_statuses(), tags_match, search_terms),
        );
        list.within(&self.within)
    }
}
