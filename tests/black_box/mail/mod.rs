//! A mail relay (aiosmtpd), and what it has taken on.
//!
//! `judges`: what others read in it. `killed`: programs that are killed while they hand it over.

pub(crate) mod judges;
pub(crate) mod killed;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Server, child, eventually, within};

/// A relay; killed when dropped.
pub(crate) struct Relay {
    pub(crate) port: u16,
    folder: TempDir,
    child: Mutex<Option<Child>>,
    certificate: Option<[PathBuf; 2]>,
}

/// Mail that was taken on.
#[derive(Debug, Clone)]
pub(crate) struct Mail(pub(crate) Value);

impl Mail {
    #[track_caller]
    pub(crate) fn text(&self, member: &str) -> &str {
        self.0[member].as_str().unwrap_or_else(|| panic!("no {member} in {self:?}"))
    }
}

impl Relay {
    pub(crate) fn start() -> Self {
        Self::of(None)
    }

    /// One that speaks TLS after STARTTLS, and to whoever logs in alone.
    pub(crate) fn secure(certificate: &Path, key: &Path) -> Self {
        Self::of(Some([certificate.to_owned(), key.to_owned()]))
    }

    fn of(certificate: Option<[PathBuf; 2]>) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let folder = TempDir::new().unwrap();
        let relay = Self { port, folder, child: Mutex::default(), certificate };
        relay.start_again();
        relay
    }

    /// What the program is told of it.
    pub(crate) fn options(&self) -> [&'static str; 6] {
        let url = format!("smtp://127.0.0.1:{}?starttls=offered", self.port);
        let url: &'static str = url.leak();
        ["--smtp-url", url, "--smtp-from", FROM, "--smtp-timeout-seconds", "1"]
    }

    /// The same with as much patience as by default: for what is not about a relay that is slow.
    pub(crate) fn patient(&self) -> [&'static str; 4] {
        let [url, its, from, address, ..] = self.options();
        [url, its, from, address]
    }

    pub(crate) fn start_again(&self) {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("black_box/mail/relay.py");
        let mut command = Command::new(python());
        command.arg(program).arg(self.port.to_string()).arg(self.mailbox());
        command.args(self.certificate.iter().flatten()).stdout(Stdio::piped());
        let mut child = child::spawn(command).unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "ready\n");
        *self.child.lock().unwrap() = Some(child);
    }

    pub(crate) fn stop(&self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn mailbox(&self) -> PathBuf {
        self.folder.path().join("mailbox")
    }

    /// All mail, in the order in which it was taken on.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        let text = fs::read_to_string(self.mailbox()).unwrap_or_default();
        // The last line may be half written.
        let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        lines.map(|line| Mail(serde_json::from_str(line).unwrap())).collect()
    }

    /// How many mails there are.
    pub(crate) fn count(&self) -> usize {
        let text = fs::read_to_string(self.mailbox()).unwrap_or_default();
        text.split_inclusive('\n').filter(|line| line.ends_with('\n')).count()
    }

    /// Those to this address.
    pub(crate) fn mails_to(&self, address: &str) -> Vec<Mail> {
        let mut mails = self.mails();
        mails.retain(|mail| mail.0["to"][0] == address);
        mails
    }

    /// Waits until there are so many to this address.
    pub(crate) fn has(&self, count: usize, address: &str) -> Vec<Mail> {
        eventually(&format!("{count} mails to {address}"), || {
            Some(self.mails_to(address)).filter(|mails| mails.len() >= count)
        })
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop();
    }
}

/// It has been due for longer than it takes until it is tried again.
#[track_caller]
pub(crate) fn is_late(server: &Server, series: &str) {
    within(Duration::from_mins(1), series, || (server.figure::<f64>(series) > 17.0).then_some(()));
}

pub(crate) const FROM: &str = "The practice <post@practice.example>";

pub(crate) fn python() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let python = target.join("python/mail/bin/python");
    assert!(
        python.exists(),
        "{} is not there: `cargo xtask test` makes it, from tests/black_box/mail/requirements.txt",
        python.display()
    );
    python
}
