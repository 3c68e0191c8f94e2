//! A booking that is being put together.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Answer, Api, Practice, Request, utc};

/// A booking that is not sent yet.
#[derive(Clone)]
pub(crate) struct Booking<'a> {
    practice: &'a Practice,
    pub(crate) body: Value,
    idempotency_key: Option<String>,
    path: &'static str,
}

impl<'a> Booking<'a> {
    pub(super) fn new(practice: &'a Practice, start: DateTime<Utc>) -> Self {
        let body = json!({
            "service_id": practice.service,
            "resource_ids": [practice.room],
            "client_id": practice.client,
            "start_at": utc(start),
        });
        Self { practice, body, idempotency_key: None, path: "/v1/appointments" }
    }

    /// With this member of the body added or replaced.
    pub(crate) fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.body[member] = value.into();
        self
    }

    /// Without this member.
    pub(crate) fn without(mut self, member: &str) -> Self {
        self.body.as_object_mut().unwrap().remove(member);
        self
    }

    /// Held for so many minutes instead.
    pub(crate) fn held(self, minutes: u32) -> Self {
        Self { path: "/v1/holds", ..self.with("ttl_minutes", minutes) }
    }

    pub(crate) fn idempotency_key(mut self, key: &str) -> Self {
        self.idempotency_key = Some(key.to_owned());
        self
    }

    pub(crate) fn request(&self) -> Request {
        self.request_of(&self.practice.api)
    }

    /// The same request, by somebody else.
    pub(crate) fn request_of(&self, api: &Api) -> Request {
        let request = api.post(self.path, &self.body);
        match &self.idempotency_key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        }
    }

    pub(crate) fn send(&self) -> Answer {
        self.request().send()
    }
}
