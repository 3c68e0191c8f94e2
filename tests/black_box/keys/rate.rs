//! `serve --requests-per-second`: what one key sends too much is in nobody's way.

use std::thread;
use std::time::{Duration, Instant};

use super::{made, text};
use crate::harness::{Database, Practice, Server};

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
