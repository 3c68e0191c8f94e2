//! Of each route, the dearest request that is allowed. A route without one ends the run.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use chrono::TimeDelta;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::house::{House, ROOMS, instant, many_holidays, many_windows, roles};
use crate::catalogue;

/// A request that is not sent yet.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    method: &'static str,
    path: String,
    body: Option<String>,
    media_type: &'static str,
    key: Option<String>,
    address: Option<SocketAddr>,
    /// Beside a success: the dearest request may be one that is given up, or decided and refused.
    or_status: &'static [u16],
}

impl Asked {
    fn new(method: &'static str, path: &str, body: Option<String>) -> Self {
        let path = path.to_owned();
        let media_type = "application/json";
        Self { method, path, body, media_type, key: None, address: None, or_status: &[] }
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path, None)
    }

    pub(crate) fn patch(path: &str, body: &Value) -> Self {
        Self::new("PATCH", path, Some(body.to_string()))
    }

    pub(crate) fn post(path: &str, body: &Value) -> Self {
        Self::new("POST", path, Some(body.to_string()))
    }

    pub(crate) fn put(path: &str, body: &Value) -> Self {
        Self::new("PUT", path, Some(body.to_string()))
    }

    fn calendar(path: &str, text: String) -> Self {
        Self { media_type: "text/calendar", ..Self::new("POST", path, Some(text)) }
    }

    fn delete(path: &str) -> Self {
        Self::new("DELETE", path, None)
    }

    /// It asks for so much that it may be given up.
    fn or_refused(self) -> Self {
        Self { or_status: &[422, 503], ..self }
    }

    pub(crate) fn may_be_answered(&self, status: u16) -> bool {
        (200..300).contains(&status) || self.or_status.contains(&status)
    }

    pub(crate) fn without_key(self) -> Self {
        self
    }

    /// By whoever has this key, unless it is said already by whom.
    pub(crate) fn by(self, key: &str) -> Self {
        Self { key: self.key.or_else(|| Some(key.to_owned())), ..self }
    }

    /// As it is sent.
    pub(crate) fn to(&self, address: SocketAddr) -> String {
        let Self { method, path, .. } = self;
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\n");
        if let Some(key) = &self.key {
            request.extend(["authorization: Bearer ", key, "\r\n"]);
        }
        if let Some(body) = &self.body {
            let length = body.len().to_string();
            let media_type = self.media_type;
            request.extend(["content-type: ", media_type, "\r\ncontent-length: ", &length, "\r\n"]);
        }
        request + "\r\n" + self.body.as_deref().unwrap_or_default()
    }

    pub(crate) fn bytes(&self) -> String {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        self.to(self.address.unwrap_or(nowhere))
    }
}

/// Makes a request, and what it needs first.
pub(crate) type Request = fn(Arc<House>) -> BoxFuture<'static, anyhow::Result<Asked>>;

/// The request of a route.
pub(crate) fn of(route: &str) -> anyhow::Result<Request> {
    let found = REQUESTS.iter().find(|(known, _)| *known == route);
    let (_, request) = found.with_context(|| {
        format!("{route} has no dearest request: add one to bench/src/dearest/requests.rs")
    })?;
    Ok(*request)
}

/// A request of a house: `house` is that, and what comes before the request makes what it needs.
macro_rules! requests {
    ($($route:literal => |$house:ident| $asked:expr;)+) => {
        pub(crate) const REQUESTS: &[(&str, Request)] = &[$((
            $route,
            |$house| {
                async move {
                    let asked: Asked = $asked;
                    anyhow::Ok(Asked { address: Some($house.address), ..asked.by(&$house.key) })
                }
                .boxed()
            },
        ),)+];
    };
}

