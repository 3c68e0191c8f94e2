//! One personal member of something, whatever its type: to be sealed, opened or erased.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::{Personal, Sealed};
use crate::{Email, Language, Metadata, Name, Note, Phone, Reason, Reference, Title};

/// A type of content that can be sealed.
pub trait Sealable: Serialize + DeserializeOwned + Send {
    /// What no two may have the same of, where it is such a thing: a token stands for it in the open.
    fn unique(&self) -> Option<&str> {
        None
    }
}

impl Sealable for Name {}
impl Sealable for Email {}
impl Sealable for Phone {}
impl Sealable for Language {}
impl Sealable for Note {}
impl Sealable for Reason {}
impl Sealable for Title {}
impl Sealable for Metadata {}
impl Sealable for Value {}

impl Sealable for Reference {
    fn unique(&self) -> Option<&str> {
        Some(self.as_str())
    }
}

/// A member that is [`Personal`].
pub trait PersonalMember: Send {
    /// What is to be sealed, as JSON; `None`: nothing is clear.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    fn clear(&self) -> Result<Option<String>, serde_json::Error>;

    /// Whether there is something to be sealed.
    fn is_clear(&self) -> bool;

    /// What a token has to stand for, if it is clear and no two may have the same.
    fn unique(&self) -> Option<&str>;

    /// What is sealed, if it is.
    fn sealed(&self) -> Option<&Sealed>;

    /// Has the ciphertext from now on.
    fn seal(&mut self, sealed: Sealed);

    /// Has this content, which is JSON, from now on.
    ///
    /// # Errors
    /// When it is none of its type.
    fn open(&mut self, json: &str) -> Result<(), serde_json::Error>;

    /// Has no content any more.
    fn erase(&mut self);

    /// Has none for whoever asks.
    fn withhold(&mut self);
}

impl<T: Sealable> PersonalMember for Personal<T> {
    fn clear(&self) -> Result<Option<String>, serde_json::Error> {
        self.reveal().map(serde_json::to_string).transpose()
    }

    fn is_clear(&self) -> bool {
        matches!(self, Self::Clear(_))
    }

    fn unique(&self) -> Option<&str> {
        self.reveal()?.unique()
    }

    fn sealed(&self) -> Option<&Sealed> {
        if let Self::Sealed(sealed) = self { Some(sealed) } else { None }
    }

    fn seal(&mut self, sealed: Sealed) {
        *self = Self::Sealed(Box::new(sealed));
    }

    fn open(&mut self, json: &str) -> Result<(), serde_json::Error> {
        *self = Self::Clear(serde_json::from_str(json)?);
        Ok(())
    }

    fn erase(&mut self) {
        *self = Self::Erased;
    }

    fn withhold(&mut self) {
        *self = Self::Withheld;
    }
}

impl<T> Personal<T> {
    /// The token that stands for what is sealed.
    pub(crate) fn token(&self) -> Option<Uuid> {
        if let Self::Sealed(sealed) = self { sealed.token } else { None }
    }
}
