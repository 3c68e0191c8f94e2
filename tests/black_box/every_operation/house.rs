//! A practice in which every operation can be carried out, each on something of its own.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::harness::{Api, Practice, Server, date, id_of, monday, utc};

/// How an operation is asked for: its path, with what it must be given, and its body.
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    /// A calendar, where that is the body.
    pub(super) calendar: Option<String>,
}

pub(crate) struct House {
    pub(crate) practice: Practice,
    /// Whoever runs the program.
    pub(crate) operator: Api,
    class: String,
    /// Services of which nothing else is made.
    to_revise: String,
    to_retire: String,
    other_room: String,
    session: String,
    session_to_move: String,
    session_to_cancel: String,
    exception: String,
    series: String,
    series_to_cancel: String,
    entry: String,
    import: String,
    /// Of the appointment that is read, planned.
    reminder: String,
    /// To be looked at, to be revoked and to be rotated.
    keys: [String; 3],
    /// To be looked at, and to be removed.
    issuers: [String; 2],
    /// To be looked at, to be changed and to be removed: of nobody, so that nothing is told.
    webhooks: [String; 3],
    /// To be looked at, to be given another address and to be deleted.
    calendar_feeds: [String; 3],
    /// Of a browser, to be ended.
    browser_session: String,
    /// Of the appointment that is read, to be revoked.
    link: String,
    /// A client who has nothing before them.
    to_erase: String,
    /// Clients of whom what is known is to be kept, of whom one is restricted and one under legal hold.
    to_keep: [String; 3],
    booked: Appointments,
}

/// An appointment for each thing that can be done to one.
struct Appointments {
    to_read: String,
    to_cancel: String,
    to_check_in: String,
    to_complete: String,
    to_miss: String,
    to_reassign: String,
    to_move: String,
    to_change: String,
    in_conflict: String,
    to_confirm: String,
    to_release: String,
}

impl House {
    pub(crate) fn new() -> Self {
        Self::on(Server::shared())
    }

    /// What there is to be done in a new practice on this server.
    pub(crate) fn on(server: &Server) -> Self {
        let practice = Practice::on(server);
        reminds(&practice);
        let book = |hour| id_of(&practice.booked(monday(hour, 0)));
        let hold = |hour| id_of(&practice.booking(monday(hour, 0)).held(60).send().is(201));
        let booked = Appointments {
            to_read: book(0),
            to_cancel: book(1),
            to_check_in: book(2),
            to_complete: book(3),
            to_miss: book(4),
            to_reassign: book(5),
            to_move: book(6),
            to_change: book(7),
            in_conflict: in_conflict(&practice),
            to_confirm: hold(8),
            to_release: hold(9),
        };
        let class = practice.a_service(&json!({"session_places": 5}));
        let schedule =
            |hour| practice.created("/v1/sessions", &session(&practice, &class, tuesday(hour)));
        let [session, session_to_move, session_to_cancel] = [9, 10, 11].map(schedule);
        let exceptions = format!("/v1/resources/{}/exceptions", practice.room);
        let off = json!({"kind": "time-off", "days": {"first": date(200), "last": date(200)}});
        let exception = practice.created(&exceptions, &off);
        let series = |hour| practice.created("/v1/series", &a_series(&practice, hour));
        let (series, series_to_cancel) = (series(14), series(15));
        let entry = an_entry(&practice);
        let imports = practice.api.request("POST", "/v1/imports");
        let import = imports.body("text/calendar", a_calendar(date(301))).send().is(201);
        let import = id_of(&import);
        let reminder = a_reminder(&practice, &booked.to_read);
        let key = json!({"name": "Front desk", "scopes": ["availability", "book"]});
        let keys = [(); 3].map(|()| practice.created("/v1/keys", &key));
        let issuers = ["one", "another"]
            .map(|name| practice.created("/v1/issuers", &an_issuer(&practice, name)));
        let webhooks = [(); 3].map(|()| practice.created("/v1/webhooks", &a_webhook()));
        let calendar_feeds =
            [(); 3].map(|()| practice.created("/v1/calendar-feeds", &a_calendar_feed()));
        for path in ["/v1/templates/reminder/nb", "/v1/templates/change/nb"] {
            practice.api.request("PUT", path).json(&a_template()).send().is(200);
        }
        let browser_session = practice.created("/v1/browser-sessions", &json!({}));
        let link = format!("/v1/appointments/{}/links", booked.to_read);
        let link = practice.created(&link, &json!({}));
        let other_room = practice.a_room();
        let to_erase = practice.a_client("No more");
        let to_keep = ["As it is", "Restricted", "Held"].map(|name| practice.a_client(name));
        for (client, action, reason) in [
            (&to_keep[1], "restrict", "objection-pending"),
            (&to_keep[2], "place-legal-hold", "legal-claim"),
        ] {
            let path = format!("/v1/clients/{client}/{action}");
            practice.api.post(&path, &json!({"reason": reason})).send().is(200);
        }
        let [to_revise, to_retire] = [(); 2].map(|()| practice.a_service(&json!({})));
        let operator = server.keyed_operator();
        Self {
            practice,
            operator,
            class,
            to_revise,
            to_retire,
            other_room,
            session,
            session_to_move,
            session_to_cancel,
            exception,
            series,
            series_to_cancel,
            entry,
            import,
            reminder,
            keys,
            issuers,
            webhooks,
            calendar_feeds,
            browser_session,
            link,
            to_erase,
            to_keep,
            booked,
        }
    }

