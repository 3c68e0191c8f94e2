//! A booking over HTTP.

use std::net::SocketAddr;

use anyhow::ensure;
use chrono::SecondsFormat;
use serde_json::json;

use super::client::{Answer, Connection};
use crate::calendar::{Slot, drawn};
use crate::catalogue::{self, Size};

/// What all bookings with this key begin with.
pub(crate) fn head(address: SocketAddr, key: &str) -> String {
    format!(
        "POST /v1/appointments HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\n"
    )
}

/// Books a slot, which must be free.
pub(crate) async fn book(
    connection: &mut Connection,
    head: &str,
    slot: Slot,
    size: Size,
) -> anyhow::Result<Answer> {
    let (one, other) = (drawn(slot.number), drawn(!slot.number));
    let mut body = json!({
        "service_id": catalogue::service(catalogue::service_of(slot)),
        "resource_ids": [catalogue::resource(slot.resource)],
        "client_id": catalogue::client(catalogue::client_of(slot, size)),
        "start_at": slot.start.to_rfc3339_opts(SecondsFormat::Secs, true),
        "title": catalogue::title(slot.number),
    });
    if size.noted {
        body["note"] = json!(catalogue::NOTE);
    }
    let body = body.to_string();
    let request = format!(
        "{head}idempotency-key: {one:016x}{other:016x}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = connection.ask(request.as_bytes()).await?;
    ensure!(answer.status == 201, "{}: {}", answer.status, answer.body);
    Ok(answer)
}
