//! What clients are reminded of in the tenant's own words.

use super::Reminding;
use crate::harness::personal;
use crate::templates::{a_template, put};

#[test]
fn a_client_is_reminded_in_the_tenants_words() {
    let reminding = Reminding::new();
    let template = a_template("{{ appointment.service }}", "See you, {{ client.name }}!");
    put(&reminding.practice, "reminder/default", &template).is(200);
    let client = reminding.client("one@example.org");
    reminding.booked(&client, 3);
    let [mail] = reminding.relay.has(1, "one@example.org").try_into().unwrap();
    assert_eq!(mail.text("subject"), "Check-up");
    let said = format!("See you, {}!", personal::NAME);
    assert!(mail.text("text").starts_with(&said), "{mail:?}");
    assert_eq!(mail.0["html"], serde_json::Value::Null, "{mail:?}");
}