    /// Who asks: what is of all tenants, an operator does.
    pub(super) fn asks(&self, path: &str) -> &Api {
        match path {
            "/v1/programs" | "/v1/projections/{name}/rebuild" => &self.operator,
            _ => &self.practice.api,
        }
    }

    /// How the operation is asked for.
    #[track_caller]
    #[expect(
        clippy::too_many_lines,
        reason = "a table, with a row for each that is asked otherwise"
    )]
    pub(crate) fn asked(&self, method: &str, path: &str) -> Asked {
        let Practice { service, room, client, .. } = &self.practice;
        let (given, body) = match (method, path) {
            ("GET", "/livez" | "/readyz") | ("POST", "/v1/imports" | "/v1/browser-sessions") => {
                (path.to_owned(), None)
            }
            ("GET", _) => (self.read(path), None),
            ("POST", "/v1/clients/search") => {
                (path.to_owned(), Some(json!({"name": "imported calendar"})))
            }
            ("POST", "/v1/availability/search") => {
                let (from, to) = (date(0), date(0));
                let body = json!({"service_id": service, "resource_ids": [room], "from": from,
                                  "to": to});
                (path.to_owned(), Some(body))
            }
            ("PUT", "/v1/tenant/settings") => {
                (path.to_owned(), Some(json!({"offer_minutes": 20, "waiting_list": 900})))
            }
            ("POST", "/v1/keys") => {
                let body = json!({"name": "Kiosk", "scopes": ["availability"],
                                  "expires_at": utc(monday(0, 0))});
                (path.to_owned(), Some(body))
            }
            ("POST", "/v1/issuers") => (path.to_owned(), Some(an_issuer(&self.practice, "new"))),
            ("DELETE", "/v1/issuers/{id}") => (path.replace("{id}", &self.issuers[1]), None),
            ("POST", "/v1/webhooks") => (path.to_owned(), Some(a_webhook())),
            (_, path) if path.starts_with("/v1/webhooks") => {
                let (id, body) = match (method, path.rsplit('/').next()) {
                    ("DELETE", _) => (&self.webhooks[2], None),
                    (_, Some("replay")) => (&self.webhooks[1], Some(json!({"after": 1}))),
                    (_, Some("rotate-secret")) => {
                        (&self.webhooks[1], Some(json!({"overlap_hours": 48})))
                    }
                    _ => (&self.webhooks[1], Some(json!({"event_types": ["ClientRegistered"]}))),
                };
                (path.replace("{id}", id), body)
            }
            ("POST", "/v1/templates/preview") => {
                (path.to_owned(), Some(json!({"kind": "reminder", "language": "nb"})))
            }
            (_, path) if path.starts_with("/v1/templates") => match method {
                "DELETE" => ("/v1/templates/change/nb".to_owned(), None),
                _ => ("/v1/templates/reminder/nb".to_owned(), Some(a_template())),
            },
            ("POST", "/v1/calendar-feeds") => (path.to_owned(), Some(a_calendar_feed())),
            ("POST", "/v1/calendar-feeds/{id}/rotate") => {
                (path.replace("{id}", &self.calendar_feeds[1]), None)
            }
            ("DELETE", "/v1/calendar-feeds/{id}") => {
                (path.replace("{id}", &self.calendar_feeds[2]), None)
            }
            ("DELETE", "/v1/browser-sessions/{id}") => {
                (path.replace("{id}", &self.browser_session), None)
            }
            ("POST", "/v1/keys/{id}/revoke") => (path.replace("{id}", &self.keys[1]), None),
            ("POST", "/v1/keys/{id}/rotate") => {
                (path.replace("{id}", &self.keys[2]), Some(json!({"overlap_hours": 48})))
            }
            ("POST", "/v1/projections/{name}/rebuild") => {
                ("/v1/projections/sessions/rebuild".to_owned(), None)
            }
            (_, path) if path.starts_with("/v1/services") => {
                let terms = json!({"name": "S", "category": "c", "duration_minutes": 30});
                let retires = path.ends_with("/retire");
                let id = if retires { &self.to_retire } else { &self.to_revise };
                (path.replace("{id}", id), Some(if retires { json!({}) } else { terms }))
            }
            (_, path) if path.starts_with("/v1/resources") => {
                let path = path.replace("{id}", &self.other_room_for(path));
                let path = path.replace("{exception_id}", &self.exception);
                let body = match method {
                    "DELETE" => None,
                    "PATCH" => Some(json!({"capacity": 2})),
                    _ => Some(resource_body(&path)),
                };
                (path, body)
            }
            ("POST", "/v1/clients/{id}/erase") => {
                (path.replace("{id}", &self.to_erase), Some(json!({"reason": "requested"})))
            }
            ("POST", path) if path.starts_with("/v1/clients/{id}/") => {
                let [free, restricted, held] = &self.to_keep;
                let (id, body) = match path.rsplit('/').next() {
                    Some("restrict") => (free, json!({"reason": "accuracy-contested"})),
                    Some("place-legal-hold") => (free, json!({"reason": "legal-claim"})),
                    Some("lift-restriction") => (restricted, json!({})),
                    _ => (held, json!({})),
                };
                (path.replace("{id}", id), Some(body))
            }
            (_, path) if path.starts_with("/v1/clients") => {
                (path.replace("{id}", client), Some(json!({"name": "One more"})))
            }
            (_, path) if path.starts_with("/v1/sessions") => {
                let (id, body) = match path.rsplit('/').next() {
                    Some("sessions") => {
                        (&self.session, session(&self.practice, &self.class, tuesday(12)))
                    }
                    Some("reschedule") => {
                        (&self.session_to_move, json!({"start_at": utc(tuesday(13))}))
                    }
                    Some("cancel") => (&self.session_to_cancel, json!({"reason": "Ill"})),
                    _ => (&self.session, json!({"client_id": client})),
                };
                (path.replace("{id}", id), Some(body))
            }
            (_, path) if path.starts_with("/v1/series") => {
                let (id, body) = match path.rsplit('/').next() {
                    Some("series") => (&self.series, a_series(&self.practice, 16)),
                    Some("reschedule") => (&self.series, json!({"scope": "all", "time": "17:00"})),
                    _ => (&self.series_to_cancel, json!({"scope": "all"})),
                };
                (path.replace("{id}", id), Some(body))
            }
            ("POST", "/v1/reminders/{id}/resend") => {
                (path.replace("{id}", &self.reminder), Some(json!({})))
            }
            ("DELETE", "/v1/waiting-list/{id}") => (path.replace("{id}", &self.entry), None),
            ("POST", "/v1/waiting-list") => {
                let body = json!({"service_id": service, "client_id": client, "resource_ids": [room],
                                  "from": date(100), "to": date(100)});
                (path.to_owned(), Some(body))
            }
            _ => self.of_an_appointment(method, path),
        };
        assert!(!given.contains('{'), "{method} {path} is not known here");
        let calendar = (path == "/v1/imports").then(|| a_calendar(date(300)));
        Asked { path: given, body, calendar }
    }

    /// What is asked of a room: of the practice's own what an exception is removed from, else of the other.
    fn other_room_for(&self, path: &str) -> String {
        let own = path.contains("{exception_id}");
        if own { self.practice.room.clone() } else { self.other_room.clone() }
    }

    fn of_an_appointment(&self, method: &str, path: &str) -> (String, Option<Value>) {
        let booking = |hour| self.practice.booking(monday(hour, 0)).body;
        let at = |id: &str| path.replace("{id}", id);
        let booked = &self.booked;
        match (method, path) {
            ("POST", "/v1/appointments") => (path.to_owned(), Some(booking(20))),
            ("POST", "/v1/appointments:batch") => {
                (path.to_owned(), Some(json!({"items": [booking(21), booking(22)]})))
            }
            ("POST", "/v1/holds") => (path.to_owned(), Some(booking(23))),
            ("POST", "/v1/holds/{id}/confirm") => (at(&booked.to_confirm), None),
            ("DELETE", "/v1/holds/{id}") => (at(&booked.to_release), None),
            ("POST", "/v1/appointments/{id}/links") => {
                (at(&booked.to_read), Some(json!({"actions": ["see", "cancel"]})))
            }
            ("POST", "/v1/appointments/{id}/links/{link_id}/revoke") => {
                (at(&booked.to_read).replace("{link_id}", &self.link), None)
            }
            _ => {
                let (id, body) = match path.rsplit('/').next() {
                    Some("accept-conflict") => (&booked.in_conflict, json!({"reason": "Agreed"})),
                    Some("cancel") => (&booked.to_cancel, json!({})),
                    Some("check-in") => (&booked.to_check_in, json!({})),
                    Some("complete") => (&booked.to_complete, json!({})),
                    Some("no-show") => (&booked.to_miss, json!({})),
                    Some("reassign") => {
                        let (from, to) = (&self.practice.room, &self.other_room);
                        (
                            &booked.to_reassign,
                            json!({"from_resource_id": from, "to_resource_id": to}),
                        )
                    }
                    Some("reschedule") => {
                        (&booked.to_move, json!({"start_at": utc(monday(19, 0))}))
                    }
                    _ if method == "PATCH" => (&booked.to_change, json!({"category": "other"})),
                    _ => panic!("{method} {path} is not known here"),
                };
                (at(id), Some(body))
            }
        }
    }

    /// The path of a GET, with the parameters that it must have.
    fn read(&self, path: &str) -> String {
        let Practice { service, room, client, .. } = &self.practice;
        let day = date(0);
        let days = format!("from={day}&to={day}");
        match path {
            "/v1/agenda" => format!("{path}?resource_id={room}&date={day}"),
            "/v1/agenda/diff" => {
                format!("{path}?resource_id={room}&date={day}&from=position:1")
            }
            "/v1/availability" => format!("{path}?service_id={service}&resource_id={room}&{days}"),
            "/v1/utilisation" => format!("{path}?{days}"),
            "/v1/audit" => format!("{path}?kind=key-made"),
            "/v1/templates/{kind}/{language}" => "/v1/templates/reminder/nb".to_owned(),
            "/v1/tenant/retention" => format!("{path}?days=1095"),
            "/v1/resources/{id}/opening-hours" => {
                format!("{}?{days}", path.replace("{id}", room))
            }
            "/v1/appointments/{id}/diff" => {
                format!("{}?from=position:1", path.replace("{id}", &self.booked.to_read))
            }
            "/v1/events/stream" => format!("{path}?to=2001-01-01"),
            "/v1/resources/{id}/exceptions/{exception_id}" => {
                path.replace("{id}", room).replace("{exception_id}", &self.exception)
            }
            _ => {
                let first = path.split('/').nth(2);
                let id = match first {
                    Some("services") => service,
                    Some("resources") => room,
                    Some("clients") => client,
                    Some("appointments") => &self.booked.to_read,
                    Some("sessions") => &self.session,
                    Some("series") => &self.series,
                    Some("waiting-list") => &self.entry,
                    Some("imports") => &self.import,
                    Some("keys") => &self.keys[0],
                    Some("issuers") => &self.issuers[0],
                    Some("webhooks") => &self.webhooks[0],
                    Some("calendar-feeds") => &self.calendar_feeds[0],
                    _ => "{}",
                };
                path.replace("{id}", id)
            }
        }
    }
}

