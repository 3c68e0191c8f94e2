//! `daybook replay`

use std::time::Instant;

use serde_json::Value;

use super::events;
use crate::harness::{Server, a_practice, monday};

fn lines(said: &str) -> Vec<Value> {
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_replay_tells_the_events_again_and_as_slowly_as_is_asked() {
    let practice = a_practice();
    std::thread::sleep(std::time::Duration::from_millis(600));
    practice.booked(monday(10, 0));
    let all = events(&practice.api, "");
    let replay = |more: &[&str]| {
        let arguments = [&["replay", "--tenant", &practice.tenant], more].concat();
        let began = Instant::now();
        (lines(&Server::shared().database.run(&arguments).succeeded()), began.elapsed())
    };
    assert_eq!(replay(&[]).0, all);
    let booked = events(&practice.api, "event_type=AppointmentBooked");
    assert_eq!(replay(&["--event-type", "AppointmentBooked"]).0, booked);
    let (slow, took) = replay(&["--speed", "0.5"]);
    assert_eq!(slow, all);
    assert!(took.as_millis() >= 1_200, "twice as long as it took: {took:?}");
}
