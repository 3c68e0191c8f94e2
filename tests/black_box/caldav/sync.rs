//! What has changed since a program was told last.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use chrono::{Days, NaiveDate};
use serde_json::json;

use super::{Dav, key_with, member, of_room, responses, within};
use crate::harness::{Answer, Practice, a_practice, eventually, monday, today, utc};

/// A program that keeps in step: what it has, and how far it was told.
pub(super) struct Program<'a> {
    dav: &'a Dav,
    pub(super) calendar: String,
    token: String,
    /// The tag of each, by its path.
    pub(super) has: BTreeMap<String, String>,
}

fn ask(dav: &Dav, calendar: &str, token: &str, limit: Option<usize>) -> Answer {
    let limit = limit.map(|limit| format!("<D:limit><D:nresults>{limit}</D:nresults></D:limit>"));
    let limit = limit.unwrap_or_default();
    let body = format!(
        "<D:sync-collection><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>{limit}<D:prop><D:getetag/></D:prop></D:sync-collection>"
    );
    dav.report(calendar, &body)
}

impl<'a> Program<'a> {
    pub(super) fn of(dav: &'a Dav) -> Self {
        let (token, has) = (String::new(), BTreeMap::new());
        Self { dav, calendar: dav.calendar(), token, has }
    }

    /// Is told at most so much; what it was told, and whether there is more.
    #[track_caller]
    fn step(&mut self, limit: Option<usize>) -> (Vec<String>, bool) {
        let answer = ask(self.dav, &self.calendar, &self.token, limit);
        answer.has_status(207);
        let (mut told, mut has_more) = (Vec::new(), false);
        for response in responses(&answer) {
            let path = within(response, "D:href").unwrap().to_owned();
            if path == self.calendar {
                assert!(response.contains("HTTP/1.1 507"), "{answer:?}");
                has_more = true;
                continue;
            }
            if let Some(tag) = within(response, "D:getetag") {
                self.has.insert(path.clone(), tag.replace("&quot;", "\""));
            } else {
                assert!(response.contains("HTTP/1.1 404"), "{answer:?}");
                self.has.remove(&path);
            }
            assert!(!told.contains(&path), "it is told twice: {answer:?}");
            told.push(path);
        }
        assert!(limit.is_none_or(|limit| told.len() <= limit), "{answer:?}");
        within(&answer.text, "D:sync-token").unwrap().clone_into(&mut self.token);
        (told, has_more)
    }

    /// Is told all there is, so much at a time.
    #[track_caller]
    fn walk(&mut self, limit: Option<usize>) {
        for _ in 0..10_000 {
            if !self.step(limit).1 {
                return;
            }
        }
        panic!("there is no end of it");
    }

    /// Asks until it is told of this, and what it is told till then. What was told while the server was catching up may be told again.
    #[track_caller]
    fn told_once(&mut self, path: &str) -> Vec<String> {
        let mut told = Vec::new();
        eventually("it is told", || {
            told.extend(self.step(None).0);
            told.iter().any(|it| it == path).then_some(())
        });
        told
    }

    /// Asks until there is nothing to be told.
    #[track_caller]
    pub(super) fn is_told_no_more(&mut self) {
        eventually("it is told no more", || self.step(None).0.is_empty().then_some(()));
    }

    /// Asks until it has as many.
    #[track_caller]
    pub(super) fn has_once(&mut self, count: usize) {
        eventually("it has as many", || {
            self.walk(None);
            (self.has.len() == count).then_some(())
        });
        self.is_in_step();
    }

    #[track_caller]
    fn is_in_step(&self) {
        let all: BTreeMap<String, String> = self.dav.members(&self.calendar).into_iter().collect();
        assert_eq!(self.has, all);
    }
}

