//! Data about a person.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Something that identifies or describes a client: a name, an address, a note.
///
/// It is the one place to touch when personal data is to be sealed with the client's own key.
/// Until then it serialises as its content. It never shows itself in a debug print, so no log
/// line can leak it; whoever needs the content says so with [`Personal::reveal`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Personal<T>(T);

impl<T> Personal<T> {
    /// Marks `content` as personal.
    pub const fn new(content: T) -> Self {
        Self(content)
    }

    /// The content, for those who have a right to it.
    pub const fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_data_never_shows_in_a_debug_print() {
        let name = Personal::new("Ada Lovelace");
        assert!(!format!("{name:?}").contains("Ada"));
        assert_eq!(*name.reveal(), "Ada Lovelace");
    }
}
