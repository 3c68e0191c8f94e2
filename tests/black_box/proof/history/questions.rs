//! Questions by chance: what the log says to them, and what is answered.

use chrono::TimeDelta;
use rand::Rng as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use serde_json::{Value, json};

use super::folded::{Known, Log, Then};
use super::past::{CATEGORIES, DAYS, Past, TAGS, WORDS};
use crate::harness::{date, monday, utc};

#[derive(Debug)]
pub(super) enum Question {
    Get {
        id: String,
        then: Then,
    },
    List {
        filter: Filter,
        then: Then,
    },
    /// All that an agenda has of appointments that are in no session.
    Agenda {
        room: String,
        day: u64,
        then: Then,
    },
}

#[derive(Debug, Default)]
pub(super) struct Filter {
    days: Option<(u64, u64)>,
    category: Option<String>,
    tags: Vec<&'static str>,
    any_tag: bool,
    statuses: Vec<&'static str>,
    service: Option<String>,
    room: Option<String>,
    client: Option<String>,
    word: Option<&'static str>,
    descending: bool,
    limit: usize,
}

impl Question {
    pub(super) fn by_chance(rng: &mut StdRng, past: &Past, log: &Log) -> Self {
        let then = a_moment(rng, log);
        match rng.random_range(0..10) {
            0..3 => Self::Get { id: past.appointments.choose(rng).unwrap().clone(), then },
            3..5 => {
                let room = past.rooms.choose(rng).unwrap().clone();
                Self::Agenda { room, day: rng.random_range(0..DAYS), then }
            }
            _ => Self::List { filter: Filter::by_chance(rng, past), then },
        }
    }

    pub(super) fn list_by_chance(rng: &mut StdRng, past: &Past, log: &Log) -> Self {
        Self::List { filter: Filter::by_chance(rng, past), then: a_moment(rng, log) }
    }

    /// What the log says: each appointment as text, in order.
    pub(super) fn expected(&self, log: &Log) -> Vec<String> {
        match self {
            Self::Get { id, then } => {
                log.appointments(then).get(id).map(|known| said(id, known)).into_iter().collect()
            }
            Self::List { filter, then } => {
                let mut all: Vec<(String, Known)> = log.appointments(then).into_iter().collect();
                all.retain(|(_, known)| filter.lets_through(known));
                all.sort_by_key(|(id, known)| (known.instant("start_at"), id.clone()));
                if filter.descending {
                    all.reverse();
                }
                all.iter().map(|(id, known)| said(id, known)).collect()
            }
            Self::Agenda { room, day, then } => {
                let mut all: Vec<(String, Known)> = log.appointments(then).into_iter().collect();
                let from = monday(0, 0) + TimeDelta::days(i64::try_from(*day).unwrap());
                all.retain(|(_, known)| {
                    let gone = ["cancelled", "no-show"].contains(&&*known.status);
                    known.uses(room)
                        && !gone
                        && known.slot().get("session_id").is_none()
                        && known.instant("end_at") > from
                        && known.instant("start_at") < from + TimeDelta::days(1)
                });
                all.sort_by_key(|(id, known)| (known.instant("start_at"), id.clone()));
                all.iter().map(|(id, known)| said(id, known)).collect()
            }
        }
    }

    /// What is answered.
    pub(super) fn answered(&self, past: &Past) -> Vec<String> {
        let api = &past.practice.api;
        match self {
            Self::Get { id, then } => {
                let path = format!("/v1/appointments/{id}?as_of={}", then.named);
                let answer = api.get(&path).send();
                if answer.status == 404 {
                    answer.is_refused(404, "not-found");
                    return Vec::new();
                }
                assert_eq!(answer.position(), then.position as u64, "{path}");
                vec![shown(&answer.is(200))]
            }
            Self::List { filter, then } => {
                let query = format!("{}as_of={}", filter.query(), then.named);
                api.found(&query).iter().map(shown).collect()
            }
            Self::Agenda { room, day, then } => {
                let day = date(*day);
                let query = format!("resource_id={room}&date={day}&tz=UTC&as_of={}", then.named);
                let answer = api.get(&format!("/v1/agenda?{query}")).send();
                if answer.status == 404 {
                    return Vec::new();
                }
                let agenda = answer.is(200);
                let items = agenda["items"].as_array().unwrap().iter();
                items.filter(|item| item["kind"] == "appointment").map(shown).collect()
            }
        }
    }
}

/// The first letters of a word.
fn beginning(word: &str) -> String {
    word.chars().take(2).collect()
}

