//! How much is on its way at once, seen by somebody who stands between the relay and its broker.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use super::broker::Rabbit;
use super::{api, are_whole, as_relay, bind, booked, head, is_all_published, waiting};
use crate::harness::{Database, Practice, Server};

const WINDOW: usize = 256;

/// How long an acknowledgement is held. After a failure one goes ahead: it is not held for ever.
const HELD: Duration = Duration::from_secs(10);

/// Frames of AMQP 0.9.1 (section 4.2.3 of its specification), and methods of them.
const METHOD: u8 = 1;
const OPEN: [u8; 4] = [0, 20, 0, 10];
const PUBLISH: [u8; 4] = [0, 60, 0, 40];
const ACK: [u8; 4] = [0, 60, 0, 80];

struct Frame {
    bytes: Vec<u8>,
}

impl Frame {
    fn read(from: &mut impl Read) -> io::Result<Self> {
        let mut bytes = vec![0; 7];
        from.read_exact(&mut bytes)?;
        let size = u32::from_be_bytes(bytes[3..7].try_into().unwrap());
        // It ends with a byte more.
        bytes.resize(7 + usize::try_from(size).unwrap() + 1, 0);
        from.read_exact(&mut bytes[7..])?;
        Ok(Self { bytes })
    }

    fn is(&self, method: [u8; 4]) -> bool {
        self.bytes[0] == METHOD && self.bytes[7..11] == method
    }

    fn channel(&self) -> u16 {
        u16::from_be_bytes([self.bytes[1], self.bytes[2]])
    }

    /// Of an acknowledgement: up to which message, and whether of all before it, too.
    fn acknowledged(&self) -> (u64, bool) {
        (u64::from_be_bytes(self.bytes[11..19].try_into().unwrap()), self.bytes[19] & 1 == 1)
    }
}

/// What was seen: by channel, how many were published and which of these are on their way.
#[derive(Default)]
struct Seen {
    channels: BTreeMap<u16, (u64, BTreeSet<u64>)>,
    most: usize,
}

/// Passes all on, but holds acknowledgements until there are as many on their way as there may be.
#[derive(Default)]
struct Between {
    seen: Mutex<Seen>,
    is_full: Condvar,
}

impl Between {
    /// Where the broker is reached through it.
    fn start(rabbit: &Rabbit) -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let between = Arc::new(Self::default());
        let (broker, passes) = (rabbit.port(), Arc::clone(&between));
        thread::spawn(move || {
            for relay in listener.incoming() {
                let (relay, broker) =
                    (relay.unwrap(), TcpStream::connect(("127.0.0.1", broker)).unwrap());
                let ends = [relay.try_clone().unwrap(), broker.try_clone().unwrap()];
                let (to, from) = (Arc::clone(&passes), Arc::clone(&passes));
                thread::spawn(move || to.to_broker(relay, broker));
                let [relay, broker] = ends;
                thread::spawn(move || from.to_relay(broker, relay));
            }
        });
        (between, rabbit.url_at_port(port))
    }

    fn to_broker(&self, mut relay: TcpStream, mut broker: TcpStream) {
        let mut passed = || -> io::Result<()> {
            let mut header = [0; 8];
            relay.read_exact(&mut header)?;
            broker.write_all(&header)?;
            loop {
                let frame = Frame::read(&mut relay)?;
                if frame.is(OPEN) {
                    self.seen.lock().unwrap().channels.remove(&frame.channel());
                }
                if frame.is(PUBLISH) {
                    let mut seen = self.seen.lock().unwrap();
                    let (count, under_way) = seen.channels.entry(frame.channel()).or_default();
                    *count += 1;
                    under_way.insert(*count);
                    seen.most = seen.most.max(seen.channels[&frame.channel()].1.len());
                    self.is_full.notify_all();
                }
                broker.write_all(&frame.bytes)?;
            }
        };
        let _ = passed();
        let _ = broker.shutdown(Shutdown::Both);
    }

    fn to_relay(&self, mut broker: TcpStream, mut relay: TcpStream) {
        let mut passed = || -> io::Result<()> {
            loop {
                let frame = Frame::read(&mut broker)?;
                if frame.is(ACK) {
                    let seen = self.seen.lock().unwrap();
                    let waits = |seen: &mut Seen| seen.most < WINDOW;
                    let (mut seen, _) = self.is_full.wait_timeout_while(seen, HELD, waits).unwrap();
                    let (last, is_all) = frame.acknowledged();
                    let (_, under_way) = seen.channels.entry(frame.channel()).or_default();
                    under_way.retain(|tag| if is_all { *tag > last } else { *tag != last });
                }
                relay.write_all(&frame.bytes)?;
            }
        };
        let _ = passed();
        let _ = relay.shutdown(Shutdown::Both);
    }
}

#[test]
fn no_more_is_on_its_way_at_once_than_a_window() {
    let rabbit = Rabbit::start();
    bind(&rabbit, "#");
    let database = Database::fresh();
    let api = api(&database);
    let practice = Practice::on(&api);
    booked(&practice, 0, 300);
    let (between, url) = Between::start(&rabbit);
    let _relay = Server::start_with(&database, &as_relay(&url));
    is_all_published(&database, 1);
    assert_eq!(between.seen.lock().unwrap().most, WINDOW);
    are_whole(&waiting(&rabbit, super::COPY), &practice.tenant, 0, head(&practice));
}
