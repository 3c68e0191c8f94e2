//! A practice in which much has happened by chance, and what was answered meanwhile.

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use serde_json::{Value, json};

use crate::harness::{Answer, Practice, a_practice, date, monday, route_of, utc};

/// Everything is on these days, from the Monday on.
pub(super) const DAYS: u64 = 4;

pub(super) const TAGS: [&str; 3] = ["new", "urgent", "remote"];
pub(super) const CATEGORIES: [&str; 2] = ["check-up", "surgery"];
pub(super) const WORDS: [&str; 4] = ["Annual", "Knee", "Check", "Yearly"];

pub(super) struct Past {
    pub(super) practice: Practice,
    pub(super) services: Vec<String>,
    pub(super) rooms: Vec<String>,
    pub(super) clients: Vec<String>,
    pub(super) appointments: Vec<String>,
    class: String,
    sessions: Vec<String>,
    /// Questions, at which position they were asked, and what was answered then.
    pub(super) witnessed: Vec<(String, u64, Value)>,
}

/// What two answers of different moments have in common: not which clock they went by.
pub(super) fn comparable(mut answer: Value) -> Value {
    if let Some(fields) = answer.as_object_mut() {
        fields.remove("at");
    }
    answer
}

fn one_of<'a>(rng: &mut StdRng, all: &'a [String]) -> &'a str {
    all.choose(rng).unwrap()
}

impl Past {
    pub(super) fn by_chance(rng: &mut StdRng, happenings: usize) -> Self {
        let practice = a_practice();
        let services = vec![
            practice.service.clone(),
            practice.a_service(&json!({
                "category": CATEGORIES[1], "buffer_before_minutes": 10, "buffer_after_minutes": 5,
                "duration_minutes": 50, "tags": [],
            })),
        ];
        let rooms = vec![
            practice.room.clone(),
            practice.a_resource(&json!({"capacity": 2})),
            practice.a_resource(&json!({"time_zone": "America/New_York"})),
        ];
        let clients = (0..3).map(|_| practice.a_client("A client")).collect();
        let class = practice.a_service(&json!({"session_places": 4, "duration_minutes": 60}));
        let mut past = Self {
            practice,
            services,
            rooms,
            clients,
            appointments: Vec::new(),
            class,
            sessions: Vec::new(),
            witnessed: Vec::new(),
        };
        let mut head = 0;
        for _ in 0..happenings {
            let answer = past.something_happens(rng);
            if answer.status < 300 {
                // What was so already has happened before.
                head = answer.position().max(head);
                if rng.random_bool(0.8) {
                    past.witness(rng, head);
                }
            }
        }
        past
    }

    fn something_happens(&mut self, rng: &mut StdRng) -> Answer {
        match rng.random_range(0..100) {
            0..45 => self.book(rng),
            45..50 => self.session(rng),
            50..55 => self.join(rng),
            55..58 => self.change_hours(rng),
            58..61 => self.revise(rng),
            _ => self.act(rng),
        }
    }

    fn a_start(rng: &mut StdRng) -> DateTime<Utc> {
        let quarters = i64::try_from(DAYS).unwrap() * 24 * 4;
        monday(0, 0) + TimeDelta::minutes(15 * rng.random_range(0..quarters))
    }

    fn book(&mut self, rng: &mut StdRng) -> Answer {
        let title = format!("{} {}", WORDS.choose(rng).unwrap(), WORDS.choose(rng).unwrap());
        let tags: Vec<&str> = TAGS.into_iter().filter(|_| rng.random_bool(0.4)).collect();
        let mut booking = self
            .practice
            .booking(Self::a_start(rng))
            .with("service_id", one_of(rng, &self.services))
            .with("resource_ids", json!([one_of(rng, &self.rooms)]))
            .with("client_id", one_of(rng, &self.clients))
            .with("title", title)
            .with("tags", tags);
        if rng.random_bool(0.2) {
            booking = booking.held(60);
        }
        let answer = booking.send();
        if answer.status == 201 {
            self.appointments.push(id(&answer));
        }
        answer
    }

