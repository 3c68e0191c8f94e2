//! `expand`: whom and what appointments are about, in one answer with them.

use serde_json::{Value, json};

use crate::harness::{Practice, Server, a_practice, date, id_of, monday};

const ALL: &str = "expand=client&expand=service&expand=resources";

/// What a list shows of a client and a resource.
fn alone(practice: &Practice, path: &str, but: &[&str]) -> Value {
    let mut alone = practice.api.get(path).send().is(200);
    for member in but {
        alone.as_object_mut().unwrap().remove(*member);
    }
    alone
}

fn about(practice: &Practice) -> [Value; 3] {
    [
        alone(practice, &format!("/v1/clients/{}", practice.client), &["notes"]),
        alone(practice, &format!("/v1/services/{}", practice.service), &[]),
        alone(practice, &format!("/v1/resources/{}", practice.room), &["exceptions", "holidays"]),
    ]
}

/// Without members that are null.
fn given(value: &Value) -> Value {
    let members = value.as_object().unwrap().iter();
    members.filter(|(_, value)| !value.is_null()).map(|(n, v)| (n.clone(), v.clone())).collect()
}

#[track_caller]
fn shows(item: &Value, [client, service, room]: &[Value; 3]) {
    assert_eq!(given(&item["client"]), given(client));
    assert_eq!(given(&item["service"]), given(service));
    assert_eq!(item["resources"].as_array().unwrap().len(), 1);
    assert_eq!(given(&item["resources"][0]), given(room));
}

#[test]
fn a_list_shows_whom_and_what_its_appointments_are_about() {
    let practice = a_practice();
    let other = practice.a_client("Another client");
    let first = practice.booked(monday(9, 0));
    let answer = practice.booking(monday(10, 0)).with("client_id", &*other).send();
    let position = answer.position();
    let about = about(&practice);
    let list = |query: &str| {
        let path = format!("/v1/appointments?{query}&min_position={position}");
        practice.api.get(&path).send().is(200)["items"].as_array().unwrap().clone()
    };
    let found = list(ALL);
    shows(&found[0], &about);
    assert_eq!(found[1]["client"]["name"], "Another client");
    assert_eq!(found[1]["client"]["id"], found[1]["client_id"]);
    // What is not asked for is not there.
    let found = list("expand=service");
    assert_eq!(given(&found[0]["service"]), given(&about[1]));
    assert!(found[0].get("client").is_none() && found[0].get("resources").is_none());
    assert!(list("")[0].get("service").is_none());
    let path = format!("/v1/appointments/{}?{ALL}", id_of(&first));
    shows(&practice.api.get(&path).send().is(200), &about);
    let agenda = format!("/v1/agenda?resource_id={}&date={}&{ALL}", practice.room, date(0));
    let agenda = practice.api.get(&format!("{agenda}&min_position={position}")).send().is(200);
    let included = &agenda["included"];
    assert_eq!(included["clients"].as_array().unwrap().len(), 2);
    assert_eq!(given(&included["services"][0]), given(&about[1]));
    assert_eq!(given(&included["resources"][0]), given(&about[2]));
    let problem = practice.api.get("/v1/appointments?expand=everything").send();
    assert_eq!(problem.is_refused(400, "invalid-query")["parameter"], "expand");
}

#[test]
fn what_is_shown_of_the_past_is_as_it_was_then() {
    let practice = a_practice();
    let answer = practice.booking(monday(9, 0)).send();
    let (then, booked) = (answer.position(), answer.is(201));
    let before = about(&practice);
    let retire = format!("/v1/services/{}/retire", practice.service);
    let now = practice.api.post(&retire, &json!({})).send().position();
    let list = |moment: &str| {
        let path = format!("/v1/appointments?{ALL}&{moment}");
        practice.api.get(&path).send().is(200)["items"][0].clone()
    };
    shows(&list(&format!("as_of=position:{then}")), &before);
    shows(&list(&format!("as_of=position:{then}&ids={}", id_of(&booked))), &before);
    assert_eq!(list(&format!("min_position={now}"))["service"]["status"], "retired");
    let alone = |moment: &str| {
        let path = format!("/v1/appointments/{}?{ALL}&{moment}", id_of(&booked));
        practice.api.get(&path).send().is(200)
    };
    shows(&alone(&format!("as_of=position:{then}")), &before);
    assert_eq!(alone("")["service"]["status"], "retired");
}

#[test]
fn who_may_read_is_shown_what_they_could_read_one_by_one() {
    let practice = a_practice();
    let position = practice.booking(monday(9, 0)).send().position();
    let key = Server::shared().database.key(&practice.tenant, "read");
    let reader = Server::shared().api(Some(key));
    let path = format!("/v1/appointments?{ALL}&min_position={position}");
    let page = reader.get(&path).send().is(200);
    shows(&page["items"][0], &about(&practice));
}
