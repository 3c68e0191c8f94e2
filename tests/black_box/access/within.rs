//! What is of more than one place at once: lists, series, sessions, the waiting list, batches, what was, the feed and figures,
//! as whoever is limited to some of a tenant is told of them.

use serde_json::{Value, json};

use super::limits::{MARK, limited, same_as_nobody};
use crate::harness::{Answer, Api, Practice, Server, a_practice, date, id_of, monday, utc};

/// A practice of two locations, and whoever is limited to the one in the north.
struct House {
    practice: Practice,
    north: Api,
}

fn a_house() -> House {
    let practice = a_practice();
    let north = limited(&practice, &["--location", "North"]);
    House { practice, north }
}

impl House {
    /// An appointment at this hour; what is not in the north is marked.
    fn booked(&self, location: &str, hour: u32) -> Answer {
        let booking = self.practice.booking(monday(hour, 0)).with("location", location);
        let booking = if location == "North" { booking } else { booking.with("title", MARK) };
        let answer = booking.send();
        answer.is(201);
        answer
    }

    fn move_to(&self, id: &str, location: &str) -> u64 {
        let body = json!({"location": location});
        self.practice.api.patch(&format!("/v1/appointments/{id}"), &body).send().position()
    }

    /// What both are answered, without limits and with them.
    fn both(&self, path: &str) -> [Answer; 2] {
        [&self.practice.api, &self.north].map(|api| {
            let answer = api.get(path).send();
            answer.is(200);
            answer
        })
    }
}

fn ids(answer: &Answer) -> Vec<String> {
    answer.json()["items"].as_array().unwrap().iter().map(id_of).collect()
}

#[test]
fn conflicts_elsewhere_are_not_on_the_list_now_or_then() {
    let house = a_house();
    let here = [9, 11].map(|hour| id_of(&house.booked("North", hour).json()));
    let there = id_of(&house.booked("South", 10).json());
    let retire = format!("/v1/resources/{}/retire", house.practice.room);
    let position = house.practice.api.post(&retire, &json!({})).send().position();
    for asked in [format!("min_position={position}"), format!("as_of=position:{position}")] {
        let path = format!("/v1/conflicts?{asked}");
        let [all, north] = house.both(&path);
        assert!(all.text.contains(MARK) && ids(&all).contains(&there), "{all:#?}");
        assert!(!north.text.contains(MARK), "{north:#?}");
        assert_eq!(ids(&north), here);
        let [first, one] = house.both(&format!("{path}&limit=1"));
        let cursor = one.json()["next_cursor"].as_str().unwrap().to_owned();
        let second = house.north.get(&format!("{path}&limit=1&cursor={cursor}")).send();
        assert_eq!(ids(&second), [&*here[1]]);
        assert_eq!(second.json().get("next_cursor"), None, "nothing is said of more: {second:#?}");
        let others = first.json()["next_cursor"].as_str().unwrap().to_owned();
        let asked = house.north.get(&format!("{path}&limit=1&cursor={others}"));
        asked.send().is_refused(400, "invalid-cursor");
    }
    // It lies there where it is, and not where it was.
    let moved = house.move_to(&there, "North");
    let [_, north] = house.both(&format!("/v1/conflicts?min_position={moved}"));
    assert_eq!(ids(&north), [&*here[0], &*there, &*here[1]]);
    let moved = house.move_to(&here[0], "South");
    let [_, north] = house.both(&format!("/v1/conflicts?min_position={moved}"));
    assert_eq!(ids(&north), [&*there, &*here[1]]);
}