requests! {
    "GET /livez" => |house| Asked::get("/livez");
    "GET /readyz" => |house| Asked::get("/readyz");
    // A client can ask for a week of one resource; the whole of it is shown.
    "GET /v1/agenda" => |house| {
        Asked::get(&agenda(&house, "/v1/agenda", "&expand=service&expand=resources"))
    };
    "GET /v1/agenda/diff" => |house| Asked::get(&agenda(&house, "/v1/agenda/diff", "&from=position:1"));
    // The beginnings of words that many titles have, in no order that an index has.
    "GET /v1/appointments" => |house| {
        let (from, to) = (house.date(0), house.date(600));
        Asked::get(&format!("/v1/appointments?limit=200&from={from}&to={to}&tz=UTC&status=booked&tags=adult&tags=urgent\
            &tags_match=any&q=kn%20sh&sort=-start_at&expand=client&expand=service&expand=resources"))
    };
    "POST /v1/appointments" => |house| {
        let body = json!({
            "service_id": house.crew, "client_id": catalogue::client(3),
            "start_at": instant(house.next_start()), "note": "n".repeat(4_000),
        });
        Asked::post("/v1/appointments", &body).or_conflict()
    };
    "GET /v1/appointments/{id}" => |house| {
        let id = house.booked().await?;
        Asked::get(&format!("/v1/appointments/{id}"))
    };
    "POST /v1/appointments/{id}/accept-conflict" => |house| {
        // Nothing is in conflict: it is decided and refused.
        act(&house, "accept-conflict", &json!({"reason": "r".repeat(500)})).await?.or_conflict()
    };
    "POST /v1/appointments/{id}/cancel" => |house| {
        act(&house, "cancel", &json!({"reason": "r".repeat(500)})).await?
    };
    "POST /v1/appointments/{id}/check-in" => |house| act(&house, "check-in", &json!({})).await?.or_conflict();
    "POST /v1/appointments/{id}/complete" => |house| act(&house, "complete", &json!({})).await?.or_conflict();
    "GET /v1/appointments/{id}/diff" => |house| {
        let id = house.booked().await?;
        Asked::get(&format!("/v1/appointments/{id}/diff?from=position:1"))
    };
    "GET /v1/appointments/{id}/events" => |house| {
        let id = house.booked().await?;
        for n in 0..40 {
            let tag = json!({"tags": [format!("tag {n}")]});
            house.done(Asked::patch(&format!("/v1/appointments/{id}"), &tag)).await?;
        }
        Asked::get(&format!("/v1/appointments/{id}/events"))
    };
    "POST /v1/appointments/{id}/no-show" => |house| act(&house, "no-show", &json!({})).await?.or_conflict();
    "POST /v1/appointments/{id}/reassign" => |house| {
        let (from, to) = (catalogue::resource(0), catalogue::resource(1));
        act(&house, "reassign", &json!({"from_resource_id": from, "to_resource_id": to})).await?.or_conflict()
    };
    "POST /v1/appointments/{id}/reschedule" => |house| {
        act(&house, "reschedule", &json!({"start_at": instant(house.next_start())})).await?
    };
    "PATCH /v1/appointments/{id}" => |house| {
        let tags: Vec<_> = (0..20).map(|n| format!("{n} {}", "t".repeat(40))).collect();
        let patch = json!({"tags": tags, "title": "t".repeat(300), "note": "n".repeat(16_000)});
        Asked::patch(&format!("/v1/appointments/{}", house.booked().await?), &patch)
    };
    "POST /v1/appointments:batch" => |house| {
        // A room in which there is nothing yet, and notes as long as 2 MiB of a batch allow.
        let room = house.a_room(&json!({})).await?;
        let booking = || {
            let mut booking = house.a_booking();
            booking["resource_ids"] = json!([room]);
            booking["note"] = json!("n".repeat(3_900));
            booking
        };
        let items: Vec<_> = (0..500).map(|_| booking()).collect();
        Asked::post("/v1/appointments:batch", &json!({"items": items, "atomic": true}))
    };
    // Every minute of three months, in each of as many rooms as are looked at.
    "GET /v1/availability" => |house| {
        Asked::get(&availability(&house, "")).or_refused()
    };
    // Sixteen roles, of which two can be filled by one and the same room only: nothing is ever found.
    "POST /v1/availability/search" => |house| Asked::post("/v1/availability/search", &search(&house)).or_refused();
    "GET /v1/clients" => |house| Asked::get("/v1/clients?limit=200&q=c&sort=-updated_at");
    // As many as there may be of a page, by a word that all have.
    "POST /v1/clients/search" => |house| Asked::post("/v1/clients/search?limit=200", &json!({"name": "client"}));
    "POST /v1/clients" => |house| Asked::post("/v1/clients", &contact());
    "GET /v1/clients/{id}" => |house| Asked::get(&format!("/v1/clients/{}", catalogue::client(0)));
    "PATCH /v1/clients/{id}" => |house| {
        Asked::patch(&format!("/v1/clients/{}", catalogue::client(5)), &contact())
    };
    "POST /v1/clients/{id}/erase" => |house| {
        let id = new_client(&house).await?;
        Asked::post(&format!("/v1/clients/{id}/erase"), &json!({"reason": "requested"}))
    };
    "GET /v1/clients/{id}/history" => |house| {
        Asked::get(&format!("/v1/clients/{}/history?limit=200", catalogue::client(0)))
    };
    "GET /v1/clients/{id}/personal-data" => |house| {
        let path = format!("/v1/clients/{}/personal-data", catalogue::client(0));
        Asked::get(&path).at_its_own_pace()
    };
    "GET /v1/tenant/retention" => |house| Asked::get("/v1/tenant/retention?days=1&limit=200");
    "GET /v1/clients/{id}/privacy" => |house| {
        Asked::get(&format!("/v1/clients/{}/privacy", catalogue::client(0)))
    };
    "POST /v1/clients/{id}/restrict" => |house| {
        let id = new_client(&house).await?;
        Asked::post(&format!("/v1/clients/{id}/restrict"), &json!({"reason": "objection-pending"}))
    };
    "POST /v1/clients/{id}/lift-restriction" => |house| {
        let id = new_client(&house).await?;
        Asked::post(&format!("/v1/clients/{id}/lift-restriction"), &json!({}))
    };
    "POST /v1/clients/{id}/place-legal-hold" => |house| {
        let id = new_client(&house).await?;
        Asked::post(&format!("/v1/clients/{id}/place-legal-hold"), &json!({"reason": "legal-claim"}))
    };
    "POST /v1/clients/{id}/release-legal-hold" => |house| {
        let id = new_client(&house).await?;
        Asked::post(&format!("/v1/clients/{id}/release-legal-hold"), &json!({}))
    };
    "POST /v1/appointments/{id}/links" => |house| {
        let id = house.booked().await?;
        Asked::post(&format!("/v1/appointments/{id}/links"), &json!({}))
    };
    "GET /v1/appointments/{id}/links" => |house| {
        Asked::get(&format!("/v1/appointments/{}/links", house.booked().await?))
    };
    "GET /v1/appointments/{id}/reminders" => |house| {
        Asked::get(&format!("/v1/appointments/{}/reminders?limit=200", house.booked().await?))
    };
    "POST /v1/appointments/{id}/links/{link_id}/revoke" => |house| {
        let links = format!("/v1/appointments/{}/links", house.booked().await?);
        let link = house.made(Asked::post(&links, &json!({}))).await?;
        Asked::post(&format!("{links}/{link}/revoke"), &json!({}))
    };
    "GET /v1/conflicts" => |house| Asked::get("/v1/conflicts?limit=200");
    // Of a category that nothing has: as much as one request reads is looked at closely.
    "GET /v1/events" => |house| {
        Asked::get(&format!("/v1/events?limit=1000&aggregate_type=resource&after={}", after_seed(&house)))
    };
    "GET /v1/events/export" => |house| Asked::get("/v1/events/export?format=parquet").at_its_own_pace();
    "GET /v1/events/stream" => |house| {
        Asked::get(&format!("/v1/events/stream?after={}", after_seed(&house))).at_its_own_pace()
    };
    "POST /v1/holds" => |house| {
        let mut body = house.a_booking();
        body["client_id"] = json!(new_client(&house).await?);
        Asked::post("/v1/holds", &body)
    };
    "DELETE /v1/holds/{id}" => |house| Asked::delete(&format!("/v1/holds/{}", held(&house).await?));
    "POST /v1/holds/{id}/confirm" => |house| {
        Asked::post(&format!("/v1/holds/{}/confirm", held(&house).await?), &json!({}))
    };
    // As many events as 32 MiB have room for, of which each is looked at: what can be booked is decided by the log.
    "POST /v1/imports" => |house| {
        let path = format!("/v1/imports?dry_run=true&resource={}", house.own_room);
        Asked::calendar(&path, house.a_calendar(MOST_EVENTS))
    };
    // A report with as many refusals as it names.
    "GET /v1/imports/{id}" => |house| {
        let text = house.a_calendar(2_000).replace("DTSTART", "X-NO-START");
        let path = format!("/v1/imports?resource={}", house.own_room);
        let id = house.made(Asked::calendar(&path, text)).await?;
        Asked::get(&format!("/v1/imports/{id}"))
    };
    "GET /v1/browser-sessions" => |house| {
        for _ in 0..50 {
            house.made(Asked::post("/v1/browser-sessions", &json!({}))).await?;
        }
        Asked::get("/v1/browser-sessions")
    };
    "POST /v1/browser-sessions" => |house| Asked::post("/v1/browser-sessions", &json!({}));
    "DELETE /v1/browser-sessions/{id}" => |house| {
        let session = house.made(Asked::post("/v1/browser-sessions", &json!({}))).await?;
        Asked::delete(&format!("/v1/browser-sessions/{session}"))
    };
    // As many as there can be, each with as many grants as it can have.
    "GET /v1/issuers" => |house| {
        for _ in 0..18 {
            new_issuer(&house).await?;
        }
        Asked::get("/v1/issuers")
    };
    "POST /v1/issuers" => |house| Asked::post("/v1/issuers?dry_run=true", &an_issuer());
    "GET /v1/issuers/{id}" => |house| {
        let issuer = new_issuer(&house).await?;
        Asked::get(&format!("/v1/issuers/{issuer}"))
    };
    "DELETE /v1/issuers/{id}" => |house| {
        let issuer = new_issuer(&house).await?;
        Asked::delete(&format!("/v1/issuers/{issuer}"))
    };
    // As many as there can be, each with as much as it can ask for.
    "GET /v1/webhooks" => |house| {
        for _ in 0..18 {
            new_webhook(&house).await?;
        }
        Asked::get("/v1/webhooks")
    };
    "POST /v1/webhooks" => |house| Asked::post("/v1/webhooks?dry_run=true", &a_webhook());
    "GET /v1/webhooks/{id}" => |house| {
        Asked::get(&format!("/v1/webhooks/{}", new_webhook(&house).await?))
    };
    "PATCH /v1/webhooks/{id}" => |house| {
        let webhook = new_webhook(&house).await?;
        Asked::patch(&format!("/v1/webhooks/{webhook}"), &json!({"active": false}))
    };
    "DELETE /v1/webhooks/{id}" => |house| {
        Asked::delete(&format!("/v1/webhooks/{}", new_webhook(&house).await?))
    };
    "POST /v1/webhooks/{id}/replay" => |house| {
        let webhook = new_webhook(&house).await?;
        Asked::post(&format!("/v1/webhooks/{webhook}/replay"), &json!({"after": 0}))
    };
    "POST /v1/webhooks/{id}/rotate-secret" => |house| {
        let webhook = new_webhook(&house).await?;
        Asked::post(&format!("/v1/webhooks/{webhook}/rotate-secret"), &json!({}))
    };
    "GET /v1/webhooks/{id}/deliveries" => |house| {
        Asked::get(&format!("/v1/webhooks/{}/deliveries", new_webhook(&house).await?))
    };
    // As many as there can be, with the one of the others.
    "GET /v1/templates" => |house| {
        for n in 0..99 {
            new_template(&house, &format!("nb-{n}")).await?;
        }
        Asked::get("/v1/templates")
    };
    "GET /v1/templates/{kind}/{language}" => |house| {
        Asked::get(&new_template(&house, "nb").await?)
    };
    "PUT /v1/templates/{kind}/{language}" => |house| {
        Asked::put("/v1/templates/reminder/nb?dry_run=true", &a_template())
    };
    "DELETE /v1/templates/{kind}/{language}" => |house| {
        Asked::delete(&new_template(&house, "nb").await?)
    };
    "POST /v1/templates/preview" => |house| {
        let body = json!({"kind": "reminder", "template": a_template()});
        Asked::post("/v1/templates/preview", &body)
    };
    // As many as there can be.
    "GET /v1/calendar-feeds" => |house| {
        for _ in 0..200 {
            new_calendar_feed(&house).await?;
        }
        Asked::get("/v1/calendar-feeds")
    };
    "POST /v1/calendar-feeds" => |house| {
        Asked::post("/v1/calendar-feeds?dry_run=true", &a_calendar_feed())
    };
    "GET /v1/calendar-feeds/{id}" => |house| {
        Asked::get(&format!("/v1/calendar-feeds/{}", new_calendar_feed(&house).await?))
    };
    "POST /v1/calendar-feeds/{id}/rotate" => |house| {
        let feed = new_calendar_feed(&house).await?;
        Asked::post(&format!("/v1/calendar-feeds/{feed}/rotate"), &json!({}))
    };
    "DELETE /v1/calendar-feeds/{id}" => |house| {
        Asked::delete(&format!("/v1/calendar-feeds/{}", new_calendar_feed(&house).await?))
    };
    "GET /v1/keys" => |house| {
        for _ in 0..200 {
            new_key(&house).await?;
        }
        Asked::get("/v1/keys")
    };
    "POST /v1/keys" => |house| Asked::post("/v1/keys", &a_key());
    "GET /v1/keys/{id}" => |house| Asked::get(&format!("/v1/keys/{}", new_key(&house).await?));
    "POST /v1/keys/{id}/revoke" => |house| {
        Asked::post(&format!("/v1/keys/{}/revoke", new_key(&house).await?), &json!({}))
    };
    "POST /v1/keys/{id}/rotate" => |house| {
        Asked::post(&format!("/v1/keys/{}/rotate", new_key(&house).await?), &json!({}))
    };
    // Of a kind that is rare, among thousands that are looked at.
    "GET /v1/audit" => |house| {
        for _ in 0..200 {
            new_key(&house).await?;
        }
        Asked::get("/v1/audit?kind=erasure-begun&limit=200")
    };
    "GET /v1/audit/export" => |house| {
        for _ in 0..200 {
            new_key(&house).await?;
        }
        Asked::get("/v1/audit/export").at_its_own_pace()
    };
    "GET /v1/programs" => |house| Asked::get("/v1/programs").by(&house.operator_key);
    "GET /v1/projections" => |house| Asked::get("/v1/projections");
    "POST /v1/projections/{name}/rebuild" => |house| {
        // The rebuild itself is the program's own work, which makes room for others.
        Asked::post("/v1/projections/nothing/rebuild", &json!({})).by(&house.operator_key).or_missing()
    };
    "GET /v1/resources" => |house| Asked::get("/v1/resources?limit=200");
    "POST /v1/resources" => |house| Asked::post("/v1/resources", &fussy_room());
    "GET /v1/resources/{id}" => |house| Asked::get(&format!("/v1/resources/{}", house.fussy_room));
    "PATCH /v1/resources/{id}" => |house| {
        let path = format!("/v1/resources/{}?dry_run=true", house.crowded_room);
        Asked::patch(&path, &json!({"weekly_hours": many_windows()}))
    };
    "POST /v1/resources/{id}/exceptions" => |house| {
        let days = json!({"first": house.date(0), "last": house.date(300)});
        let body = json!({"kind": "time-off", "days": days, "reason": "r".repeat(500)});
        Asked::post(&format!("/v1/resources/{}/exceptions?dry_run=true", house.crowded_room), &body)
    };
    "GET /v1/resources/{id}/exceptions/{exception_id}" => |house| {
        let id = exception(&house).await?;
        Asked::get(&format!("/v1/resources/{}/exceptions/{id}", house.fussy_room))
    };
    "DELETE /v1/resources/{id}/exceptions/{exception_id}" => |house| {
        let id = exception(&house).await?;
        Asked::delete(&format!("/v1/resources/{}/exceptions/{id}", house.fussy_room))
    };
    "PUT /v1/resources/{id}/holidays" => |house| {
        let path = format!("/v1/resources/{}/holidays?dry_run=true", house.crowded_room);
        Asked::put(&path, &many_holidays(99))
    };
    "GET /v1/resources/{id}/opening-hours" => |house| {
        let (from, to) = (house.date(0), house.date(91));
        Asked::get(&format!("/v1/resources/{}/opening-hours?from={from}&to={to}", house.fussy_room))
    };
    "POST /v1/resources/{id}/retire" => |house| {
        Asked::post(&format!("/v1/resources/{}/retire?dry_run=true", house.crowded_room), &json!({}))
    };
    "POST /v1/series" => |house| house.a_series(366);
    "GET /v1/series/{id}" => |house| Asked::get(&format!("/v1/series/{}", house.series));
    "POST /v1/series/{id}/cancel" => |house| {
        let id = house.made(house.a_series(366)).await?;
        Asked::post(&format!("/v1/series/{id}/cancel"), &json!({"scope": "all"}))
    };
    "POST /v1/series/{id}/reschedule" => |house| {
        let id = house.made(house.a_series(366)).await?;
        let time = house.next_start().format("%H:%M").to_string();
        Asked::post(&format!("/v1/series/{id}/reschedule"), &json!({"scope": "all", "time": time}))
    };
    "GET /v1/services" => |house| Asked::get("/v1/services?limit=200");
    "POST /v1/services" => |house| Asked::post("/v1/services", &crew());
    "GET /v1/services/{id}" => |house| Asked::get(&format!("/v1/services/{}", house.crew));
    "POST /v1/services/{id}/retire" => |house| {
        let id = house.made(Asked::post("/v1/services", &crew())).await?;
        Asked::post(&format!("/v1/services/{id}/retire"), &json!({}))
    };
    "PATCH /v1/services/{id}" => |house| {
        let id = house.made(Asked::post("/v1/services", &crew())).await?;
        let mut body = crew();
        body["name"] = json!("Another name");
        Asked::patch(&format!("/v1/services/{id}"), &body)
    };
    "GET /v1/sessions" => |house| Asked::get("/v1/sessions?limit=200&expand=service&expand=resources");
    "POST /v1/sessions" => |house| {
        let body = json!({
            "service_id": house.class, "resource_ids": (200..216).map(catalogue::resource).collect::<Vec<_>>(),
            "start_at": instant(house.next_start() + TimeDelta::days(800)),
        });
        Asked::post("/v1/sessions", &body).or_conflict()
    };
    "GET /v1/sessions/{id}" => |house| Asked::get(&format!("/v1/sessions/{}", house.session));
    "GET /v1/sessions/{id}/appointments" => |house| Asked::get(&format!("/v1/sessions/{}/appointments", house.session));
    "POST /v1/sessions/{id}/appointments" => |house| {
        let client = new_client(&house).await?;
        Asked::post(&format!("/v1/sessions/{}/appointments", house.session), &json!({"client_id": client})).or_conflict()
    };
    "POST /v1/sessions/{id}/cancel" => |house| {
        let id = full_session(&house, 20).await?;
        Asked::post(&format!("/v1/sessions/{id}/cancel"), &json!({}))
    };
    "POST /v1/sessions/{id}/holds" => |house| {
        let client = new_client(&house).await?;
        Asked::post(&format!("/v1/sessions/{}/holds", house.session), &json!({"client_id": client})).or_conflict()
    };
    "POST /v1/sessions/{id}/reschedule" => |house| {
        let id = full_session(&house, 20).await?;
        Asked::post(&format!("/v1/sessions/{id}/reschedule"), &json!({"start_at": instant(house.day(40))}))
    };
    "GET /v1/reminders" => |house| Asked::get("/v1/reminders?limit=200");
    "POST /v1/reminders/{id}/resend" => |house| {
        // Nothing is planned: it is looked for.
        Asked::post(&format!("/v1/reminders/{}/resend", uuid::Uuid::now_v7()), &json!({})).or_missing()
    };
    "GET /v1/tenant/settings" => |house| Asked::get("/v1/tenant/settings");
    "PUT /v1/tenant/settings" => |house| Asked::put("/v1/tenant/settings", &json!({}));
    "GET /v1/utilisation" => |house| {
        // Nearly as many days as have the bookings that figures are added up of.
        let (from, to) = (house.date(0), house.date(140));
        Asked::get(&format!("/v1/utilisation?from={from}&to={to}&group_by=resource,service,category&limit=200"))
    };
    "GET /v1/waiting-list" => |house| Asked::get("/v1/waiting-list?limit=200");
    "POST /v1/waiting-list" => |house| join(&house).await?.or_conflict();
    "GET /v1/waiting-list/{id}" => |house| {
        let id = house.made(join(&house).await?).await?;
        Asked::get(&format!("/v1/waiting-list/{id}"))
    };
    "DELETE /v1/waiting-list/{id}" => |house| {
        let id = house.made(join(&house).await?).await?;
        Asked::delete(&format!("/v1/waiting-list/{id}"))
    };
}