    fn session(&mut self, rng: &mut StdRng) -> Answer {
        let room = one_of(rng, &self.rooms);
        let start = utc(Self::a_start(rng));
        let body = json!({"service_id": self.class, "resource_ids": [room], "start_at": start});
        let answer = match self.sessions.choose(rng) {
            Some(session) if rng.random_bool(0.4) => {
                let path = format!("/v1/sessions/{session}");
                let (action, body) = if rng.random_bool(0.5) {
                    ("cancel", json!({}))
                } else {
                    ("reschedule", json!({"start_at": start}))
                };
                return self.practice.api.post(&format!("{path}/{action}"), &body).send();
            }
            _ => self.practice.api.post("/v1/sessions", &body).send(),
        };
        if answer.status == 201 {
            self.sessions.push(id(&answer));
        }
        answer
    }

    fn join(&mut self, rng: &mut StdRng) -> Answer {
        let Some(session) = self.sessions.choose(rng) else { return self.session(rng) };
        let path = format!("/v1/sessions/{session}/appointments");
        let answer =
            self.practice.api.post(&path, &json!({"client_id": one_of(rng, &self.clients)})).send();
        if answer.status == 201 {
            self.appointments.push(id(&answer));
        }
        answer
    }

    fn change_hours(&self, rng: &mut StdRng) -> Answer {
        let path = format!("/v1/resources/{}", one_of(rng, &self.rooms));
        let from = format!("{:02}:00", rng.random_range(0..5));
        let to = format!("{:02}:00", rng.random_range(18..24));
        let days = ["mon", "tue", "wed", "thu", "fri"];
        let hours = json!({"weekly_hours": [{"days": days, "from": from, "to": to}]});
        self.practice.api.patch(&path, &hours).send()
    }

    fn revise(&self, rng: &mut StdRng) -> Answer {
        let path = format!("/v1/services/{}", one_of(rng, &self.services));
        let terms = json!({
            "name": "Revised", "category": CATEGORIES.choose(rng).unwrap(),
            "duration_minutes": rng.random_range(2..8) * 10,
            "buffer_after_minutes": rng.random_range(0..3) * 5,
            "rules": {"slot_step_minutes": *[15, 20, 30].choose(rng).unwrap()},
        });
        self.practice.api.patch(&path, &terms).send()
    }

    fn act(&mut self, rng: &mut StdRng) -> Answer {
        let Some(appointment) = self.appointments.choose(rng) else { return self.book(rng) };
        let (action, body) = match rng.random_range(0..8) {
            0..2 => ("reschedule", json!({"start_at": utc(Self::a_start(rng)), "by": "staff"})),
            2 => ("cancel", json!({"by": "staff"})),
            3 => ("change", json!({"tags": [TAGS.choose(rng).unwrap()], "category": "surgery"})),
            4 => ("check-in", json!({})),
            5 => ("complete", json!({})),
            6 => ("no-show", json!({})),
            _ => ("confirm", json!({})),
        };
        let (method, path) = route_of(appointment, action);
        self.practice.api.request(method, &path).json(&body).send()
    }

    /// Asks, and writes the answer down.
    fn witness(&mut self, rng: &mut StdRng, position: u64) {
        let (room, service) = (one_of(rng, &self.rooms), one_of(rng, &self.services));
        let day = date(rng.random_range(0..DAYS));
        let (path, answer) = if rng.random_bool(0.5) {
            let path = format!("/v1/agenda?resource_id={room}&date={day}&view=week");
            let now = format!("{path}&min_position={position}");
            (path, self.practice.api.get(&now).send())
        } else {
            let all = || self.rooms.join("&resource_id=");
            let rooms = if rng.random_bool(0.5) { room.to_owned() } else { all() };
            let each = ["merged", "resource"].choose(rng).unwrap();
            let path = format!(
                "/v1/availability?service_id={service}&resource_id={rooms}&from={day}&to={day}&by={each}"
            );
            (path.clone(), self.practice.api.get(&path).send())
        };
        self.witnessed.push((path, position, comparable(answer.is(200))));
    }
}

fn id(answer: &Answer) -> String {
    answer.json()["id"].as_str().unwrap().to_owned()
}
