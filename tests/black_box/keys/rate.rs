//! What one key sends too much, or one address without a good key, is in nobody's way.

use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use super::{made, text};
use crate::harness::{Answer, Database, Practice, Server, eventually};

/// What the log says where a connection is ended for another.
const NO_ROOM: &str = "no room for another connection";

#[test]
fn a_key_that_sends_too_much_is_told_when_to_come_back_and_others_are_answered() {
    const PER_SECOND: usize = 20;
    let server = Server::start_with(&Database::fresh(), &["--requests-per-second", "20"]);
    let practice = Practice::on(&server);
    let (greedy, modest) =
        (made(&practice.api, &["availability"]), made(&practice.api, &["availability"]));
    let asks = |key| practice.api.with_key(Some(text(key))).get("/v1/services").send();
    let begun = Instant::now();
    let answers: Vec<_> = (0..200).map(|_| asks(&greedy)).collect();
    let since = usize::try_from(begun.elapsed().as_millis()).unwrap();
    let most = PER_SECOND + since * PER_SECOND / 1_000 + 1;
    let answered = answers.iter().filter(|answer| answer.status == 200).count();
    assert!((PER_SECOND..=most).contains(&answered), "{answered} of at most {most}");
    let refused = answers.iter().find(|answer| answer.status != 200).expect("one too many");
    let problem = refused.is_refused(429, "rate-limited");
    assert_eq!(problem["requests_per_second"], PER_SECOND);
    assert_eq!(refused.header("ratelimit-policy"), Some("\"key\";q=20;w=1"));
    assert_eq!(refused.header("ratelimit"), Some("\"key\";r=0;t=1"));
    let first = answers.first().unwrap();
    assert_eq!(first.header("ratelimit-policy"), Some("\"key\";q=20;w=1"));
    assert_eq!(first.header("ratelimit"), Some("\"key\";r=19;t=1"));
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    asks(&modest).has_status(200);
    thread::sleep(Duration::from_secs(seconds));
    asks(&greedy).has_status(200);
    // A wrong key has no bucket.
    for _ in 0..=2 * PER_SECOND {
        practice
            .api
            .with_key(Some("no key"))
            .get("/v1/services")
            .send()
            .is_refused(401, "invalid-key");
    }
}

/// What a request of a client is answered that a proxy asks for; `None`: no key.
fn asked_for(practice: &Practice, client: &str, key: Option<&str>) -> Answer {
    practice.api.with_key(key).get("/v1/services").header("x-forwarded-for", client).send()
}

#[test]
fn who_sends_many_wrong_keys_is_told_to_come_back_and_good_keys_are_answered() {
    // So many at once, and one a second after that.
    const AT_ONCE: usize = 10;
    let options = ["--failures-per-second", "1", "--trusted-proxies", "127.0.0.0/8,::1"];
    let server = Server::start_with(&Database::fresh(), &options);
    let practice = Practice::on(&server);
    let (known, unknown) =
        (made(&practice.api, &["availability"]), made(&practice.api, &["availability"]));
    asked_for(&practice, "192.0.2.1", Some(text(&known))).has_status(200);
    let wrong = "daybook_0000000000000000000000_wrong";
    let begun = Instant::now();
    let answers: Vec<_> =
        (0..100).map(|_| asked_for(&practice, "192.0.2.1", Some(wrong))).collect();
    let most = AT_ONCE + usize::try_from(begun.elapsed().as_secs()).unwrap() + 1;
    let refused = answers.iter().filter(|answer| answer.status == 401).count();
    assert!((AT_ONCE..=most).contains(&refused), "{refused} of at most {most}");
    let told = answers.iter().find(|answer| answer.status != 401).expect("one too many");
    told.is_refused(429, "too-many-failures");
    assert_eq!(told.header("ratelimit-policy"), Some("\"address\";q=10;w=10"));
    assert!(told.header("retry-after").is_some());
    // Who was known a moment ago is answered; who is not waits, and who writes another address before the last gains nothing.
    asked_for(&practice, "192.0.2.1", Some(text(&known))).has_status(200);
    asked_for(&practice, "198.51.100.7, 192.0.2.1", None).is_refused(429, "too-many-failures");
    asked_for(&practice, "192.0.2.1", Some(text(&unknown))).is_refused(429, "too-many-failures");
    asked_for(&practice, "192.0.2.2", Some(text(&unknown))).has_status(200);
    asked_for(&practice, "192.0.2.2", Some(wrong)).is_refused(401, "invalid-key");
    let figures = server.operator().get("/metrics").send().text;
    for counted in ["too-many-failures", "invalid-key"] {
        assert!(
            figures.contains(&format!("daybook_refusals_total{{type=\"{counted}\"}}")),
            "{figures}"
        );
    }
    assert!(!server.log().contains(wrong), "what was sent as a key is not in the log");
}

#[test]
fn nobody_but_a_proxy_that_is_named_says_where_a_request_comes_from() {
    let server = Server::start_with(&Database::fresh(), &["--failures-per-second", "1"]);
    let practice = Practice::on(&server);
    let answers: Vec<_> =
        (0..40).map(|n| asked_for(&practice, &format!("192.0.2.{n}"), None)).collect();
    assert!(
        answers.iter().any(|answer| answer.status == 429),
        "another address each time is no way out"
    );
}

#[test]
fn where_there_is_no_room_for_a_connection_the_idle_ones_make_it_and_the_log_says_so_once() {
    let server = Server::start_with(&Database::fresh(), &["--max-connections", "16"]);
    let address = server.url.trim_start_matches("http://");
    let idle: Vec<_> = (0..48).map(|_| TcpStream::connect(address).unwrap()).collect();
    let begun = Instant::now();
    server.api(None).get("/livez").send().has_status(200);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let log = server.log_with(NO_ROOM);
    assert_eq!(log.matches(NO_ROOM).count(), 1, "{log}");
    let evicted = eventually("they are counted", || {
        let figures = server.operator().get("/metrics").send().text;
        let line = figures
            .lines()
            .find(|line| line.starts_with("daybook_http_connections_evicted_total"))?;
        line.rsplit(' ').next()?.parse::<f64>().ok().filter(|evicted| *evicted >= 30.0)
    });
    assert!(evicted >= 30.0);
    drop(idle);
}