impl Asked {
    /// Decided, and refused for what others have done.
    fn or_conflict(self) -> Self {
        Self { or_status: &[409, 422], ..self }
    }

    fn or_missing(self) -> Self {
        Self { or_status: &[404], ..self }
    }

    /// Its answer comes as fast as it is read.
    fn at_its_own_pace(self) -> Self {
        self
    }
}

fn agenda(house: &House, path: &str, more: &str) -> String {
    format!("{path}?resource_id={}&date={}&view=week{more}", house.crowded_room, house.date(10))
}

fn availability(house: &House, more: &str) -> String {
    let rooms: Vec<_> =
        (0..ROOMS).map(|n| format!("&resource_id={}", catalogue::resource(n))).collect();
    // As many days as have the bookings that are looked at.
    let (from, to, rooms) = (house.date(0), house.date(54), rooms.concat());
    format!(
        "/v1/availability?duration_minutes=1&from={from}&to={to}&tz=UTC&step_minutes=1&by=resource&limit=100{rooms}{more}"
    )
}

fn search(house: &House) -> Value {
    let mut roles = roles();
    for n in [14, 15] {
        roles[n]["among"] = json!([catalogue::resource(0)]);
    }
    json!({
        "roles": roles, "duration_minutes": 1, "step_minutes": 1, "from": house.date(0), "to": house.date(91),
        "time_zone": "UTC", "limit": 10_000,
    })
}

