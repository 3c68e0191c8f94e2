//! Which relay takes the mail, and from whom it is.

use std::fmt;
use std::str::FromStr;

use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use ureq::http::Uri;

/// The port of submission (RFC 6409), and that of submission over TLS (RFC 8314).
const SUBMISSION: u16 = 587;
const SUBMISSIONS: u16 = 465;

/// What is wrong with the settings. It never repeats them: they have a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    #[error(
        "a relay is smtp://HOST or smtps://HOST, with USER:PASSWORD@ before and :PORT after the host where they are needed"
    )]
    Url,
    #[error("after a relay there can be ?starttls=required or ?starttls=offered, and nothing else")]
    Query,
    #[error(
        "what is not a letter, a digit or -._~ in a user or password is written as in URLs: %40 for @"
    )]
    Escape,
    #[error("a password without a user")]
    NoUser,
}

/// Whether a connection must become one of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartTls {
    /// It is one from the beginning (RFC 8314).
    FromTheStart,
    /// By STARTTLS (RFC 3207), or nothing is handed over.
    Required,
    /// Where it is offered: somebody in between can take the offer away. For relays on this machine.
    WhereOffered,
}

/// A relay, and how it is spoken to.
#[derive(Clone)]
pub struct RelaySettings {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: StartTls,
    pub(super) credentials: Option<Credentials>,
    user: Option<String>,
}

impl fmt::Debug for RelaySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Without who says that they are who.
impl fmt::Display for RelaySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl FromStr for RelaySettings {
    type Err = SettingsError;

    fn from_str(text: &str) -> Result<Self, SettingsError> {
        let uri: Uri = text.parse().map_err(|_| SettingsError::Url)?;
        let is_secure = match uri.scheme_str() {
            Some("smtp") => false,
            Some("smtps") => true,
            _ => return Err(SettingsError::Url),
        };
        let authority = uri.authority().ok_or(SettingsError::Url)?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(SettingsError::Url)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if !matches!(uri.path(), "" | "/") {
            return Err(SettingsError::Url);
        }
        let tls = match (is_secure, uri.query()) {
            (true, None) => StartTls::FromTheStart,
            (false, None | Some("starttls=required")) => StartTls::Required,
            (false, Some("starttls=offered")) => StartTls::WhereOffered,
            _ => return Err(SettingsError::Query),
        };
        let port = uri.port_u16().unwrap_or(if is_secure { SUBMISSIONS } else { SUBMISSION });
        let (mut user, mut credentials) = (None, None);
        if let Some((who, _)) = authority.as_str().rsplit_once('@') {
            let (name, password) = who.split_once(':').unwrap_or((who, ""));
            let (name, password) = (unescaped(name)?, unescaped(password)?);
            if name.is_empty() {
                return Err(SettingsError::NoUser);
            }
            user = Some(name.clone());
            credentials = (!password.is_empty()).then(|| Credentials::new(name, password));
        }
        Ok(Self { host, port, tls, credentials, user })
    }
}

impl RelaySettings {
    /// The same, with the password from elsewhere.
    ///
    /// # Errors
    /// When there is no user who would have it.
    pub fn with_password(self, password: String) -> Result<Self, SettingsError> {
        let user = self.user.clone().ok_or(SettingsError::NoUser)?;
        Ok(Self { credentials: Some(Credentials::new(user, password)), ..self })
    }
}

/// What `%40` and the like stand for.
fn unescaped(text: &str) -> Result<String, SettingsError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let (high, low) = (digit(rest.next()), digit(rest.next()));
        let code = high.zip(low).map(|(high, low)| high * 16 + low);
        bytes.push(code.and_then(|code| u8::try_from(code).ok()).ok_or(SettingsError::Escape)?);
    }
    String::from_utf8(bytes).map_err(|_| SettingsError::Escape)
}

/// From whom mail is, as `Name <address>` or an address.
///
/// # Errors
/// When it is neither.
pub fn sender(text: &str) -> Result<Mailbox, &'static str> {
    text.parse().map_err(|_| "from whom mail is: Name <post@example.org>, or an address alone")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Result<RelaySettings, SettingsError> {
        text.parse()
    }

    #[test]
    fn a_relay_is_a_url_with_ports_of_its_own() {
        let plain = settings("smtp://relay.example").unwrap();
        assert_eq!(
            (plain.to_string(), plain.tls),
            ("relay.example:587".into(), StartTls::Required)
        );
        assert!(plain.credentials.is_none());
        let secure = settings("smtps://us%40er:p%3Aw@relay.example").unwrap();
        assert_eq!(secure.to_string(), "relay.example:465");
        assert_eq!(secure.tls, StartTls::FromTheStart);
        assert_eq!(secure.credentials, Some(Credentials::new("us@er".into(), "p:w".into())));
        let local = settings("smtp://[::1]:2525?starttls=offered").unwrap();
        assert_eq!((local.host.as_str(), local.port), ("::1", 2525));
        assert_eq!(local.tls, StartTls::WhereOffered);
    }

    #[test]
    fn the_password_can_be_elsewhere_and_is_never_shown() {
        let settings = settings("smtp://user@relay.example").unwrap();
        assert!(settings.credentials.is_none());
        let settings = settings.with_password("secret".into()).unwrap();
        assert_eq!(settings.credentials, Some(Credentials::new("user".into(), "secret".into())));
        assert!(!format!("{settings:?} {settings}").contains("secret"));
        assert!(!format!("{settings:?} {settings}").contains("user"));
        let nobody = self::settings("smtp://relay.example").unwrap();
        assert_eq!(nobody.with_password("secret".into()).err(), Some(SettingsError::NoUser));
    }

    #[test]
    fn what_is_no_relay_is_refused_without_a_word_of_it() {
        for (text, error) in [
            ("relay.example", SettingsError::Url),
            ("http://relay.example", SettingsError::Url),
            ("smtp://", SettingsError::Url),
            ("smtp://relay.example/path", SettingsError::Url),
            ("smtp://relay.example?starttls=never", SettingsError::Query),
            ("smtps://relay.example?starttls=offered", SettingsError::Query),
            ("smtp://a%4:b@relay.example", SettingsError::Escape),
            ("smtp://:b@relay.example", SettingsError::NoUser),
        ] {
            assert_eq!(settings(text).err(), Some(error), "{text}");
        }
    }
}