#[test]
fn a_clients_history_is_of_what_lies_here_and_so_is_what_it_comes_to() {
    let house = a_house();
    let (other, nobody) = (house.practice.a_client(MARK), "0192f0c1-2d2f-7c51-9f0a-6a2f1f7d3b11");
    let here = id_of(&house.booked("North", 9).json());
    let there = id_of(&house.booked("South", 10).json());
    let cancel = format!("/v1/appointments/{there}/cancel");
    house.practice.api.post(&cancel, &json!({})).send().has_status(200);
    let elsewhere = house.practice.booking(monday(12, 0)).with("client_id", &*other);
    let position = elsewhere.with("location", "South").send().position();
    let path = format!("/v1/clients/{}/history", house.practice.client);
    for asked in [format!("min_position={position}"), format!("as_of=position:{position}")] {
        let [all, north] = house.both(&format!("{path}?{asked}"));
        let figures = |answer: &Answer| {
            let body = answer.json();
            (body["booked"].clone(), body["cancelled"].clone(), body["last_start_at"].clone())
        };
        let first = json!(utc(monday(9, 0)));
        assert_eq!(figures(&all), (json!(2), json!(1), first.clone()));
        assert_eq!(figures(&north), (json!(1), json!(0), first));
        assert_eq!(
            (ids(&all), ids(&north)),
            (vec![here.clone(), there.clone()], vec![here.clone()])
        );
    }
    house.practice.api.get(&format!("/v1/clients/{other}/history")).send().is(200);
    same_as_nobody(&|id| house.north.get(&format!("/v1/clients/{id}/history")).send(), &other);
    house.north.get(&format!("/v1/clients/{nobody}/history")).send().is_refused(404, "not-found");
}

#[test]
fn of_what_has_come_from_elsewhere_nothing_is_told_of_before_and_of_what_has_gone_nothing_at_all() {
    let house = a_house();
    let id = id_of(&house.booked("South", 9).json());
    let path = format!("/v1/appointments/{id}");
    let events = |api: &Api, query: &str| api.get(&format!("{path}/events{query}")).send();
    same_as_nobody(&|id| house.north.get(&format!("/v1/appointments/{id}/events")).send(), &id);
    let body = json!({"location": "North", "title": "Here"});
    let came = house.practice.api.patch(&path, &body).send().position();
    let versions = |answer: &Answer| -> Vec<u64> {
        let items = answer.is(200)["items"].as_array().unwrap().clone();
        items.iter().map(|event| event["version"].as_u64().unwrap()).collect()
    };
    let told = events(&house.practice.api, "");
    assert!(told.text.contains(MARK), "{told:#?}");
    assert_eq!(versions(&told), [1, 2]);
    let told = events(&house.north, "");
    assert!(!told.text.contains(MARK), "{told:#?}");
    assert_eq!(versions(&told), [2]);
    assert_eq!(versions(&events(&house.north, "?after=2")), [0; 0]);

    let between = format!("{path}/diff?from=position:{}&to=position:{came}", came - 1);
    let told = house.practice.api.get(&between).send();
    assert!(told.text.contains(MARK) && told.is(200)["version_before"] == 1, "{told:#?}");
    let told = house.north.get(&between).send();
    assert!(!told.text.contains(MARK), "{told:#?}");
    assert_eq!(told.is(200).get("version_before"), None, "there was none: {told:#?}");

    let gone = house.move_to(&id, "South");
    same_as_nobody(&|id| house.north.get(&format!("/v1/appointments/{id}/events")).send(), &id);
    let then = events(&house.north, &format!("?as_of=position:{came}"));
    assert_eq!(versions(&then), [2], "as of when it lay here, by today's rights");
    let between = format!("{path}/diff?from=position:{came}&to=position:{gone}");
    assert_eq!(house.north.get(&between).send().is(200).get("version_after"), None);
    let between = format!("?from=position:{gone}&to=position:{gone}");
    let diff = |id: &str| house.north.get(&format!("/v1/appointments/{id}/diff{between}")).send();
    same_as_nobody(&diff, &id);
}

