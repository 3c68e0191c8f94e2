//! The hand-over of a message to a relay, step by step.
//!
//! Whether a message may have been taken depends on one thing: whether its text was begun to be sent (DATA, RFC 5321 section
//! 4.1.1.4). Before that it is safe to hand it over once more; after that, and without an answer, nobody knows. So each step
//! is one of its own here, and each has its own time.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Mechanism;
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use tokio::time::{Instant, timeout};

use super::Letter;
use super::settings::{RelaySettings, StartTls};

/// How long a connection is kept that nothing is handed over on, and for how many messages: relays end older ones.
const MAX_IDLE: Duration = Duration::from_secs(10);
const MAX_MESSAGES: u32 = 100;

/// The answer to a text takes longer than others: relays look into it before they take it on (RFC 5321 section 4.5.3.2.6).
const TEXT_STEPS: u32 = 6;

/// How many are kept.
const MAX_KEPT: usize = 8;

/// Where something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The connection, and the relay's greeting.
    Connection,
    /// STARTTLS: it is required, and is not offered or fails.
    Tls,
    /// Who daybook is: it is not believed, or would have to be said in clear.
    Login,
    /// The envelope.
    Envelope,
}

impl Stage {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Tls => "tls",
            Self::Login => "login",
            Self::Envelope => "envelope",
        }
    }
}

/// What has become of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handed {
    /// The relay has taken it on: from here on it is the relay's.
    Accepted { code: u16 },
    /// It was not taken, and may be later.
    Transient { code: u16 },
    /// It will never be taken.
    Permanent { code: u16 },
    /// The relay never saw it: it is safe to hand it over once more. It is not about the message.
    NotReached { stage: Stage, code: Option<u16> },
    /// It may have been taken.
    Unknown,
}

/// A step that did not succeed.
enum Failed {
    /// The relay said no, by this code.
    Said { code: u16, is_transient: bool },
    /// It said nothing, or nothing that is understood.
    Silent,
}

impl Failed {
    const fn code(&self) -> Option<u16> {
        match self {
            Self::Said { code, .. } => Some(*code),
            Self::Silent => None,
        }
    }
}

/// A relay. Connections are kept for a short time, for whatever comes next.
pub struct Relay {
    settings: RelaySettings,
    tls: TlsParameters,
    hello: ClientId,
    /// For each step.
    patience: Duration,
    kept: Mutex<Vec<Kept>>,
}

struct Kept {
    connection: AsyncSmtpConnection,
    since: Instant,
    messages: u32,
}

impl Relay {
    /// A relay with so much patience for each step. Its certificate is one of a public authority, or of those in `authorities`
    /// (PEM).
    ///
    /// # Errors
    /// When the authorities cannot be read.
    pub fn new(
        settings: RelaySettings,
        authorities: Option<&[u8]>,
        patience: Duration,
    ) -> Result<Self, lettre::transport::smtp::Error> {
        let mut tls = TlsParametersBuilder::new(settings.host.clone());
        if let Some(pem) = authorities {
            tls = tls.add_root_certificate(Certificate::from_pem(pem)?);
        }
        let (tls, hello) = (tls.build()?, ClientId::default());
        Ok(Self { settings, tls, hello, patience, kept: Mutex::default() })
    }

    /// How long a hand-over takes at most.
    #[must_use]
    pub fn longest(&self) -> Duration {
        // The envelope on a kept connection that has ended; connection, STARTTLS, login and envelope; and the text.
        self.patience * (3 + 2 + 2 + 1 + 3 + TEXT_STEPS)
    }

    /// Hands a message over. It never fails: whatever happens, something is known of it.
    pub async fn hand_over(&self, letter: &Letter) -> Handed {
        let mut kept = self.take();
        loop {
            let is_new = kept.is_none();
            let mut used = match kept.take() {
                Some(kept) => kept,
                None => match self.connect().await {
                    Ok(connection) => Kept { connection, since: Instant::now(), messages: 0 },
                    Err((stage, failed)) => {
                        return Handed::NotReached { stage, code: failed.code() };
                    }
                },
            };
            match self.envelope(&mut used.connection, letter).await {
                Ok(()) => return self.text(used, letter).await,
                // It had ended before anything was said: another one.
                Err(Failed::Silent) if !is_new => {}
                Err(failed) => {
                    self.leave(used.connection).await;
                    return not_taken(&failed);
                }
            }
        }
    }

