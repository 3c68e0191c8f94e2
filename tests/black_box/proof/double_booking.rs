//! 64 clients who want 50 slots.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, Utc};

use super::client::{Client, HotSlots, MAX_CLIENTS};
use super::finding::Finding;
use super::follower::Follower;
use super::recorder::{History, Operation, Recorder};
use super::{accounts, claims, holds_without_number, verified};
use crate::harness::{Database, Practice, Server, Sql, eventually, seed, size};

const CLIENTS: usize = MAX_CLIENTS;

/// The shortest hold there is.
const HOLD_MINUTES: u32 = 1;

#[test]
fn of_64_clients_on_50_hot_slots_no_two_ever_have_the_same_time() {
    let attempts = size("DAYBOOK_PROOF_ATTEMPTS", 2_000_usize).div_ceil(CLIENTS);
    // As it is run, and tidied up while it works: the tests' own cluster is not.
    let database = Database::embedded();
    let server = Server::start(&database);
    let practice = Practice::on(&server);
    practice.settings(&holds_without_number());
    let wanted = HotSlots::of(&practice, HOLD_MINUTES);
    let recorder = Recorder::new(seed("double booking"), &practice.api);
    let mut clients: Vec<_> =
        (0..CLIENTS).map(|number| Client::new(number, &wanted, &recorder)).collect();
    let (mut sql, over) = (database.sql(), AtomicBool::new(false));

    let (followed, working) = thread::scope(|scope| {
        let tenant = &*practice.tenant;
        let follower = scope.spawn(|| Follower::default().follow(&mut sql, tenant, &over));
        let over = Over(&over);
        let mut working = load(&mut clients, attempts / 2);
        // The second half comes while the first one's holds lapse.
        thread::sleep(until_the_first_lapses(&recorder.history()));
        working += load(&mut clients, attempts - attempts / 2);
        drop(over);
        (follower.join().unwrap(), working)
    });

    drop(clients);
    let history = recorder.settled();
    let followed = followed.unwrap();
    holds(&mut sql, &practice.tenant, &history).unwrap();
    verified::is_whole(&database).unwrap();
    database.projections_are_what_the_log_says();
    assert!(followed.pages > 10, "it followed while the log grew: {} pages", followed.pages);
    all_kinds_of_things_happened(&mut sql, &practice.tenant, &history);
    println!(
        "{} sent in {:.1} s of load, {} accepted, {} refused, {} asked for again; \
         {} events followed in {} pages",
        history.sent,
        working.as_secs_f64(),
        history.accepted().count(),
        history.refused().count(),
        history.asked_again(),
        followed.events(),
        followed.pages,
    );
}

/// All that must hold of a log and of what its clients were told.
pub(super) fn holds(sql: &mut Sql, tenant: &str, history: &History) -> Result<(), Finding> {
    accounts::all_were_answered(history)?;
    accounts::no_key_has_two_effects(sql, tenant)?;
    accounts::log_is_what_was_answered(sql, tenant, history)?;
    Follower::default().catch_up(sql, tenant)?;
    claims::no_double_booking(sql, tenant)?;
    claims::claims_are_what_the_log_says(sql, tenant)
}

/// All clients at once; how long it took.
fn load(clients: &mut [Client], attempts: usize) -> Duration {
    let begun = Instant::now();
    thread::scope(|scope| {
        for client in clients {
            scope.spawn(move || client.work(attempts));
        }
    });
    begun.elapsed()
}

fn until_the_first_lapses(history: &History) -> Duration {
    let first = history.accepted().filter_map(|(_, seen)| seen.hold_expires_at).min();
    let first = first.expect("something was held");
    (first - DateTime::<Utc>::from(SystemTime::now())).to_std().unwrap_or_default()
}

/// Otherwise it would prove little.
fn all_kinds_of_things_happened(sql: &mut Sql, tenant: &str, history: &History) {
    let done = |what: fn(&Operation) -> bool| {
        history.accepted().filter(|(record, _)| what(&record.operation)).count()
    };
    let booked = done(|operation| matches!(operation, Operation::Book { .. }));
    let moved = done(|operation| matches!(operation, Operation::Reschedule { .. }));
    let confirmed = done(|operation| matches!(operation, Operation::Confirm(_)));
    let cancelled = done(|operation| matches!(operation, Operation::Cancel(_)));
    let taken = history.refused().count();
    let lapsed = eventually("the holds that have lapsed are recorded", || {
        let query = "SELECT count(*) FROM events
                      WHERE tenant_id = $1 AND event_type = 'AppointmentHoldExpired'";
        let lapsed = sql.number(query, tenant);
        (lapsed > 0).then_some(lapsed)
    });
    let happened = format!(
        "{booked} booked or held, {moved} moved, {confirmed} confirmed, {cancelled} cancelled, \
         {lapsed} lapsed, {taken} refused"
    );
    println!("{happened}");
    let enough = [booked, cancelled].iter().all(|count| *count > history.sent / 100);
    assert!(enough && moved > 0 && confirmed > 0 && taken > history.sent / 10, "{happened}");
    assert!(they_met(history) > history.sent / 2, "most were sent while others were under way");
}

/// How many were sent before the one before had its answer.
fn they_met(history: &History) -> usize {
    let mut spans: Vec<_> = history.records.iter().map(|r| (r.invoked, r.completed)).collect();
    spans.sort_unstable();
    spans.windows(2).filter(|pair| pair[1].0 < pair[0].1).count()
}

/// Says that it is over when it is dropped, whatever happens until then.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}