#[test]
fn the_feed_is_of_what_lies_here() {
    let house = a_house();
    let practice = &house.practice;
    let south = json!({"name": format!("{MARK} service"), "location": "South"});
    let south = practice.a_service(&south);
    practice.a_client(MARK);
    let series = json!({"rrule": "FREQ=DAILY;COUNT=1", "time_zone": "UTC", "title": MARK,
        "dtstart": monday(3, 0).format("%Y-%m-%dT%H:%M").to_string(), "location": "South",
        "service_id": practice.service, "client_id": practice.client,
        "resource_ids": [practice.room]});
    practice.created("/v1/series", &series);
    let stays = id_of(&house.booked("North", 9).json());
    let comes = id_of(&house.booked("South", 10).json());
    let goes = id_of(&house.booked("North", 11).json());
    house.booked("South", 12);
    let body = json!({"location": "North", "title": "Here"});
    practice.api.patch(&format!("/v1/appointments/{comes}"), &body).send().has_status(200);
    let last = house.move_to(&goes, "South");
    for path in [
        format!("/v1/events?as_of=position:{last}&personal=told&limit=1000"),
        format!("/v1/events/export?as_of=position:{last}&personal=told"),
        format!("/v1/events/stream?as_of=position:{last}&personal=told"),
    ] {
        let all = practice.api.get(&path).send().text;
        let north = house.north.get(&path).send().text;
        for hidden in [MARK, &*goes, &*south, "ClientRegistered", "SeriesBooked"] {
            assert!(all.contains(hidden), "{path}: {hidden}: {all}");
            assert!(!north.contains(hidden), "{path}: {hidden}: {north}");
        }
        for there in [&stays, &comes, &practice.room, &practice.service] {
            assert!(north.contains(&**there), "{path}: {there}: {north}");
        }
        // By which it came, and not by which it was booked.
        assert_eq!(north.matches(&*comes).count(), all.matches(&*comes).count() - 1, "{north}");
    }
    let category = format!("/v1/events?as_of=position:{last}&category=check-up");
    let [_, north] = house.both(&category);
    assert!(!north.text.contains(MARK) && north.text.contains(&stays), "{north:#?}");
}

#[test]
fn by_what_something_came_to_a_resource_it_is_not_told_from_which() {
    let practice = a_practice();
    let other = practice.a_room();
    let own = limited(&practice, &["--resource", &other]);
    let id = id_of(&practice.booked(monday(9, 0)));
    let to = json!({"from_resource_id": practice.room, "to_resource_id": other});
    let last = practice.api.post(&format!("/v1/appointments/{id}/reassign"), &to).send().position();
    for path in [
        format!("/v1/appointments/{id}/events"),
        format!("/v1/events?as_of=position:{last}"),
        format!("/v1/events/export?as_of=position:{last}"),
    ] {
        let [all, own] = [&practice.api, &own].map(|api| api.get(&path).send());
        assert!(all.text.contains("from_resource_id"), "{path}: {all:#?}");
        assert!(own.text.contains("to_resource_id"), "{path}: {own:#?}");
        assert!(!own.text.contains(&practice.room), "{path}: {own:#?}");
    }
}

/// A class of a service at a location, or nowhere.
fn a_class(practice: &Practice, location: &Value, hour: u32) -> (String, String) {
    let class = json!({"session_places": 5, "location": location, "name": MARK});
    let class = if *location == "South" {
        class
    } else {
        json!({"session_places": 5, "location": location})
    };
    let service = practice.a_service(&class);
    let start = utc(monday(hour, 0));
    let body = json!({"service_id": service, "resource_ids": [practice.room], "start_at": start});
    (practice.created("/v1/sessions", &body), service)
}