    async fn step<T>(
        &self,
        times: u32,
        step: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Failed> {
        match timeout(self.patience * times, step).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => Err(match error.status() {
                Some(code) => {
                    Failed::Said { code: code.into(), is_transient: error.is_transient() }
                }
                None => Failed::Silent,
            }),
            Err(_) => Err(Failed::Silent),
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, (Stage, Failed)> {
        let RelaySettings { host, port, tls, credentials, .. } = &self.settings;
        let from_the_start = (*tls == StartTls::FromTheStart).then(|| self.tls.clone());
        let connect = AsyncSmtpConnection::connect_tokio1(
            (host.as_str(), *port),
            Some(self.patience),
            &self.hello,
            from_the_start,
            None::<IpAddr>,
        );
        let connected = self.step(2, connect).await;
        let mut connection = connected.map_err(|failed| (Stage::Connection, failed))?;
        let wants_tls = match tls {
            StartTls::FromTheStart => false,
            StartTls::Required => true,
            StartTls::WhereOffered => connection.can_starttls(),
        };
        if wants_tls {
            let secured = self.step(2, connection.starttls(self.tls.clone(), &self.hello)).await;
            secured.map_err(|failed| (Stage::Tls, failed))?;
        }
        if let Some(credentials) = credentials {
            if !connection.is_encrypted() {
                return Err((Stage::Login, Failed::Silent));
            }
            let known = [Mechanism::Plain, Mechanism::Login];
            let believed = self.step(1, connection.auth(&known, credentials)).await;
            believed.map_err(|failed| (Stage::Login, failed))?;
        }
        Ok(connection)
    }

    /// Up to DATA: nothing of the text is sent yet.
    async fn envelope(
        &self,
        connection: &mut AsyncSmtpConnection,
        letter: &Letter,
    ) -> Result<(), Failed> {
        let mut parameters = Vec::new();
        let is_ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
        if !letter.envelope.to().iter().chain(letter.envelope.from()).all(is_ascii) {
            if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                // As a relay would say it that was asked (RFC 6531 section 3.5): no mailbox that it can have.
                return Err(Failed::Said { code: 553, is_transient: false });
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !letter.bytes.is_ascii()
            && connection.server_info().supports_feature(Extension::EightBitMime)
        {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let from = letter.envelope.from().cloned();
        self.step(1, connection.command(Mail::new(from, parameters))).await?;
        for to in letter.envelope.to() {
            self.step(1, connection.command(Rcpt::new(to.clone(), Vec::new()))).await?;
        }
        self.step(1, connection.command(Data)).await.map(drop)
    }

    /// The text, and the answer that counts.
    async fn text(&self, mut used: Kept, letter: &Letter) -> Handed {
        match self.step(TEXT_STEPS, used.connection.message(&letter.bytes)).await {
            Ok(reply) => {
                used.messages += 1;
                used.since = Instant::now();
                self.keep(used).await;
                Handed::Accepted { code: reply.code().into() }
            }
            Err(Failed::Said { code, is_transient }) => {
                self.leave(used.connection).await;
                if is_transient { Handed::Transient { code } } else { Handed::Permanent { code } }
            }
            Err(Failed::Silent) => Handed::Unknown,
        }
    }

    fn take(&self) -> Option<Kept> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|it| it.since.elapsed() < MAX_IDLE);
        kept.pop()
    }

    async fn keep(&self, used: Kept) {
        let left = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if used.messages < MAX_MESSAGES && kept.len() < MAX_KEPT {
                kept.push(used);
                None
            } else {
                Some(used)
            }
        };
        if let Some(used) = left {
            self.leave(used.connection).await;
        }
    }

    /// Says good-bye; nobody waits for the answer for long.
    async fn leave(&self, mut connection: AsyncSmtpConnection) {
        let _ = timeout(Duration::from_secs(1).min(self.patience), connection.quit()).await;
    }
}

/// What a refusal of the envelope means. Codes of logins (RFC 4954 section 6) are not about the message.
const fn not_taken(failed: &Failed) -> Handed {
    match failed {
        Failed::Silent => Handed::NotReached { stage: Stage::Envelope, code: None },
        Failed::Said { code: code @ (530 | 534 | 535 | 538), .. } => {
            Handed::NotReached { stage: Stage::Login, code: Some(*code) }
        }
        Failed::Said { code, is_transient: true } => Handed::Transient { code: *code },
        Failed::Said { code, is_transient: false } => Handed::Permanent { code: *code },
    }
}