fn crew() -> Value {
    json!({"name": "A crew", "category": "visit", "duration_minutes": 1, "needs": roles()})
}

fn contact() -> Value {
    json!({"name": "n".repeat(200), "notes": "n".repeat(4_000)})
}

fn fussy_room() -> Value {
    json!({"name": "A room", "kind": "equipment", "time_zone": "UTC", "weekly_hours": many_windows()})
}

async fn act(house: &House, action: &str, body: &Value) -> anyhow::Result<Asked> {
    let id = house.booked().await?;
    Ok(Asked::post(&format!("/v1/appointments/{id}/{action}"), body))
}

fn a_key() -> Value {
    json!({"name": "n".repeat(200), "scopes": ["availability", "appointments", "book"]})
}

async fn new_key(house: &House) -> anyhow::Result<String> {
    house.made(Asked::post("/v1/keys", &a_key())).await
}

/// No two have one audience.
fn an_issuer() -> Value {
    let grant = json!({"claim": "c".repeat(200), "value": "v".repeat(200), "scopes": ["book"]});
    json!({"issuer": "https://login.example.org", "audience": uuid::Uuid::now_v7().to_string(),
           "algorithms": ["RS256"], "grants": vec![grant; 50]})
}

async fn new_issuer(house: &House) -> anyhow::Result<String> {
    house.made(Asked::post("/v1/issuers", &an_issuer())).await
}

