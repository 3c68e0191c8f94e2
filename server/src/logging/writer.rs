//! Writes lines from a thread of its own: whoever logs never waits for whoever reads the log. If that is too slow,
//! lines are dropped, and counted.

use std::io::{self, Write};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::thread;
use std::time::{Duration, Instant};

use daybook_store::metrics::LOG_LINES_DROPPED;
use metrics::counter;
use tracing_subscriber::fmt::MakeWriter;

/// Lines that may wait to be written.
const QUEUE: usize = 8_192;

/// So much is written at once.
const CHUNK_BYTES: usize = 64 << 10;

/// How long the end of the program waits for what is not written yet.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// How often it looks meanwhile whether there is room to ask for that.
const ROOM_INTERVAL: Duration = Duration::from_millis(10);

enum Order {
    Write(Vec<u8>),
    /// Answer when all before it is written.
    Answer(SyncSender<()>),
}

/// Takes lines. Cheap to clone.
#[derive(Clone)]
pub(super) struct Writer(SyncSender<Order>);

/// Writes what waits when it is dropped.
pub(super) struct Written(SyncSender<Order>);

impl Writer {
    pub(super) fn to(output: impl Write + Send + 'static) -> (Self, Written) {
        let (orders, received) = mpsc::sync_channel(QUEUE);
        thread::spawn(move || write(&received, output));
        (Self(orders.clone()), Written(orders))
    }

    /// A line, with its end.
    pub(super) fn line(&self, line: Vec<u8>) {
        if let Err(TrySendError::Full(_)) = self.0.try_send(Order::Write(line)) {
            counter!(LOG_LINES_DROPPED).increment(1);
        }
    }
}

fn write(orders: &Receiver<Order>, mut output: impl Write) {
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    while let Ok(first) = orders.recv() {
        let mut next = Some(first);
        while let Some(order) = next.take() {
            match order {
                Order::Write(line) => chunk.extend(line),
                Order::Answer(reply) => {
                    let _ = output.write_all(&chunk);
                    chunk.clear();
                    let _ = reply.try_send(());
                }
            }
            if chunk.len() < CHUNK_BYTES {
                next = orders.try_recv().ok();
            }
        }
        // There is nobody to tell.
        let _ = output.write_all(&chunk);
        chunk.clear();
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        let deadline = Instant::now() + END_TIMEOUT;
        let (reply, answered) = mpsc::sync_channel(1);
        let mut order = Order::Answer(reply);
        // What a full queue holds are the last lines, which say why the program ends.
        while let Err(TrySendError::Full(refused)) = self.0.try_send(order) {
            if Instant::now() >= deadline {
                return;
            }
            order = refused;
            thread::sleep(ROOM_INTERVAL);
        }
        let _ = answered.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    }
}

impl Write for &Writer {
    /// tracing writes a whole line at once.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.line(line.to_vec());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Writer {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Whoever reads it has stopped reading.
    struct Stuck(Receiver<()>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_was_logged_is_written_when_the_program_ends() {
        let kept = Kept::default();
        let (writer, written) = Writer::to(kept.clone());
        for number in 0..1_000 {
            writer.line(format!("{number}\n").into_bytes());
        }
        drop(written);
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1_000);
        assert!(text.ends_with("999\n"));
    }

    #[test]
    fn nobody_waits_for_a_reader_that_has_stopped() {
        let (unstick, stuck) = mpsc::channel();
        let (writer, written) = Writer::to(Stuck(stuck));
        let began = Instant::now();
        for _ in 0..2 * QUEUE {
            writer.line(b"a line\n".to_vec());
        }
        drop(written);
        assert!(began.elapsed() < 5 * END_TIMEOUT, "{:?}", began.elapsed());
        drop(unstick);
    }
}