#[test]
fn sessions_take_place_where_their_service_does() {
    let house = a_house();
    let (practice, north) = (&house.practice, &house.north);
    let (there, _) = a_class(practice, &json!("South"), 8);
    let here = [9, 10].map(|hour| a_class(practice, &json!("North"), hour).0);
    let (nowhere, _) = a_class(practice, &Value::Null, 11);
    let position = practice.booking(monday(12, 0)).with("location", "North").send().position();
    for asked in [format!("min_position={position}"), format!("as_of=position:{position}")] {
        let [all, told] = house.both(&format!("/v1/sessions?{asked}"));
        assert!(all.text.contains(MARK) && !told.text.contains(MARK), "{told:#?}");
        assert_eq!(ids(&told), [&*here[0], &*here[1], &*nowhere]);
        let first = north.get(&format!("/v1/sessions?{asked}&limit=1")).send();
        assert_eq!(ids(&first), [&*here[0]], "a page is full where there are more");
    }
    same_as_nobody(&|id| north.get(&format!("/v1/sessions/{id}")).send(), &there);
    same_as_nobody(&|id| north.get(&format!("/v1/sessions/{id}/appointments")).send(), &there);
    let who = json!({"client_id": practice.client});
    for places in ["appointments", "holds"] {
        let book = |id: &str| north.post(&format!("/v1/sessions/{id}/{places}"), &who).send();
        same_as_nobody(&book, &there);
    }
    let places = format!("/v1/sessions/{}/appointments", here[0]);
    let own = id_of(&north.post(&places, &who).send().is(201));
    let other = json!({"client_id": practice.a_client(MARK), "location": "South", "title": MARK});
    practice.api.post(&places, &other).send().is(201);
    let [all, told] = house.both(&places);
    assert_eq!((ids(&all).len(), ids(&told)), (2, vec![own]));
    assert!(!told.text.contains(MARK), "{told:#?}");
    let free = north.get(&format!("/v1/sessions/{}", here[0])).send().is(200);
    assert_eq!(free["free"], 3, "who has the places is not told, that they have them is");
    // Where nobody says otherwise, this lies nowhere.
    let nowhere = format!("/v1/sessions/{nowhere}/appointments");
    north.post(&nowhere, &who).send().is_refused(403, "outside-limits");
    let with = json!({"client_id": practice.client, "location": "North"});
    north.post(&nowhere, &with).send().is(201);
    north
        .post(&format!("/v1/sessions/{}/cancel", here[0]), &json!({}))
        .send()
        .is_refused(403, "limited-key");
}

/// Somebody who waits for a service, for a room that never opens.
fn an_entry(practice: &Practice, service: &str, client: &str) -> Value {
    let closed = practice.a_resource(&json!({"weekly_hours": []}));
    json!({"service_id": service, "client_id": client, "resource_ids": [closed],
           "from": date(0).to_string(), "to": date(1).to_string()})
}

#[test]
fn whoever_waits_does_so_where_their_service_takes_place() {
    let house = a_house();
    let (practice, north) = (&house.practice, &house.north);
    let [here, there, nowhere] = [json!("North"), json!("South"), Value::Null]
        .map(|location| practice.a_service(&json!({"location": location})));
    let waits = |api: &Api, service: &str| {
        api.post("/v1/waiting-list", &an_entry(practice, service, &practice.client)).send()
    };
    let elsewhere = [&there, &nowhere].map(|service| id_of(&waits(&practice.api, service).is(201)));
    let before = id_of(&waits(&practice.api, &here).is(201));
    let joined = waits(north, &here);
    let (own, position) = (id_of(&joined.is(201)), joined.position());
    for asked in [format!("min_position={position}"), format!("as_of=position:{position}")] {
        let [all, told] = house.both(&format!("/v1/waiting-list?{asked}"));
        assert_eq!(ids(&all).len(), 4);
        assert_eq!(ids(&told), [&*before, &*own]);
        assert!(elsewhere.iter().all(|id| !told.text.contains(id)), "{told:#?}");
        let [_, first] = house.both(&format!("/v1/waiting-list?{asked}&limit=1"));
        assert_eq!(ids(&first), [&*before]);
    }
    let one = |api: &Api| api.get(&format!("/v1/waiting-list/{own}")).send().is(200);
    assert_eq!(one(&practice.api)["queue_position"], 2);
    assert_eq!(one(north).get("queue_position"), None, "it counts others");
    for id in &elsewhere {
        same_as_nobody(&|id| north.get(&format!("/v1/waiting-list/{id}")).send(), id);
        let then = format!("?as_of=position:{position}");
        same_as_nobody(&|id| north.get(&format!("/v1/waiting-list/{id}{then}")).send(), id);
        let leave = |id: &str| {
            let request = north.request("DELETE", &format!("/v1/waiting-list/{id}"));
            request.header("if-match", "\"7\"").send()
        };
        same_as_nobody(&leave, id);
    }
    waits(north, &there).is_refused(422, "unknown-service");
    waits(north, &nowhere).is_refused(403, "outside-limits");
    let unknown = an_entry(practice, &here, &practice.a_client(MARK));
    north.post("/v1/waiting-list", &unknown).send().is(201);
    north.request("DELETE", &format!("/v1/waiting-list/{own}")).send().is(200);
    // Of resources: of those that are named, and of no other.
    let closed = practice.a_resource(&json!({"weekly_hours": []}));
    let theirs = limited(practice, &["--resource", &closed]);
    let mut body = an_entry(practice, &here, &practice.client);
    body["resource_ids"] = json!([closed]);
    let last = practice.api.post("/v1/waiting-list", &body).send();
    let told = theirs.get(&format!("/v1/waiting-list?min_position={}", last.position())).send();
    assert_eq!(ids(&told), [id_of(&last.json())]);
}