fn a_webhook() -> Value {
    let url = format!("https://example.org/{}", "a".repeat(900));
    json!({"url": url, "categories": vec!["c".repeat(80); 50], "active": false})
}

async fn new_webhook(house: &House) -> anyhow::Result<String> {
    house.made(Asked::post("/v1/webhooks", &a_webhook())).await
}

/// As large as can be.
fn a_template() -> Value {
    let text = "{{ client.name }} {% if appointment.location %}x{% endif %}".repeat(270);
    json!({"subject": "Hello", "text": text})
}

/// Its path.
async fn new_template(house: &House, language: &str) -> anyhow::Result<String> {
    let path = format!("/v1/templates/reminder/{language}");
    house.done(Asked::put(&path, &a_template())).await?;
    Ok(path)
}

fn a_calendar_feed() -> Value {
    json!({"name": "A calendar", "limits": {"categories": vec!["c".repeat(80)]}, "personal": "told"})
}

async fn new_calendar_feed(house: &House) -> anyhow::Result<String> {
    house.made(Asked::post("/v1/calendar-feeds", &a_calendar_feed())).await
}

async fn new_client(house: &House) -> anyhow::Result<String> {
    house.made(Asked::post("/v1/clients", &json!({"name": "A client"}))).await
}

async fn held(house: &House) -> anyhow::Result<String> {
    let mut body = house.a_booking();
    body["client_id"] = json!(new_client(house).await?);
    house.made(Asked::post("/v1/holds", &body)).await
}

async fn exception(house: &House) -> anyhow::Result<String> {
    let day = house.date(500);
    let body = json!({"kind": "time-off", "days": {"first": day, "last": day}});
    house.made(Asked::post(&format!("/v1/resources/{}/exceptions", house.fussy_room), &body)).await
}

async fn full_session(house: &House, clients: u64) -> anyhow::Result<String> {
    let session = house.a_session().await?;
    for client in 0..clients {
        let body = json!({"client_id": catalogue::client(client)});
        house.made(Asked::post(&format!("/v1/sessions/{session}/appointments"), &body)).await?;
    }
    Ok(session)
}

async fn join(house: &House) -> anyhow::Result<Asked> {
    let client = new_client(house).await?;
    let body = json!({
        "service_id": house.crew, "client_id": client, "from": house.date(0), "to": house.date(91),
    });
    Ok(Asked::post("/v1/waiting-list", &body))
}

/// A position after what was seeded, from which on resources were changed.
fn after_seed(house: &House) -> u64 {
    house.size.appointments
}

/// In 32 MiB, with what each of them says below.
const MOST_EVENTS: u64 = 175_000;
