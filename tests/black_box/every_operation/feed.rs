//! Whatever happens is told as the AsyncAPI document says; and that document is a valid one.

use std::process::Command;

use serde_json::{Value, json};

use super::house::House;
use super::{operations, send};
use crate::clients::{ran, workshop};
use crate::harness::Server;

#[test]
fn every_event_is_told_as_the_document_of_the_feed_says() {
    let house = House::new();
    for operation in operations().iter().filter(|operation| !operation.is_get()) {
        send(&house, operation, "");
    }
    let key = Server::shared().database.key(&house.practice.tenant, "admin");
    let workshop = workshop(&["feed.mjs"]);
    let mut node = Command::new("node");
    node.arg(workshop.path().join("feed.mjs")).args([&Server::shared().url, &key]);
    let said: Value = serde_json::from_str(ran(&mut node).trim()).unwrap();
    assert_eq!(said["found"], json!([]), "what the parser finds in the document");
    assert_eq!(said["channels"], json!(["/v1/events/stream"]));
    assert_eq!(said["wrong"], json!([]));
    assert_eq!(said["takes_anything"], false, "what is broken is not taken for right");
    let seen = said["seen"].as_array().unwrap();
    assert!(seen.len() > 20, "{seen:?}");
    assert!(said["examples"].as_u64() > Some(40), "{}", said["examples"]);
    for name in seen {
        assert!(said["described"].as_array().unwrap().contains(name), "{name}");
    }
}