#[test]
fn what_is_booked_moved_or_cancelled_is_told_and_nothing_else() {
    let practice = a_practice();
    let booked: Vec<_> = (8..11).map(|hour| practice.booked(monday(hour, 0))).collect();
    let dav = of_room(&practice);
    let mut program = Program::of(&dav);
    program.has_once(3);
    program.is_told_no_more();
    // What is elsewhere is nothing new here.
    let room = practice.a_room();
    let elsewhere = practice.booking(monday(8, 0)).with("resource_ids", json!([room]));
    let elsewhere = member(&program.calendar, &elsewhere.send().is(201));
    let new = member(&program.calendar, &practice.booked(monday(12, 0)));
    let told = program.told_once(&new);
    assert!(!told.contains(&elsewhere), "{told:?}");
    program.has_once(4);
    practice.act(&booked[0], "reschedule", &json!({"start_at": utc(monday(15, 0))})).is(200);
    program.told_once(&member(&program.calendar, &booked[0]));
    program.is_in_step();
    practice.act(&booked[1], "cancel", &json!({"by": "staff"})).is(200);
    program.has_once(3);
}

#[test]
fn what_moves_to_another_room_is_gone_from_the_one_and_new_in_the_other() {
    let practice = a_practice();
    let room = practice.a_room();
    let booked = practice.booked(monday(8, 0));
    let dav = of_room(&practice);
    let other = Dav::by(&practice, &key_with(&practice, &json!({"resource_ids": [room]})));
    let (mut from, mut to) = (Program::of(&dav), Program::of(&other));
    from.has_once(1);
    to.has_once(0);
    let moved = json!({"start_at": utc(monday(9, 0)), "resource_ids": [room]});
    practice.act(&booked, "reschedule", &moved).is(200);
    from.has_once(0);
    to.has_once(1);
    assert_eq!(to.has.keys().collect::<Vec<_>>(), [&member(&to.calendar, &booked)]);
}

/// Neither is an event of the appointment.
#[test]
fn another_name_and_an_erasure_are_told() {
    let practice = a_practice();
    let client = practice.a_client("Somebody");
    let booking = practice.booking(monday(8, 0)).with("client_id", &*client);
    let booked = booking.send().is(201);
    practice.booked(monday(9, 0));
    let dav = of_room(&practice);
    let mut program = Program::of(&dav);
    program.has_once(2);
    let path = format!("/v1/clients/{client}");
    let appointment = member(&program.calendar, &booked);
    program.is_told_no_more();
    practice.api.patch(&path, &json!({"name": "Somebody else"})).send().is(200);
    program.told_once(&appointment);
    program.is_in_step();
    practice.act(&booked, "check-in", &json!({})).is(200);
    practice.act(&booked, "complete", &json!({})).is(200);
    program.told_once(&appointment);
    practice.api.post(&format!("{path}/erase"), &json!({"reason": "requested"})).send().is(200);
    eventually("the name is gone", || {
        program.walk(None);
        let got = dav.request("GET", &member(&program.calendar, &booked)).send();
        let is_gone = !got.text.contains("Somebody") && program.step(None).0.is_empty();
        is_gone.then_some(())
    });
    program.is_in_step();
}

#[test]
fn whoever_is_told_one_at_a_time_is_told_all_of_it() {
    let practice = a_practice();
    let client = practice.a_client("Somebody");
    let booked: Vec<_> = (8..14)
        .map(|hour| {
            let booking = practice.booking(monday(hour, 0)).with("client_id", &*client);
            booking.send().is(201)
        })
        .collect();
    let dav = of_room(&practice);
    dav.members_once(&dav.calendar(), 6);
    let mut program = Program::of(&dav);
    program.walk(Some(1));
    program.is_in_step();
    // One event changes six, which is more than is told at once.
    let path = format!("/v1/clients/{client}");
    practice.api.patch(&path, &json!({"name": "Somebody else"})).send().is(200);
    for appointment in &booked[..2] {
        practice.act(appointment, "cancel", &json!({"by": "staff"})).is(200);
    }
    let mut whole = Program::of(&dav);
    whole.has_once(4);
    let last = member(&dav.calendar(), &booked[5]);
    eventually("the name is known", || dav.got(&last).0.contains("Somebody else").then_some(()));
    for limit in [1, 4] {
        program.walk(Some(limit));
    }
    program.is_in_step();
}

