//! Pages of a list: how long they are, and where the next one starts.
//!
//! Every list is paged by its key: a page goes on after the key of the last item of the page before
//! ([`keyset`]), which the client holds as an opaque text ([`cursor`]). [`part`]: where an order and a filter are of two indexes.

pub(crate) mod cursor;
pub(crate) mod keyset;
pub(crate) mod part;
pub(crate) mod recorded;

pub use cursor::{Cursor, CursorError};
pub use recorded::{Recorded, RecordedOrder};

/// How many items a page may have: 1 to [`Limit::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(u16);

/// A page length out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a page has 1 to {max} items, got {items}", max = Limit::MAX)]
pub struct LimitError {
    /// What was asked for.
    pub items: u32,
}

impl Limit {
    /// The longest page.
    pub const MAX: u16 = 200;

    /// The same.
    pub const LONGEST: Self = Self(Self::MAX);

    /// Checks a page length.
    ///
    /// # Errors
    /// When it is out of range.
    pub fn new(items: u32) -> Result<Self, LimitError> {
        match u16::try_from(items) {
            Ok(fits @ 1..=Self::MAX) => Ok(Self(fits)),
            _ => Err(LimitError { items }),
        }
    }

    /// What is left of it where there are so many items already; `None`: nothing.
    #[must_use]
    pub fn less(self, items: usize) -> Option<Self> {
        let left = self.items().checked_sub(items)?;
        u16::try_from(left).ok().filter(|left| *left > 0).map(Self)
    }

    /// The number of items.
    #[must_use]
    pub const fn items(self) -> usize {
        self.0 as usize
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// Its items, in order; at most as many as were asked for.
    pub items: Vec<T>,
    /// Where the next page starts; `None`: there is none.
    pub next: Option<Cursor>,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The cursor does not say where to go on.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// More rows than a page looks at would have to be.
    #[error("it is about more than {max_rows} rows")]
    TooBroad { max_rows: u32 },
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}
