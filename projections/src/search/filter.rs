//! What is searched for.

use chrono::{DateTime, Utc};
use daybook_domain::appointment::Status;
use daybook_domain::{Category, ClientId, ResourceId, ServiceId, Tags, TenantId, folded};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::signature::Signature;
use super::terms::{Kind, TermsOf};
use super::words::TitleWords;
use crate::page::cursor::List;

/// What an appointment must be to be found; each field that is not given lets all through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchFilter {
    /// It starts at this instant or later. (One that began earlier and still runs is not found.)
    pub from: Option<DateTime<Utc>>,
    /// It starts before this instant.
    pub to: Option<DateTime<Utc>>,
    /// However it is spelt.
    pub category: Option<Category>,
    /// Its tags, however they are spelt; none: whatever they are.
    pub tags: Tags,
    /// Whether it needs all of `tags`.
    pub tags_match: TagsMatch,
    /// One of these; none: whatever it is. A hold that has lapsed is cancelled.
    pub statuses: Vec<Status>,
    pub service_id: Option<ServiceId>,
    /// One of its resources.
    pub resource_id: Option<ResourceId>,
    pub client_id: Option<ClientId>,
    /// The beginnings of words of its title.
    pub title: TitleWords,
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

impl SearchFilter {
    pub(super) fn search_terms(&self, terms: &TermsOf) -> SearchTerms {
        let mut search_terms = SearchTerms::default();
        if let Some(category) = &self.category {
            search_terms.all.push(terms.word(Kind::Category, category.as_str()));
        }
        if let Some(id) = self.service_id {
            search_terms.all.push(terms.term(Kind::Service, id.uuid().as_bytes()));
        }
        if let Some(id) = self.client_id {
            search_terms.all.push(terms.term(Kind::Client, id.uuid().as_bytes()));
        }
        if let Some(id) = self.resource_id {
            search_terms.all.push(terms.term(Kind::Resource, id.uuid().as_bytes()));
        }
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
        search_terms.all.extend(self.title.iter().map(|word| terms.beginning(word)));
        search_terms.words = self.title.in_lines();
        search_terms
    }

    /// The filter itself, on the columns of a row, without the words of the title.
    pub(super) fn push_conditions<'q>(
        &'q self,
        sql: &mut QueryBuilder<'q, Postgres>,
        now: DateTime<Utc>,
    ) {
        if let Some(category) = &self.category {
            sql.push(" AND folded_category = ").push_bind(folded(category.as_str()));
        }
        if let Some(id) = self.service_id {
            sql.push(" AND service_id = ").push_bind(id.uuid());
        }
        if let Some(id) = self.client_id {
            sql.push(" AND client_id = ").push_bind(id.uuid());
        }
        if let Some(id) = self.resource_id {
            sql.push(" AND resource_ids @> ").push_bind(vec![id.uuid()]);
        }
        let tags: Vec<String> = self.tags.iter().map(|tag| folded(tag.as_str())).collect();
        if !tags.is_empty() {
            sql.push(match self.tags_match {
                TagsMatch::Any => " AND folded_tags && ",
                TagsMatch::All => " AND folded_tags @> ",
            });
            sql.push_bind(tags);
        }
        if let Some(statuses) = self.shown_statuses() {
            let statuses: Vec<&str> = statuses.into_iter().map(Status::as_str).collect();
            sql.push(" AND CASE WHEN status = 'held' AND hold_expires_at <= ").push_bind(now);
            sql.push(" THEN 'cancelled' ELSE status END = ANY(").push_bind(statuses).push(")");
        }
    }

    /// The party that all appointments it lets through have; the one with the fewest, as far as can be told.
    pub(super) fn party(&self) -> Option<Uuid> {
        let client = self.client_id.map(ClientId::uuid);
        let resource = self.resource_id.map(ResourceId::uuid);
        client.or(resource)
    }

    /// What is in the signature of a row that it lets through: of each of these, one at least.
    pub(super) fn signatures(&self, terms: &TermsOf) -> Vec<Vec<Signature>> {
        let category = self.category.iter();
        let category = category.map(|it| terms.word(Kind::Category, it.as_str()));
        let service = self.service_id.iter();
        let service = service.map(|id| terms.term(Kind::Service, id.uuid().as_bytes()));
        let tags = self.tags.iter().map(|tag| terms.word(Kind::Tag, tag.as_str()));
        let (any_tag, each_tag): (Vec<_>, Vec<_>) =
            tags.partition(|_| self.tags_match == TagsMatch::Any);
        let known = category.chain(service).chain(each_tag).map(Signature::of);
        let words =
            self.title.iter().map(|word| Signature::of_beginning(terms.signed_beginning(word)));
        let each = known.chain(words).collect();
        let statuses = self.stored_statuses().unwrap_or_default();
        let statuses =
            statuses.into_iter().map(|status| Signature::of(terms.status(status))).collect();
        let all = [vec![each], any_tag.into_iter().map(Signature::of).collect(), statuses];
        all.into_iter().filter(|any| !any.is_empty() && *any != [Signature::default()]).collect()
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
        let search_terms = self.search_terms(&TermsOf::new(tenant));
        let micros = |bound: Option<DateTime<Utc>>| bound.map(|at| at.timestamp_micros());
        let tags_match = (self.tags.iter().count() > 1).then_some(self.tags_match);
        let days = (micros(self.from), micros(self.to));
        List::of(
            tenant,
            "appointments",
            &(sort, days, self.shown_statuses(), tags_match, search_terms),
        )
    }
}
