//! What a tenant chooses for itself: by an operator's command or over HTTP, for all programs on the database.

use serde_json::json;

use crate::harness::{Database, Practice, Server, a_practice, at_once, eventually, monday};

#[test]
fn settings_are_replaced_whole_by_who_may_and_read_by_all() {
    let practice = a_practice();
    let by_default = json!({
        "holds_per_client": 3, "offer_minutes": 15, "waiting_per_client": 20, "waiting_list": 1000,
        "import_days": 731, "least_booked_days": 7, "retention_days": 0, "titles": "public",
        "notices": "off",
    });
    let read = || practice.api.get("/v1/tenant/settings").send().is(200);
    let put = |body| practice.api.request("PUT", "/v1/tenant/settings").json(&body).send();
    assert_eq!(read(), by_default);
    let changed = put(json!({"holds_per_client": 1, "waiting_list": 50_000, "titles": "personal"}));
    let expected = json!({
        "holds_per_client": 1, "offer_minutes": 15, "waiting_per_client": 20, "waiting_list": 50_000,
        "import_days": 731, "least_booked_days": 7, "retention_days": 0, "titles": "personal",
        "notices": "off",
    });
    assert_eq!(changed.is(200), expected);
    assert_eq!(read(), expected);
    assert_eq!(put(json!({})).is(200), by_default);

    put(json!({"offer_minutes": 61})).is_refused(422, "invalid-body");
    put(json!({"holds_per_client": 0})).is_refused(422, "invalid-body");
    put(json!({"titles": "secret"})).is_refused(422, "invalid-body");
    put(json!({"zone": "UTC"})).is_refused(422, "invalid-body");
    let manages =
        practice.api.with_key(Some(&Server::shared().database.key(&practice.tenant, "manage")));
    assert_eq!(manages.get("/v1/tenant/settings").send().is(200), by_default);
    let put = manages.request("PUT", "/v1/tenant/settings").json(&json!({})).send();
    put.is_refused(403, "insufficient-scope");
}

/// Of two who have read the same settings, the second would undo what the first has set.
#[test]
fn settings_that_have_changed_since_they_were_read_are_not_replaced() {
    let practice = a_practice();
    let get = || practice.api.get("/v1/tenant/settings").send();
    let put = |query: &str, seen: &str, limit: u32| {
        let path = format!("/v1/tenant/settings{query}");
        let put = practice.api.request("PUT", &path).json(&json!({"holds_per_client": limit}));
        put.header("if-match", seen).send()
    };
    let first = get();
    let first = first.header("etag").expect("settings have an ETag");
    let changed = put("", first, 4);
    assert_eq!(changed.is(200)["holds_per_client"], 4);
    let second = get();
    assert_eq!(changed.header("etag"), second.header("etag"), "a PUT tells the new one");
    assert_ne!(second.header("etag"), Some(first));
    for query in ["", "?dry_run=true"] {
        put(query, first, 5).is_refused(412, "stale-version");
        put(query, "\"1\"", 5).is_refused(412, "stale-version");
        put(query, "holds", 5).is_refused(400, "invalid-if-match");
        put(query, &format!("W/{first}"), 5).is_refused(400, "invalid-if-match");
    }
    assert_eq!(get().is(200)["holds_per_client"], 4, "nothing has changed");
    put("?dry_run=true", second.header("etag").unwrap(), 5).is(200);
    let encoded = second.header("etag").unwrap().trim_end_matches('"').to_owned() + "-gzip\"";
    put("", &encoded, 5).is(200);
    put("", "*", 6).is(200);
    let seen = get();
    let seen = seen.header("etag").unwrap();
    let answers = at_once(8, |n| put("", seen, 10 + u32::try_from(n).unwrap()).status);
    let made = answers.iter().filter(|status| **status == 200).count();
    let refused = answers.iter().filter(|status| **status == 412).count();
    assert_eq!((made, refused), (1, 7), "{answers:?}");
}

#[test]
fn what_is_said_of_an_offer_is_not_said_of_a_hold() {
    let practice = a_practice();
    let put = |minutes: u32| {
        let settings = json!({"offer_minutes": minutes});
        practice.api.request("PUT", "/v1/tenant/settings").json(&settings).send()
    };
    for minutes in [0, 61] {
        let problem = put(minutes).is_refused(422, "invalid-body");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("offer") && !detail.contains("hold"), "{detail}");
    }
}

#[test]
fn what_an_operator_sets_is_so_for_every_program_within_seconds() {
    let database = Database::fresh();
    let servers = [Server::start(&database), Server::start(&database)];
    let practice = Practice::on(&servers[0]);
    let tenant = &*practice.tenant;
    practice.booking(monday(9, 0)).held(10).send().is(201);
    let said = database.run(&["tenant", "set", tenant, "--holds-per-client", "1"]).succeeded();
    assert!(said.contains("holds per client: 1\n"), "{said}");
    for server in &servers {
        let api = practice.api.at(&server.url);
        eventually("the limit holds", || {
            let answer = practice.booking(monday(10, 0)).held(10).request_of(&api).send();
            if answer.status == 201 {
                api.request(
                    "DELETE",
                    &format!("/v1/holds/{}", answer.json()["id"].as_str().unwrap()),
                )
                .send()
                .is(200);
                return None;
            }
            let refused = answer.is_refused(409, "client-hold-limit");
            assert_eq!(refused["required"], 1);
            Some(())
        });
    }
    // The rest is as it was.
    database.run(&["tenant", "set", tenant, "--offer-minutes", "5"]).succeeded();
    let said = database.run(&["tenant", "show", tenant]).succeeded();
    let expected = "time zone: UTC\nholds per client: 1\noffer minutes: 5\nwaiting per client: 20\n\
                    waiting list: 1000\nimport days: 731\nleast booked days: 7\nretention days: 0\n\
                    titles: public\nnotices: off\n";
    assert_eq!(said, expected);
    database.run(&["tenant", "set", tenant, "--time-zone", "Europe/Oslo"]).succeeded();
    let said = database.run(&["tenant", "show", tenant]).succeeded();
    assert!(said.starts_with("time zone: Europe/Oslo\n"), "{said}");
    for (arguments, why) in [
        (vec!["tenant", "set", tenant], "required"),
        (vec!["tenant", "set", tenant, "--import-days", "3661"], "1 to 3660"),
        (vec!["tenant", "set", tenant, "--least-booked-days", "0"], "1 to 31"),
        (vec!["tenant", "set", tenant, "--offer-minutes", "61"], "1 to 60"),
        (vec!["tenant", "set", "nobody", "--offer-minutes", "6"], "there is no tenant nobody"),
        (vec!["tenant", "show", "nobody"], "there is no tenant nobody"),
        (vec!["serve", "--holds-per-client", "5"], "daybook tenant set"),
        (vec!["serve", "--waiting-offer-minutes", "5"], "daybook tenant set"),
    ] {
        let said = database.run(&arguments);
        assert!(said.code != Some(0) && said.stderr.contains(why), "{arguments:?}: {said:?}");
    }
}
