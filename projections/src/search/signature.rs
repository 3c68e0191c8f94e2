//! Whether a row can be what is searched for, as bits in an index.
//!
//! Each thing that is known of a row sets some of them (superimposed coding: C. S. Roberts, 1979). A
//! row that is searched for has all bits of what is asked for; of the others, some have them by
//! chance, and the columns themselves decide. So a scan in order reads an index and not the table.

/// 192 bits, in numbers as PostgreSQL has them. Titles have the second and third to themselves: they
/// have many words, and the words of one service are in all its titles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Signature([i64; 3]);

impl Signature {
    /// The columns that they are in.
    pub(super) const COLUMNS: [&str; 3] =
        ["signature", "low_word_signature", "high_word_signature"];

    /// The bits of a category, a service, a status or a tag.
    pub(super) fn of(term: i64) -> Self {
        let bits = |term: i64| 1 << (term & 63) | 1 << (term >> 6 & 63) | 1 << (term >> 12 & 63);
        Self([bits(term), 0, 0])
    }

    /// The bit of a pair of metadata. One alone: a row can have fifty.
    pub(super) fn of_pair(term: i64) -> Self {
        Self([1 << (term & 63), 0, 0])
    }

    /// The bits of a word's beginning.
    pub(super) fn of_beginning(term: i64) -> Self {
        let mut signature = Self::default();
        for bit in [term & 127, term >> 7 & 127] {
            signature.0[if bit < 64 { 1 } else { 2 }] |= 1 << (bit & 63);
        }
        signature
    }

    /// What is in each of the columns.
    pub(crate) const fn columns(self) -> [i64; 3] {
        self.0
    }
}

/// All of them together.
impl FromIterator<Self> for Signature {
    fn from_iter<T: IntoIterator<Item = Self>>(all: T) -> Self {
        all.into_iter()
            .fold(Self::default(), |Self([a, b, c]), Self([d, e, f])| Self([a | d, b | e, c | f]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ones(signature: Signature) -> [u32; 3] {
        signature.columns().map(i64::count_ones)
    }

    #[test]
    fn words_have_bits_of_their_own() {
        assert_eq!(ones(Signature::of(63 << 12 | 2 << 6 | 1)), [3, 0, 0]);
        assert_eq!(ones(Signature::of_beginning(63 << 7 | 1)), [0, 2, 0]);
        assert_eq!(ones(Signature::of_beginning(127 << 7 | 1)), [0, 1, 1]);
    }
}