/// A position, or an instant: just when something was recorded, or just before.
fn a_moment(rng: &mut StdRng, log: &Log) -> Then {
    let then = log.at_position(rng.random_range(1..=log.len()));
    if rng.random_bool(0.5) {
        return then;
    }
    let before = TimeDelta::microseconds(rng.random_range(0..2));
    log.at_instant(then.at - before)
}

/// An appointment of an answer.
fn shown(item: &Value) -> String {
    let fields = ["id", "status", "version", "start_at", "end_at", "title", "category", "tags"]
        .map(|field| item[field].clone());
    let more = ["resource_ids", "client_id", "service_id"].map(|field| item[field].clone());
    json!([fields, more]).to_string()
}

/// The same, of an appointment of the log.
fn said(id: &str, known: &Known) -> String {
    let details = &known.details;
    let fields = json!([
        id,
        known.status,
        known.version,
        utc(known.instant("start_at")),
        utc(known.instant("end_at")),
        details["title"],
        details["category"],
        details["tags"],
    ]);
    let more = json!([known.slot()["resource_ids"], details["client_id"], details["service_id"]]);
    json!([fields, more]).to_string()
}

impl Filter {
    fn by_chance(rng: &mut StdRng, past: &Past) -> Self {
        let mut filter = Self {
            any_tag: rng.random_bool(0.5),
            descending: rng.random_bool(0.5),
            limit: *[1, 5, 50, 200].choose(rng).unwrap(),
            ..Self::default()
        };
        for _ in 0..rng.random_range(0..4) {
            match rng.random_range(0..8) {
                0 => {
                    let from = rng.random_range(0..DAYS);
                    filter.days = Some((from, rng.random_range(from..DAYS)));
                }
                1 => filter.category = Some((*CATEGORIES.choose(rng).unwrap()).to_owned()),
                2 => filter.tags = TAGS.into_iter().filter(|_| rng.random_bool(0.5)).collect(),
                3 => {
                    let all = ["held", "booked", "checked-in", "fulfilled", "cancelled", "no-show"];
                    filter.statuses = all.into_iter().filter(|_| rng.random_bool(0.4)).collect();
                }
                4 => filter.service = past.services.choose(rng).cloned(),
                5 => filter.room = past.rooms.choose(rng).cloned(),
                6 => filter.client = past.clients.choose(rng).cloned(),
                _ => filter.word = WORDS.choose(rng).copied(),
            }
        }
        filter
    }

    fn query(&self) -> String {
        let mut query = format!("limit={}&tz=UTC&", self.limit);
        let mut with = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                query.extend([name, "=", &value, "&"]);
            }
        };
        with("from", self.days.map(|(from, _)| date(from).to_string()));
        with("to", self.days.map(|(_, to)| date(to).to_string()));
        with("category", self.category.clone());
        with("tags", (!self.tags.is_empty()).then(|| self.tags.join("&tags=")));
        with("tags_match", self.any_tag.then(|| "any".to_owned()));
        with("status", (!self.statuses.is_empty()).then(|| self.statuses.join("&status=")));
        with("service_id", self.service.clone());
        with("resource_id", self.room.clone());
        with("client_id", self.client.clone());
        with("q", self.word.map(beginning));
        with("sort", self.descending.then(|| "-start_at".to_owned()));
        query
    }

    fn lets_through(&self, known: &Known) -> bool {
        let details = &known.details;
        let is = |asked: &Option<String>, field: &str| {
            asked.as_ref().is_none_or(|asked| details[field] == **asked)
        };
        let day = known.instant("start_at").date_naive();
        let has = |tag: &&str| details["tags"].as_array().unwrap().iter().any(|it| it == tag);
        let tags = if self.any_tag {
            self.tags.is_empty() || self.tags.iter().any(has)
        } else {
            self.tags.iter().all(has)
        };
        let title = details["title"].as_str().unwrap().to_lowercase();
        let word = self.word.is_none_or(|word| {
            let beginning = beginning(word).to_lowercase();
            title.split(' ').any(|word| word.starts_with(&beginning))
        });
        self.days.is_none_or(|(from, to)| (date(from)..=date(to)).contains(&day))
            && is(&self.category, "category")
            && is(&self.service, "service_id")
            && is(&self.client, "client_id")
            && self.room.as_ref().is_none_or(|room| known.uses(room))
            && (self.statuses.is_empty() || self.statuses.contains(&&*known.status))
            && tags
            && word
    }
}
