//! How much a search may cost, and whether anybody still waits for it.

/// Why a search ends without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfinished {
    /// It has looked at as much as one search may.
    #[error("it asks for more than one search looks at")]
    TooBroad,
    /// Nobody waits for it any more.
    #[error("nobody waits for it any more")]
    Stopped,
}

/// What a search may still look at: a look is one resource, or one of its intervals, at one moment.
///
/// The count depends on the question and on what is booked alone, so the same search is always refused or
/// always answered. The time that it takes does not decide; that only stops it.
pub struct Effort<'a> {
    left: u64,
    is_wanted: &'a (dyn Fn() -> bool + 'a),
    until_asked: u64,
}

/// Looks between two questions whether the search is still wanted.
const BETWEEN_QUESTIONS: u64 = 100_000;

impl<'a> Effort<'a> {
    /// As many looks as one search may take.
    pub const OF_A_SEARCH: u64 = 40_000_000;

    /// So many looks, as long as it is wanted.
    #[must_use]
    pub fn new(looks: u64, is_wanted: &'a (dyn Fn() -> bool + 'a)) -> Self {
        Self { left: looks, is_wanted, until_asked: BETWEEN_QUESTIONS }
    }

    /// # Errors
    /// When there are not so many looks left, or nobody waits any more.
    pub fn spend(&mut self, looks: u64) -> Result<(), Unfinished> {
        self.left = self.left.checked_sub(looks).ok_or(Unfinished::TooBroad)?;
        match self.until_asked.checked_sub(looks) {
            Some(rest) => self.until_asked = rest,
            None if (self.is_wanted)() => self.until_asked = BETWEEN_QUESTIONS,
            None => return Err(Unfinished::Stopped),
        }
        Ok(())
    }
}