/// From now on the practice's service reminds its clients.
pub(crate) fn reminds(practice: &Practice) {
    let rules = json!([{"before_days": 1, "time": "18:00", "channel": "email"}]);
    let service = format!("/v1/services/{}", practice.service);
    practice.api.patch(&service, &json!({"reminders": rules})).send().is(200);
}

/// The first reminder of an appointment.
pub(crate) fn a_reminder(practice: &Practice, appointment: &str) -> String {
    let head = practice.api.get(&format!("/v1/appointments/{appointment}")).send().position();
    let path = format!("/v1/appointments/{appointment}/reminders?min_position={head}");
    id_of(&practice.api.get(&path).send().is(200)["items"][0])
}

/// No two tenants have one issuer and audience.
fn an_issuer(practice: &Practice, name: &str) -> Value {
    json!({
        "issuer": "https://login.example.org/realms/clinic",
        "audience": format!("https://daybook.example.org/{}/{name}", practice.tenant),
        "algorithms": ["RS256"],
        "grants": [{"claim": "scope", "value": "daybook:read", "scopes": ["availability"]}],
    })
}

/// An endpoint that is left alone.
fn a_webhook() -> Value {
    json!({
        "url": "https://example.org/daybook", "event_types": ["AppointmentBooked"],
        "categories": ["care"], "active": false,
    })
}

