//! Who asks finds out who they are and what calendars they have, and nobody else does.

use std::process::Command;

use serde_json::json;

use super::{Dav, key_with, of_room, responses, within};
use crate::harness::{Database, Practice, Server, a_practice, id_of};
use crate::tls::{Authority, serving};

#[test]
fn the_address_that_programs_know_leads_to_where_they_ask() {
    let practice = a_practice();
    for method in ["GET", "PROPFIND"] {
        let answer = practice.api.with_key(None).request(method, "/.well-known/caldav").send();
        answer.has_status(301);
        assert_eq!(answer.header("location"), Some("/dav/"), "{answer:?}");
    }
}

#[test]
fn who_sends_no_password_is_asked_for_one_and_a_wrong_one_is_none() {
    let practice = a_practice();
    for method in ["OPTIONS", "GET", "PROPFIND", "REPORT", "PUT"] {
        let answer = practice.api.with_key(None).request(method, "/dav/").send();
        answer.is_refused(401, "missing-key");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Basic realm="), "{challenge}");
    }
    let mut dav = of_room(&practice);
    dav.propfind("/dav/", "0", "<D:resourcetype/>").has_status(207);
    dav.password.replace_range(40..41, "_");
    dav.propfind("/dav/", "0", "<D:resourcetype/>").is_refused(401, "invalid-key");
}

