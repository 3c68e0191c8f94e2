//! A broker that is away, full, or has lost something: it is told later, and daybook serves.

use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use super::broker::Rabbit;
use super::{COPY, api, are_whole, as_relay, at, bind, booked, fails, head, is_all_published};
use super::{relay, waiting};
use crate::harness::{Database, Practice, Server, within};

#[test]
fn a_broker_that_is_away_full_or_has_no_queue_is_told_later_and_daybook_serves() {
    let mut rabbit = Rabbit::start();
    rabbit.kill_dash_9();
    let database = Database::fresh();
    let api = api(&database);
    let practice = Practice::on(&api);
    booked(&practice, 0, 3);
    let relay = relay(&database, &rabbit);
    fails(&database, "not-connected");
    rabbit.start_again();
    // No queue takes the first event. Those after it that one takes are not published again and again meanwhile.
    bind(&rabbit, "*.appointment.*");
    fails(&database, "unroutable");
    let tries = unroutable(&relay) + 2;
    within(Duration::from_mins(2), "it is tried again", || {
        (unroutable(&relay) >= tries).then_some(())
    });
    bind(&rabbit, "#");
    is_all_published(&database, 1);
    let messages = waiting(&rabbit, COPY);
    are_whole(&messages, &practice.tenant, 0, head(&practice));
    assert!(messages.len() < usize::try_from(head(&practice)).unwrap() + 3, "{}", messages.len());
    assert!(!relay.log().contains("returned us"), "{}", relay.log());
    // A broker whose memory is full says nothing at all.
    rabbit.control(&["set_vm_memory_high_watermark", "absolute", "1"]);
    let before = head(&practice);
    booked(&practice, 3, 2);
    fails(&database, "blocked");
    rabbit.control(&["set_vm_memory_high_watermark", "0.9"]);
    is_all_published(&database, 1);
    are_whole(&waiting(&rabbit, COPY), &practice.tenant, before, head(&practice));
}

/// How often a relay has met a message that no queue takes.
fn unroutable(relay: &Server) -> u64 {
    relay.figure("daybook_relay_events_total{outcome=\"unroutable\"}")
}

#[test]
fn what_a_broker_has_lost_is_published_again_when_it_is_told_to() {
    let rabbit = Rabbit::start();
    bind(&rabbit, "#");
    let database = Database::fresh();
    let (api, _relay) = (api(&database), relay(&database, &rabbit));
    let practice = Practice::on(&api);
    booked(&practice, 0, 2);
    is_all_published(&database, 1);
    let before = head(&practice);
    // The exchange is deleted meanwhile: it is made anew, and its queue is to be bound again.
    at(&rabbit, "channel.exchange_delete('daybook')");
    booked(&practice, 2, 1);
    fails(&database, "unroutable");
    // So is the queue, with all that was in it.
    at(&rabbit, "channel.queue_delete('copy')");
    booked(&practice, 3, 1);
    bind(&rabbit, "#");
    is_all_published(&database, 1);
    are_whole(&waiting(&rabbit, COPY), &practice.tenant, before, head(&practice));
    let replay = ["relay", "replay", "--tenant", &practice.tenant];
    let from = |after: u64| [&replay[..], &["--after", &after.to_string()]].concat().join(" ");
    let run = |command: &str| database.run(&command.split(' ').collect::<Vec<_>>());
    run(&from(head(&practice) + 1)).failed();
    for (command, after) in [(from(before), before), ("relay replay".to_owned(), 0)] {
        run(&command).succeeded();
        let mut messages = Vec::new();
        within(Duration::from_mins(1), "it comes again", || {
            messages.extend(waiting(&rabbit, COPY));
            let last = messages.last()?["event"]["id"].as_str()?.to_owned();
            (last == head(&practice).to_string()).then_some(())
        });
        are_whole(&messages, &practice.tenant, after, head(&practice));
    }
}

/// One that is no broker's URL is refused at the start, and so is one whose host would be taken for this machine.
#[test]
fn a_url_that_is_no_brokers_is_refused() {
    let database = Database::fresh();
    for url in ["broker:5672", "http://127.0.0.1", "amqps://guest:secret@[::1]"] {
        let arguments = [&["serve", "--listen", "127.0.0.1:0"], &as_relay(url)[..]].concat();
        let said = database.run(&arguments).failed();
        assert!(
            said.contains("a broker's URL is like amqp://") && !said.contains("secret"),
            "{said}"
        );
    }
}

/// Tests of brokers come and go on one machine.
#[test]
fn a_broker_of_a_test_leaves_nothing_behind() {
    let rabbit = Rabbit::start();
    let folder = rabbit.folder().to_owned();
    assert!(processes_of(&folder) >= 2, "the node, and what it has started");
    drop(rabbit);
    within(Duration::from_secs(30), "nothing runs any longer", || {
        (processes_of(&folder) == 0).then_some(())
    });
    assert!(!folder.exists());
}

/// How many processes have this folder in their environment.
fn processes_of(folder: &Path) -> usize {
    let folder = folder.to_str().unwrap();
    let of_it = |process: &io::Result<fs::DirEntry>| {
        let path = process.as_ref().unwrap().path().join("environ");
        fs::read(path).is_ok_and(|it| String::from_utf8_lossy(&it).contains(folder))
    };
    fs::read_dir("/proc").unwrap().filter(of_it).count()
}
