//! `GET /v1/clients/{id}/history`

use serde_json::{Value, json};

use crate::harness::{Practice, a_practice, date, id_of, monday, utc};

fn history(practice: &Practice, query: &str) -> Value {
    let path = format!("/v1/clients/{}/history?{query}", practice.client);
    practice.api.get(&path).send().is(200)
}

#[test]
fn a_client_sees_what_became_of_each_appointment_and_what_they_come_to() {
    let practice = a_practice();
    // Until five weeks before: that is over for all of these.
    let strict =
        practice.a_service(&json!({"rules": {"cancellation_window_minutes": 60 * 24 * 35}}));
    let [first, second, missed, moved] = [9, 10, 11, 12].map(|hour| {
        practice.booking(monday(hour, 0)).with("service_id", json!(strict)).send().is(201)
    });
    let other = practice.a_client("Another client");
    practice.booking(monday(13, 0)).with("client_id", json!(other)).send().is(201);
    let late = json!({"by": "client", "override": {"reason": "A private reason"}});
    practice.act(&first, "cancel", &late).is(200);
    practice.act(&second, "check-in", &json!({})).is(200);
    practice.act(&missed, "no-show", &json!({})).is(200);
    let tuesday =
        json!({"start_at": utc(monday(8, 0) + chrono::TimeDelta::days(1)), "by": "staff"});
    practice.act(&moved, "reschedule", &tuesday).is(200);
    let held = practice.booking(monday(14, 0)).held(60).send().is(201);
    let last = practice.act(&held, "cancel", &json!({"by": "client"}));
    last.is(200);

    let found = history(&practice, &format!("min_position={}", last.position()));
    let counts = ["booked", "kept", "cancelled", "late_cancellations", "no_shows"];
    assert_eq!(counts.map(|name| found[name].as_u64().unwrap()), [4, 1, 1, 1, 1]);
    assert_eq!(found["first_start_at"], second["start_at"]);
    assert_eq!(found["last_start_at"], tuesday["start_at"]);
    let items = found["items"].as_array().unwrap();
    let became: Vec<_> =
        items.iter().map(|it| (&it["id"], it["status"].as_str().unwrap())).collect();
    let expected = [
        (&first["id"], "cancelled"),
        (&second["id"], "checked-in"),
        (&missed["id"], "no-show"),
        (&held["id"], "cancelled"),
        (&moved["id"], "booked"),
    ];
    assert_eq!(became, expected);
    assert_eq!(
        (&items[0]["cancelled"]["by"], &items[0]["cancelled"]["late"]),
        (&json!("client"), &json!(true))
    );
    assert_eq!((&items[4]["times_moved"], items[3].get("booked_at")), (&json!(1), None));
    assert!(!found.to_string().contains("private"), "{found}");

    let tuesdays = history(&practice, &format!("from={}", date(1)));
    assert_eq!((tuesdays["items"].as_array().unwrap().len(), &tuesdays["booked"]), (1, &json!(4)));
}

#[test]
fn a_history_comes_in_pages_and_only_of_clients_that_there_are() {
    let practice = a_practice();
    let mut position = 0;
    for hour in 9..14 {
        position = practice.booking(monday(hour, 0)).send().position();
    }
    let path = format!("/v1/clients/{}/history", practice.client);
    let (mut found, mut next) = (Vec::new(), format!("{path}?limit=2&min_position={position}"));
    loop {
        let answer = practice.api.get(&next).send();
        let page = answer.is(200);
        found.extend(page["items"].as_array().unwrap().iter().map(id_of));
        let Some(link) = answer.header("link") else { break };
        next = link.split(['<', '>']).nth(1).unwrap().to_owned();
        assert!(next.contains("cursor="), "{next}");
    }
    assert_eq!(found.len(), 5);
    let nobody = "/v1/clients/01890000-0000-7000-8000-000000000000/history";
    practice.api.get(nobody).send().is_refused(404, "not-found");
    let refused = |query: &str, slug: &str| {
        practice.api.get(&format!("{path}?{query}")).send().is_refused(400, slug);
    };
    refused("cursor=x", "invalid-cursor");
    refused("from=2027-01-02&to=2027-01-01", "invalid-range");
    refused("status=booked", "invalid-query");
    refused("min_position=99999", "position-ahead");
}