/// Three days in a row from this hour on, at a location.
fn a_series(practice: &Practice, location: &str, hour: u32) -> Value {
    let mut body = practice.booking(monday(hour, 0)).without("start_at").body;
    body["dtstart"] = json!(monday(hour, 0).format("%Y-%m-%dT%H:%M").to_string());
    body["time_zone"] = json!("UTC");
    body["rrule"] = json!("FREQ=DAILY;COUNT=3");
    body["location"] = json!(location);
    body
}

#[test]
fn a_series_lies_where_its_appointments_do_each_by_itself() {
    let house = a_house();
    let (practice, north) = (&house.practice, &house.north);
    let there = practice.created("/v1/series", &a_series(practice, "South", 7));
    let booked = practice.booking(monday(15, 0)).with("location", "North").send();
    practice.found(&format!("min_position={}", booked.position()));
    north
        .post("/v1/series", &a_series(practice, "South", 8))
        .send()
        .is_refused(403, "outside-limits");
    let made = north.post("/v1/series", &a_series(practice, "North", 9)).send().is(201);
    let path = format!("/v1/series/{}", id_of(&made));
    let each = |series: &Value| -> Vec<String> {
        let all = series["occurrences"].as_array().unwrap();
        all.iter().map(|one| one["appointment_id"].as_str().unwrap().to_owned()).collect()
    };
    let all = each(&made);
    let gone = made["occurrences"][1]["recurrence_id"].as_str().unwrap().to_owned();
    house.move_to(&all[1], "South");
    assert_eq!(each(&practice.api.get(&path).send().is(200)), all);
    let told = north.get(&path).send();
    assert!(!told.text.contains(&all[1]), "{told:#?}");
    assert_eq!(each(&told.is(200)), [&*all[0], &*all[2]]);
    for action in ["reschedule", "cancel"] {
        let body = |scope: &str, more: &Value| {
            let mut body = json!({"scope": scope});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            if action == "reschedule" {
                body["shift_days"] = json!(7);
            }
            body
        };
        let act = |body: &Value| north.post(&format!("{path}/{action}"), body).send();
        let one = json!({"recurrence_id": gone});
        act(&body("this", &one)).is_refused(422, "unknown-occurrence");
        let on = |id: &str| {
            let path = format!("/v1/series/{id}/{action}?dry_run=true");
            north.post(&path, &body("all", &json!({}))).header("if-match", "\"7\"").send()
        };
        same_as_nobody(&on, &there);
        for query in ["?dry_run=true", ""] {
            let path = format!("{path}/{action}{query}");
            let done = north.post(&path, &body("all", &json!({}))).send();
            assert!(!done.text.contains(&all[1]) && !done.text.contains(&gone), "{done:#?}");
            assert_eq!(done.is(200)["latest_change"]["changed"].as_array().unwrap().len(), 2);
        }
    }
    same_as_nobody(&|id| north.get(&format!("/v1/series/{id}")).send(), &there);
    let unchanged = practice.appointment(&all[1]);
    assert_eq!((&unchanged["status"], &unchanged["version"]), (&json!("booked"), &json!(2)));
    // What has been changed of what lies elsewhere is not there, either.
    let cancel = json!({"scope": "this", "recurrence_id": gone});
    practice.api.post(&format!("{path}/cancel"), &cancel).send().has_status(200);
    assert_eq!(north.get(&path).send().is(200).get("latest_change"), None);
}

