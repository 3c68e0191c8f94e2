//! How mail is sent: the options, and what is made of them.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, ensure};
use clap::Args;
use daybook_integrations::mail::{
    CalendarPart, Letter, LetterError, Mail, Mailbox, Relay, RelaySettings, sender,
};
use daybook_wording::Written;
use uuid::Uuid;

/// A password is no longer.
const MAX_PASSWORD: u64 = 4_096;

/// The relay that takes mail to clients.
#[derive(Args, Clone)]
#[expect(clippy::struct_field_names, reason = "the options have these names")]
pub(crate) struct SmtpOptions {
    /// The relay that takes mail to clients: smtp://USER:PASSWORD@HOST:PORT, which becomes TLS by STARTTLS, or smtps://, which is
    /// from the start. With ?starttls=offered after it, also without TLS where the relay offers none: for one on this machine
    /// [default: no mail is sent].
    #[arg(long, env = "DAYBOOK_SMTP_URL", hide_env_values = true, requires = "smtp_from")]
    smtp_url: Option<String>,
    /// A file with the password of the user that --smtp-url names.
    #[arg(long, env = "DAYBOOK_SMTP_PASSWORD_FILE", requires = "smtp_url")]
    smtp_password_file: Option<PathBuf>,
    /// From whom mail to clients is: Name <post@example.org>.
    #[arg(long, env = "DAYBOOK_SMTP_FROM")]
    smtp_from: Option<String>,
    /// More authorities of which the relay may have its certificate (PEM).
    #[arg(long, env = "DAYBOOK_SMTP_CA", requires = "smtp_url")]
    smtp_ca: Option<PathBuf>,
    /// For how many seconds it is waited for each answer of the relay, and for that to a text six times as long: 1 to 120.
    #[arg(long, env = "DAYBOOK_SMTP_TIMEOUT_SECONDS", value_parser = clap::value_parser!(u16).range(1..=120),
          default_value_t = 10)]
    smtp_timeout_seconds: u16,
}

/// How mail is sent.
pub(crate) struct Mailing {
    settings: RelaySettings,
    authorities: Option<Vec<u8>>,
    patience: Duration,
    from: Mailbox,
}

impl SmtpOptions {
    /// How mail is sent, where it is.
    ///
    /// # Errors
    /// When it cannot be sent so. What is wrong is said without a word of what was given: it has a password.
    pub(crate) fn mailing(&self) -> anyhow::Result<Option<Mailing>> {
        let Some(url) = self.smtp_url.as_deref().filter(|url| !url.is_empty()) else {
            return Ok(None);
        };
        let mut settings: RelaySettings = url.parse().context("--smtp-url")?;
        if let Some(path) = &self.smtp_password_file {
            let file = || format!("--smtp-password-file {}", path.display());
            let size = fs::metadata(path).with_context(file)?.len();
            ensure!(size <= MAX_PASSWORD, "{}: no password is so long", file());
            let password = fs::read_to_string(path).with_context(file)?;
            let password = password.trim_end_matches(['\r', '\n']).to_owned();
            settings = settings.with_password(password).with_context(file)?;
        }
        let from = self.smtp_from.as_deref().unwrap_or_default();
        let from = sender(from).map_err(anyhow::Error::msg).context("--smtp-from")?;
        let authorities = match &self.smtp_ca {
            Some(path) => {
                let read = fs::read(path);
                Some(read.with_context(|| format!("--smtp-ca {}", path.display()))?)
            }
            None => None,
        };
        let patience = Duration::from_secs(self.smtp_timeout_seconds.into());
        Ok(Some(Mailing { settings, authorities, patience, from }))
    }
}

impl Mailing {
    pub(super) fn relay(&self) -> anyhow::Result<Relay> {
        Relay::new(self.settings.clone(), self.authorities.as_deref(), self.patience)
            .context("--smtp-ca")
    }

    /// What a message is known by, if it is begun with this try.
    pub(super) fn message_id(&self, id: Uuid, attempt: u16) -> String {
        format!("{}.{attempt}@{}", id.simple(), self.domain())
    }

    pub(super) const fn from(&self) -> &Mailbox {
        &self.from
    }

    fn domain(&self) -> &str {
        let domain = self.from.email.domain();
        // A literal has brackets, and a name may have letters, that an id does not.
        let is_told = domain.is_ascii() && !domain.starts_with('[');
        if is_told { domain } else { "daybook.invalid" }
    }

    pub(super) fn letter(
        &self,
        to: &str,
        message_id: &str,
        written: &Written,
        (calendar, date): (Option<&CalendarPart>, SystemTime),
    ) -> Result<Letter, LetterError> {
        let mail = Mail {
            message_id,
            to,
            subject: &written.subject,
            text: &written.text,
            html: written.html.as_deref(),
            calendar,
            date,
        };
        Letter::new(&self.from, &mail)
    }
}
