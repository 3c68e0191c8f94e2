//! Whether a row can be what is searched for, as bits in an index.
//!
//! Each thing that is known of a row sets some of them (superimposed coding: C. S. Roberts, 1979). A
//! row that is searched for has all bits of what is asked for; of the others, some have them by
//! chance, and the columns themselves decide. So a walk reads an index and not the table.

use super::row::FoundAppointment;
use super::terms::{Kind, TermsOf};
use super::words;

/// How many characters of a word's beginning are marked: of a longer beginning, the longest of these
/// is looked for.
const BEGINNINGS: [usize; 3] = [1, 3, 5];

/// 192 bits, in numbers as PostgreSQL has them. Titles have the second and third to themselves: they
/// have many words, and the words of one service are in all its titles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Marks([i64; 3]);

impl Marks {
    /// The columns that they are in.
    pub(super) const COLUMNS: [&str; 3] = ["marks", "low_word_marks", "high_word_marks"];

    /// The marks of a category, a service, a status or a tag.
    pub(super) fn of(term: i64) -> Self {
        let bits = |term: i64| 1 << (term & 63) | 1 << (term >> 6 & 63) | 1 << (term >> 12 & 63);
        Self([bits(term), 0, 0])
    }

    /// The marks of a word that begins like this.
    pub(super) fn of_beginning(terms: &TermsOf, word: &str) -> Self {
        let mut lengths = BEGINNINGS.into_iter().rev();
        let longest = lengths.find_map(|length| first_chars(word, length));
        Self::of_first_chars(terms, longest.unwrap_or_default())
    }

    fn of_first_chars(terms: &TermsOf, chars: &str) -> Self {
        let term = terms.term(Kind::Beginning, chars.as_bytes());
        let mut marks = Self::default();
        for bit in [term & 127, term >> 7 & 127] {
            marks.0[if bit < 64 { 1 } else { 2 }] |= 1 << (bit & 63);
        }
        marks
    }

    /// What is known of a row that its list ([`super::listing`]) does not say.
    pub(super) fn row(terms: &TermsOf, row: &FoundAppointment) -> Self {
        let known = [
            terms.term(Kind::Category, row.category.as_str().as_bytes()),
            terms.term(Kind::Service, row.service_id.uuid().as_bytes()),
            terms.status(row.status),
        ];
        let tags = row.tags.iter().map(|tag| terms.term(Kind::Tag, tag.as_str().as_bytes()));
        let words = words::split(row.title.as_str());
        let beginnings = words.iter().flat_map(|word| {
            let lengths = BEGINNINGS.into_iter().filter_map(|length| first_chars(word, length));
            lengths.map(|chars| Self::of_first_chars(terms, chars))
        });
        known.into_iter().chain(tags).map(Self::of).chain(beginnings).collect()
    }

    /// What is in each of the columns.
    pub(super) const fn columns(self) -> [i64; 3] {
        self.0
    }
}

/// All of them together.
impl FromIterator<Self> for Marks {
    fn from_iter<T: IntoIterator<Item = Self>>(all: T) -> Self {
        all.into_iter()
            .fold(Self::default(), |Self([a, b, c]), Self([d, e, f])| Self([a | d, b | e, c | f]))
    }
}

/// The first characters of a word that has so many.
fn first_chars(word: &str, length: usize) -> Option<&str> {
    let (last, char) = word.char_indices().nth(length - 1)?;
    Some(&word[..last + char.len_utf8()])
}

#[cfg(test)]
mod tests {
    use daybook_domain::TenantId;

    use super::*;

    fn terms() -> TermsOf {
        TermsOf::new(&"north".parse::<TenantId>().unwrap())
    }

    fn ones(marks: Marks) -> [u32; 3] {
        marks.columns().map(i64::count_ones)
    }

    #[test]
    fn what_is_longer_than_any_marked_beginning_is_looked_for_by_the_longest() {
        let of = |word| Marks::of_beginning(&terms(), word);
        assert_eq!(of("physiotherapy"), of("physi"));
        assert_eq!(of("phys"), of("phy"));
        assert_ne!(of("ph"), of("phy"));
        assert_eq!(of("årsk"), of("års"));
    }

    #[test]
    fn words_have_bits_of_their_own() {
        assert_eq!(ones(Marks::of(63 << 12 | 2 << 6 | 1)), [3, 0, 0]);
        let [known, low, high] = ones(Marks::of_beginning(&terms(), "visit"));
        assert_eq!((known, low + high), (0, 2));
    }
}