#[test]
fn of_a_series_it_is_not_told_what_is_in_the_way() {
    let house = a_house();
    let (practice, north) = (&house.practice, &house.north);
    house.booked("North", 14);
    let there = house.booked("South", 9);
    practice.found(&format!("min_position={}", there.position()));
    let mut series = a_series(practice, "North", 9);
    let all = practice.api.post("/v1/series", &series).send();
    assert!(all.is_refused(409, "slot-taken")["start_at"].is_string(), "{all:#?}");
    let told = north.post("/v1/series", &series).send().is_refused(409, "slot-taken");
    assert_eq!((told.get("start_at"), told["recurrence_id"].is_string()), (None, true), "{told}");
    series["mode"] = json!("best-effort");
    let made = north.post("/v1/series", &series).send().is(201);
    let path = format!("/v1/series/{}", id_of(&made));
    let [all, told] = house.both(&path);
    let problem = |series: &Value| series["refused"][0]["problem"].clone();
    assert!(problem(&all.json())["start_at"].is_string(), "{all:#?}");
    for told in [problem(&made), problem(&told.json())] {
        assert_eq!(
            (told["resource_id"].as_str(), told.get("start_at")),
            (Some(&*practice.room), None)
        );
    }
}

#[test]
fn of_a_batch_each_is_judged_by_itself() {
    let house = a_house();
    let (practice, north) = (&house.practice, &house.north);
    let other = practice.a_client(MARK);
    house.booked("North", 7);
    let theirs =
        practice.booking(monday(8, 0)).with("client_id", &*other).with("location", "South");
    practice.found(&format!("min_position={}", theirs.send().position()));
    let item = |hour, location: &str| practice.booking(monday(hour, 0)).with("location", location);
    let items = [
        item(9, "North"),
        item(10, "South"),
        item(11, "North").with("client_id", &*other),
        item(8, "North"),
        item(12, "North"),
    ];
    let items: Vec<Value> = items.into_iter().map(|booking| booking.body).collect();
    for query in ["?dry_run=true", ""] {
        let path = format!("/v1/appointments:batch{query}");
        let told = north.post(&path, &json!({"items": items})).send();
        let body = told.is(200);
        let verdicts: Vec<(u64, &str)> = body["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| {
                let kind = it["problem"]["type"].as_str().unwrap_or_default();
                (it["status"].as_u64().unwrap(), kind.rsplit(':').next().unwrap())
            })
            .collect();
        let done = if query.is_empty() { 201 } else { 200 };
        let expected = [
            (done, ""),
            (403, "outside-limits"),
            (422, "unknown-client"),
            (409, "slot-taken"),
            (done, ""),
        ];
        assert_eq!(verdicts, expected, "{query}: {told:#?}");
        assert_eq!(body["items"][3]["problem"].get("start_at"), None, "{told:#?}");
    }
    let all = json!({"atomic": true, "items": [item(13, "North").body, item(14, "South").body]});
    north.post("/v1/appointments:batch", &all).send().is_refused(403, "outside-limits");
    let mut unknown = item(13, "North").body;
    unknown["client_id"] = json!(other);
    let all = json!({"atomic": true, "items": [item(16, "North").body, unknown]});
    let told = north.post("/v1/appointments:batch", &all).send().is_refused(422, "unknown-client");
    assert_eq!(told["index"], 1);
    practice.booking(monday(13, 0)).send().is(201);
    practice.booking(monday(16, 0)).send().is(201);
}