#[test]
fn a_calendar_is_opened_by_a_key_of_resources_or_of_a_client_alone() {
    let practice = a_practice();
    let other = practice.a_resource(&json!({"name": "Another room"}));
    let names = |limits: serde_json::Value| {
        let dav = Dav::by(&practice, &key_with(&practice, &limits));
        let home =
            dav.path_at(&dav.path_at("/dav/", "D:current-user-principal"), "C:calendar-home-set");
        let answer = dav.propfind(&home, "1", "<D:displayname/><D:resourcetype/>");
        let calendars = responses(&answer).into_iter().filter(|it| it.contains("<C:calendar/>"));
        let names = calendars.map(|it| within(it, "D:displayname").unwrap().to_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    };
    assert_eq!(names(json!({"resource_ids": [practice.room]})), ["A room"]);
    let both = json!({"resource_ids": [practice.room, other]});
    assert_eq!(names(both), ["A room", "Another room"]);
    let client = practice.a_client("Ada & co");
    assert_eq!(names(json!({"client_id": client})), ["Ada &amp; co"]);
    for limits in [
        json!({}),
        json!({"categories": ["check-up"]}),
        json!({"resource_ids": [practice.room], "client_id": client}),
    ] {
        let dav = Dav::by(&practice, &key_with(&practice, &limits));
        let answer = dav.propfind("/dav/", "0", "<D:resourcetype/>");
        answer.is_refused(403, "no-calendar-of-key");
    }
    let limits = json!({"resource_ids": [practice.room]});
    let key = json!({"name": "Free times", "scopes": ["availability"], "limits": limits});
    let dav = Dav::by(&practice, &practice.api.post("/v1/keys", &key).send().is(201));
    dav.propfind("/dav/", "0", "<D:resourcetype/>").is_refused(403, "insufficient-scope");
}

#[test]
fn nobody_finds_what_is_anothers() {
    let practice = a_practice();
    let (own, other) = (of_room(&practice), of_room(&practice));
    let calendar = other.calendar();
    other.propfind(&calendar, "0", "<D:displayname/>").has_status(207);
    own.propfind(&calendar, "0", "<D:displayname/>").is_refused(404, "not-found");
    let own_calendar = own.calendar();
    let room = practice.a_room();
    let unseen = own_calendar.replace(&practice.room, &room);
    own.propfind(&unseen, "0", "<D:displayname/>").is_refused(404, "not-found");
}

/// Programs keep the addresses of what they have seen.
#[test]
fn a_key_that_replaces_another_finds_its_calendar_where_it_was() {
    let practice = a_practice();
    let key = key_with(&practice, &json!({"resource_ids": [practice.room]}));
    let calendar = Dav::by(&practice, &key).calendar();
    let rotate = format!("/v1/keys/{}/rotate", id_of(&key));
    let rotated = practice.api.post(&rotate, &json!({})).send().is(201);
    assert_eq!(Dav::by(&practice, &rotated).calendar(), calendar);
}

#[test]
fn no_password_is_taken_that_others_on_the_way_could_read() {
    let options = ["--trusted-proxies", "127.0.0.0/8,::1"];
    let server = Server::start_with(&Database::fresh(), &options);
    let practice = Practice::on(&server);
    let dav = of_room(&practice);
    let from = |proto: Option<&str>| {
        let request = dav.request("OPTIONS", "/dav/").header("x-forwarded-for", "192.0.2.9");
        match proto {
            Some(proto) => request.header("x-forwarded-proto", proto).send(),
            None => request.send(),
        }
    };
    for in_the_open in [from(None), from(Some("http")), from(Some("https, http"))] {
        in_the_open.is_refused(403, "tls-needed");
        assert_eq!(in_the_open.header("www-authenticate"), None, "nobody is asked for a password");
    }
    from(Some("https")).has_status(200);
    dav.request("OPTIONS", "/dav/").send().has_status(200);
}

#[test]
fn a_password_is_taken_by_tls() {
    let authority = Authority::new();
    let server = serving(&authority, &["--trusted-proxies", "127.0.0.0/8,::1"]);
    let user = format!("staff:{}", server.database.key("a-practice", "admin"));
    let url = format!("{}/dav/", server.url);
    let ca = authority.text("ca.pem");
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--max-time", "60", "--cacert", &*ca, "-X", "OPTIONS", "-u", &*user]);
    let said = curl.args(["-H", "x-forwarded-for: 192.0.2.9", &*url]).output().unwrap();
    // It is known whose key it is: one that is not limited opens no calendar.
    let text = String::from_utf8_lossy(&said.stdout);
    assert!(text.contains("no-calendar-of-key"), "{said:?}");
}

/// What they ask is no question of a browser's, and is answered by what a calendar program understands.
#[test]
fn what_programs_ask_is_not_answered_as_pages_of_other_origins_are() {
    let server = Server::start_with(&Database::fresh(), &["--cors-origin", "https://desk.example"]);
    let practice = Practice::on(&server);
    let dav = of_room(&practice);
    for path in ["/dav", "/dav/", &*dav.calendar()] {
        let answer = dav.request("OPTIONS", path).send();
        answer.has_status(200);
        assert!(answer.header("dav").is_some_and(|it| it.contains("calendar-access")), "{path}");
        let asked = dav.api.request("OPTIONS", path).header("origin", "https://desk.example");
        let asked = asked.header("access-control-request-method", "GET").send();
        asked.is_refused(401, "missing-key");
        assert_eq!(asked.header("access-control-allow-origin"), None, "{path}");
    }
}

#[test]
fn who_asks_for_all_there_is_at_once_is_told_not_to() {
    let practice = a_practice();
    let dav = of_room(&practice);
    let answer = dav.propfind("/dav/", "infinity", "<D:resourcetype/>");
    answer.has_status(403);
    assert!(answer.text.contains("<D:propfind-finite-depth/>"), "{answer:?}");
    // What is left out is all the way.
    let answer = dav.request("PROPFIND", "/dav/").send();
    answer.has_status(403);
}

/// Programs that set a colour where they find a calendar go on when they are told that it stays as it is.
#[test]
fn no_property_is_set() {
    let practice = a_practice();
    let dav = of_room(&practice);
    let calendar = dav.calendar();
    let body = r#"<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><D:displayname>Mine</D:displayname>
        <A:calendar-color xmlns:A="http://apple.com/ns/ical/">#FF0000</A:calendar-color></D:prop></D:set>
        </D:propertyupdate>"#;
    let answer = dav.request("PROPPATCH", &calendar).body("application/xml", body).send();
    answer.has_status(207);
    for told in
        ["<D:displayname/>", "calendar-color", "HTTP/1.1 403", "cannot-modify-protected-property"]
    {
        assert!(answer.text.contains(told), "{answer:?}");
    }
    let named = dav.propfind(&calendar, "0", "<D:displayname/>");
    assert_eq!(within(&named.text, "D:displayname"), Some("A room"));
    let nothing = dav.request("PROPPATCH", &calendar).body("application/xml", "<a/>").send();
    nothing.is_refused(400, "invalid-xml");
}

#[test]
fn what_is_understood_is_said() {
    let practice = a_practice();
    let dav = of_room(&practice);
    let answer = dav.request("OPTIONS", "/dav/").send();
    answer.has_status(200);
    assert!(answer.header("dav").unwrap().contains("calendar-access"), "{answer:?}");
    assert!(answer.header("allow").unwrap().contains("REPORT"), "{answer:?}");
    let calendar = dav.calendar();
    dav.request("MKCALENDAR", &format!("{calendar}x/")).send().has_status(404);
    dav.request("MKCALENDAR", &calendar).send().is_refused(405, "method-not-allowed");
    let answer = dav.report(&calendar, "<D:version-tree></D:version-tree>");
    answer.has_status(403);
    assert!(answer.text.contains("<D:supported-report/>"), "{answer:?}");
    let many: Vec<String> = (0..101).map(|n| format!("<D:p{n}/>")).collect();
    let answer = dav.propfind("/dav/", "0", &many.concat());
    answer.is_refused(400, "invalid-xml");
    let twice = dav.propfind("/dav/", "0", &"<D:displayname/>".repeat(101));
    assert_eq!(twice.text.matches("<D:displayname>").count(), 1, "{twice:?}");
    for bad in ["<D:propfind", "<!DOCTYPE a><a/>", "<a>&b;</a>", "<a/>"] {
        let request = dav.request("PROPFIND", "/dav/").header("depth", "0");
        request.body("application/xml", bad).send().is_refused(400, "invalid-xml");
    }
}