#[test]
fn a_token_that_was_not_given_out_here_or_not_yet_is_refused() {
    let practice = a_practice();
    practice.booked(monday(8, 0));
    let (dav, other) = (of_room(&practice), of_room(&practice));
    let stranger = of_room(&a_practice());
    let (mut own, mut others) = (Program::of(&dav), Program::of(&other));
    let mut strangers = Program::of(&stranger);
    own.has_once(1);
    others.has_once(1);
    strangers.walk(None);
    let parts: Vec<&str> = own.token.split(':').collect();
    let with = |at: usize, part: &str| {
        let mut parts = parts.clone();
        parts[at] = part;
        parts.join(":")
    };
    let (future, tomorrow) = (with(5, "1000000"), with(7, "29990101"));
    let nonsense = "https://radicale.org/ns/sync/7".to_owned();
    for token in [others.token, strangers.token, future, tomorrow, nonsense, with(5, "-1")] {
        let answer = ask(&dav, &own.calendar, &token, None);
        answer.has_status(403);
        assert!(answer.text.contains("<D:valid-sync-token/>"), "{token}: {answer:?}");
    }
    // It is good for as long as the log is.
    own.is_told_no_more();
}

/// Time off may lie in the past, so days need not pass here for it to leave the calendar.
#[test]
fn what_leaves_the_calendar_as_days_pass_is_told_by_the_day() {
    let practice = a_practice();
    let dav = of_room(&practice);
    let mut program = Program::of(&dav);
    program.walk(None);
    let (now, shown) = (today(), |date: NaiveDate| date.format("%Y%m%d").to_string());
    let path = format!("/v1/resources/{}/exceptions", practice.room);
    let off = |first: NaiveDate, last: NaiveDate| {
        let days = json!({"first": first, "last": last});
        let off = practice.api.post(&path, &json!({"kind": "time-off", "days": days}));
        member(&program.calendar, &off.send().is(201))
    };
    // What is still going on stays, however long ago it began.
    let long = off(now - Days::new(60), now + Days::new(30));
    let over = [45, 40].map(|ago| now - Days::new(ago)).map(|date| off(date, date));
    program.told_once(&over[1]);
    program.is_told_no_more();
    assert_eq!(program.has.keys().collect::<Vec<_>>(), [&long]);
    program.is_in_step();
    let before = shown(now - Days::new(20));
    let mut parts: Vec<&str> = program.token.split(':').collect();
    parts[7] = &before;
    program.token = parts.join(":");
    let told = [program.step(Some(1)), program.step(Some(1))];
    let [first, second] = over.map(|path| vec![path]);
    assert_eq!(told, [(first, true), (second, false)]);
    program.is_in_step();
    let until = program.token.split(':').nth(7).unwrap().to_owned();
    assert!([now, today()].map(shown).contains(&until), "{until}");
    let refused = ask(&dav, &program.calendar, &program.token, Some(0));
    refused.is_refused(400, "invalid-xml");
}

/// The difference of what the log tells is that of all there was and all there is.
#[test]
fn whoever_keeps_in_step_under_load_misses_nothing() {
    let practice = a_practice();
    let dav = of_room(&practice);
    let mut program = Program::of(&dav);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..4_u32)
            .map(|n| {
                scope.spawn({
                    let practice = &practice;
                    move || changes(practice, n)
                })
            })
            .collect();
        let is_over = &is_over;
        let reader = scope.spawn(move || {
            let mut limits = [Some(1), Some(3), None, Some(2)].into_iter().cycle();
            while !is_over.load(Ordering::Relaxed) {
                program.step(limits.next().flatten());
            }
            program
        });
        for writer in writers {
            writer.join().unwrap();
        }
        is_over.store(true, Ordering::Relaxed);
        let mut program = reader.join().unwrap();
        // The last cancelled ones are gone as well.
        program.has_once(4 * 5);
    });
}

/// Books ten, of each two one is cancelled and the other moved; each writer has hours of its own.
fn changes(practice: &Practice, n: u32) {
    for pair in 0..5 {
        let at = |minute| monday(n * 5 + pair, minute);
        let [moved, cancelled] = [0, 30].map(|minute| practice.booked(at(minute)));
        practice.act(&cancelled, "cancel", &json!({"by": "staff"})).is(200);
        practice.act(&moved, "reschedule", &json!({"start_at": utc(at(30))})).is(200);
    }
}
