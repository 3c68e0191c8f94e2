//! A tenant with all that a booking needs.

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Api, Booking, Server, personal};

/// A tenant with a service, a room and a client, and someone with its admin key.
#[derive(Clone)]
pub(crate) struct Practice {
    pub(crate) tenant: String,
    pub(crate) api: Api,
    /// Half an hour, without buffers; category `check-up`, tags `first` and `short`.
    pub(crate) service: String,
    /// Open around the clock.
    pub(crate) room: String,
    pub(crate) client: String,
}

/// A new practice on the shared server.
pub(crate) fn a_practice() -> Practice {
    Practice::on(Server::shared())
}

/// The name of a tenant that no other test has.
pub(crate) fn a_tenant() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(1);
    format!("practice-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

impl Practice {
    /// A new practice on this server.
    pub(crate) fn on(server: &Server) -> Self {
        Self::of(a_tenant(), server)
    }

    /// The practice of this tenant, which is made if need be.
    pub(crate) fn of(tenant: String, server: &Server) -> Self {
        let api = server.api(Some(server.database.key(&tenant, "admin")));
        let mut practice = Self {
            tenant,
            api,
            service: String::new(),
            room: String::new(),
            client: String::new(),
        };
        practice.service = practice.a_service(&json!({}));
        practice.room = practice.a_room();
        practice.client = practice.a_client(personal::NAME);
        practice
    }

    /// Makes its settings these, and those that are not given what they are by default.
    pub(crate) fn settings(&self, settings: &Value) {
        self.api.request("PUT", "/v1/tenant/settings").json(settings).send().is(200);
    }

    /// The same practice, asked on another server (the same one, started again).
    pub(crate) fn moved_to(&self, server: &Server) -> Self {
        Self { api: self.api.at(&server.url), ..self.clone() }
    }

    /// A service like the practice's own but for these members.
    pub(crate) fn a_service(&self, but: &Value) -> String {
        let body = json!({
            "name": "Check-up", "category": "check-up", "tags": ["first", "short"],
            "duration_minutes": 30,
        });
        self.created("/v1/services", &changed(body, but))
    }

    /// A room that is open around the clock.
    pub(crate) fn a_room(&self) -> String {
        self.a_resource(&json!({}))
    }

    /// A room like the practice's own but for these members.
    pub(crate) fn a_resource(&self, but: &Value) -> String {
        let always = json!([{
            "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
            "from": "00:00", "to": "24:00",
        }]);
        let body =
            json!({"name": "A room", "kind": "room", "time_zone": "UTC", "weekly_hours": always});
        self.created("/v1/resources", &changed(body, but))
    }

    pub(crate) fn a_client(&self, name: &str) -> String {
        personal::is_sent();
        let body = json!({
            "name": name, "email": personal::EMAIL, "phone": personal::PHONE,
            "notes": personal::NOTES,
        });
        self.created("/v1/clients", &body)
    }

    /// The id of what this POST makes.
    #[track_caller]
    pub(crate) fn created(&self, path: &str, body: &Value) -> String {
        id_of(&self.api.post(path, body).send().is(201))
    }

    /// A booking of the practice's service, room and client, not sent yet.
    pub(crate) fn booking(&self, start: DateTime<Utc>) -> Booking<'_> {
        Booking::new(self, start)
    }

    /// The appointment that a booking makes.
    pub(crate) fn booked(&self, start: DateTime<Utc>) -> Value {
        self.booking(start).send().is(201)
    }

    /// The appointment as it is now.
    pub(crate) fn appointment(&self, id: &str) -> Value {
        self.api.get(&format!("/v1/appointments/{id}")).send().is(200)
    }

    /// What is done with an appointment ([`route_of`]).
    pub(crate) fn act(&self, appointment: &Value, action: &str, body: &Value) -> super::Answer {
        let (method, path) = route_of(&id_of(appointment), action);
        self.api.request(method, &path).json(body).send()
    }

    /// `daybook verify` finds nothing wrong with the practice, which is one on the shared server.
    #[track_caller]
    pub(crate) fn is_whole(&self) {
        let said = Server::shared().database.run(&["verify", "--tenant", &self.tenant]).succeeded();
        assert!(said.contains("not whole: 0;"), "{said}");
    }

    /// All appointments that a query finds, through all pages, in the order of the answer.
    #[track_caller]
    pub(crate) fn found(&self, query: &str) -> Vec<Value> {
        self.api.found(query)
    }
}

/// A body with some of its members replaced.
fn changed(mut body: Value, but: &Value) -> Value {
    for (name, value) in but.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

#[track_caller]
pub(crate) fn id_of(body: &Value) -> String {
    body["id"].as_str().unwrap_or_else(|| panic!("no id in {body}")).to_owned()
}

/// How an action on an appointment is asked for: the method and the path. What is confirmed is a hold, and what is said
/// about it is changed by a PATCH.
pub(crate) fn route_of(appointment: &str, action: &str) -> (&'static str, String) {
    match action {
        "change" => ("PATCH", format!("/v1/appointments/{appointment}")),
        "confirm" => ("POST", format!("/v1/holds/{appointment}/confirm")),
        _ => ("POST", format!("/v1/appointments/{appointment}/{action}")),
    }
}