#[test]
fn figures_and_calendars_are_of_the_resources_that_a_key_is_limited_to() {
    let practice = a_practice();
    let other = practice.a_room();
    practice.booked(monday(9, 0));
    let elsewhere = practice.booking(monday(9, 0)).with("resource_ids", json!([other])).send();
    let own = limited(&practice, &["--resource", &practice.room]);
    let (day, position) = (date(0), elsewhere.position());
    let figures = |api: &Api, more: &str| {
        api.get(&format!("/v1/utilisation?from={day}&to={day}&min_position={position}{more}"))
            .send()
    };
    figures(&own, "").is_refused(400, "invalid-query");
    let of = |resource: &str| format!("&resource_id={resource}");
    let found = figures(&own, &of(&practice.room)).is(200);
    assert_eq!(found["items"][0]["appointments"], 1, "{found}");
    assert_eq!(figures(&practice.api, &of(&other)).is(200)["items"][0]["appointments"], 1);
    assert_eq!(figures(&own, &of(&other)).is(200)["items"], json!([]));
    let diff = |api: &Api, resource: &str| {
        let between = format!("from=position:1&to=position:{position}");
        api.get(&format!("/v1/agenda/diff?resource_id={resource}&date={day}&{between}")).send()
    };
    assert_eq!(diff(&practice.api, &other).is(200)["added"].as_array().unwrap().len(), 1);
    assert_eq!(diff(&own, &practice.room).is(200)["added"].as_array().unwrap().len(), 1);
    same_as_nobody(&|id| diff(&own, id), &other);
    let north = limited(&practice, &["--location", "North"]);
    figures(&north, &of(&practice.room)).is_refused(403, "limited-key");
    diff(&north, &practice.room).is_refused(403, "limited-key");
}

#[test]
fn a_client_waits_and_comes_to_classes_by_their_own_key_and_changes_a_series_on_their_side() {
    let practice = a_practice();
    let other = practice.a_client(MARK);
    let key = ["--role", "client", "--client", &practice.client];
    let key = Server::shared().database.key_with(&practice.tenant, &key);
    let own = practice.api.with_key(Some(&key));
    let (session, _) = a_class(&practice, &Value::Null, 9);
    let places = format!("/v1/sessions/{session}/appointments");
    let theirs = json!({"client_id": other, "title": MARK});
    practice.api.post(&places, &theirs).send().is(201);
    own.post(&places, &json!({"client_id": other})).send().is_refused(422, "unknown-client");
    own.post(&places, &json!({"client_id": practice.client})).send().is(201);
    let seen = own.get(&places).send();
    assert_eq!((ids(&seen).len(), seen.text.contains(MARK)), (1, false), "{seen:#?}");
    let waits = |client: &str| an_entry(&practice, &practice.service, client);
    practice.created("/v1/waiting-list", &waits(&other));
    own.post("/v1/waiting-list", &waits(&other)).send().is_refused(422, "unknown-client");
    let joined = own.post("/v1/waiting-list", &waits(&practice.client)).send();
    let list = own.get(&format!("/v1/waiting-list?min_position={}", joined.position())).send();
    assert_eq!(ids(&list), [id_of(&joined.is(201))]);
    let series = own.post("/v1/series", &a_series(&practice, "North", 12)).send().is(201);
    let path = format!("/v1/series/{}", id_of(&series));
    for (action, more) in [("reschedule", json!({"shift_days": 1})), ("cancel", json!({}))] {
        let mut body = json!({"scope": "all", "by": "staff"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let act = |body: &Value| own.post(&format!("{path}/{action}"), body).send();
        act(&body).is_refused(403, "not-for-clients");
        body["by"] = json!("client");
        act(&body).has_status(200);
    }
    let mut theirs = a_series(&practice, "North", 18);
    theirs["client_id"] = json!(other);
    let theirs = practice.created("/v1/series", &theirs);
    same_as_nobody(&|id| own.get(&format!("/v1/series/{id}")).send(), &theirs);
}