/// Of reminders, in Norwegian.
fn a_template() -> Value {
    json!({
        "subject": "{{ appointment.service }} {{ appointment.start.date }}",
        "text": "Hei {{ client.name }},\n\nvi venter deg kl. {{ appointment.start.time }}.\n",
    })
}

/// Of what is seen first.
fn a_calendar_feed() -> Value {
    json!({"name": "Check-ups", "tags": ["first"]})
}

/// A calendar of one whole day.
fn a_calendar(day: NaiveDate) -> String {
    let day = day.format("%Y%m%d");
    format!(
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:{day}\r\nDTSTART;VALUE=DATE:{day}\r\n\
         SUMMARY:A day\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

fn tuesday(hour: u32) -> DateTime<Utc> {
    monday(hour, 0) + TimeDelta::days(1)
}

/// An appointment in a room that is closed since.
fn in_conflict(practice: &Practice) -> String {
    let room = practice.a_room();
    let booking = practice.booking(monday(9, 0)).with("resource_ids", json!([room]));
    let booked = id_of(&booking.send().is(201));
    let path = format!("/v1/resources/{room}");
    practice.api.patch(&path, &json!({"weekly_hours": []})).send().is(200);
    booked
}

fn session(practice: &Practice, class: &str, start: DateTime<Utc>) -> Value {
    json!({"service_id": class, "resource_ids": [practice.room], "start_at": utc(start)})
}

fn a_series(practice: &Practice, hour: u32) -> Value {
    json!({
        "service_id": practice.service, "resource_ids": [practice.room],
        "client_id": practice.client, "dtstart": format!("{}T{hour}:00", date(2)), "time_zone": "UTC",
        "rrule": "FREQ=DAILY;COUNT=3",
    })
}

/// Who waits for a room that is open for one appointment, which somebody else has: nothing will come of it.
fn an_entry(practice: &Practice) -> String {
    let hours = json!([{"days": ["mon"], "from": "09:00", "to": "09:30",
                        "valid_from": date(0), "valid_until": date(0)}]);
    let room = practice.a_resource(&json!({"weekly_hours": hours}));
    let booking = practice.booking(monday(9, 0)).with("resource_ids", json!([room]));
    booking.send().is(201);
    practice.created(
        "/v1/waiting-list",
        &json!({"service_id": practice.service, "client_id": practice.client,
                "resource_ids": [room], "from": date(0), "to": date(0)}),
    )
}

fn resource_body(path: &str) -> Value {
    match path.rsplit('/').next() {
        Some("resources") => {
            json!({"name": "R", "kind": "room", "time_zone": "UTC", "weekly_hours": []})
        }
        Some("exceptions") => {
            json!({"kind": "time-off", "days": {"first": date(201), "last": date(201)}})
        }
        Some("holidays") => json!({"holidays": [{"date": date(202), "name": "A day off"}]}),
        _ => json!({}),
    }
}
