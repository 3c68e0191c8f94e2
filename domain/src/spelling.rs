//! Words however they are spelt: what is the same to whoever searches is one text when it is folded.
//!
//! What is written stays as it was written: only what is searched is folded, and what it is searched for. Why it is
//! folded so: `docs/adr/0040-words-are-found-however-they-are-spelt.md`.

use std::collections::BTreeSet;

use caseless::Caseless as _;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// A text without what tells two spellings of it from each other: what nobody sees, compatibility forms and case
/// (The Unicode Standard section 3.13: compatibility caseless matching, D146, of what is not ignorable, as in D147), and
/// after them diacritics. What is folded is in NFKC, and folds to itself.
#[must_use]
pub fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let seen = text.chars().filter(|character| !is_default_ignorable(*character));
    let caseless = seen.nfd().default_case_fold().nfkd().default_case_fold().nfkd();
    caseless.filter(|character| !is_diacritic(*character)).nfc().collect()
}

/// The words of a text, each folded and once: runs of letters, digits and marks (general categories L, N and M), of which
/// one at least is no mark. Whatever else there is only separates.
///
/// Folded first: a letter may be written as two characters, of which the second is none.
#[must_use]
pub fn words(text: &str) -> BTreeSet<String> {
    let text = folded(text);
    let is_part = |character: char| character.is_alphanumeric() || is_combining_mark(character);
    let words = text.split(|character| !is_part(character));
    words.filter(|word| word.contains(char::is_alphanumeric)).map(str::to_owned).collect()
}

/// What nobody sees, as a soft hyphen, a joiner or a variation selector: the property `Default_Ignorable_Code_Point` (Unicode
/// 17, DerivedCoreProperties.txt), with what is reserved for it.
pub(crate) const fn is_default_ignorable(character: char) -> bool {
    matches!(
        character,
        '\u{AD}'
            | '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFF8}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// A mark that a letter is the same without, to whoever types in a hurry: those of Latin, Greek and Cyrillic letters, the
/// points of Hebrew and the vowels of Arabic. Marks of other scripts make another letter or syllable.
const fn is_diacritic(character: char) -> bool {
    matches!(
        character,
        '\u{300}'..='\u{36F}'
            | '\u{1AB0}'..='\u{1AFF}'
            | '\u{1DC0}'..='\u{1DFF}'
            | '\u{20D0}'..='\u{20FF}'
            | '\u{FE20}'..='\u{FE2F}'
            | '\u{591}'..='\u{5BD}'
            | '\u{5BF}'
            | '\u{5C1}'..='\u{5C2}'
            | '\u{5C4}'..='\u{5C5}'
            | '\u{5C7}'
            | '\u{64B}'..='\u{652}'
            | '\u{670}'
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_word_fold_to_one_text() {
        for (spellings, folded_text) in [
            (["Café", "Cafe\u{301}", "CAFE"], "cafe"),
            (["Straße", "STRASSE", "strasse"], "strasse"),
            (["İstanbul", "istanbul", "I\u{307}STANBUL"], "istanbul"),
            (["ﬁlm №1", "FILM No1", "film no１"], "film no1"),
            (["ΣΊΣΥΦΟΣ", "σίσυφος", "σισυφοσ"], "σισυφοσ"),
            (["ﾊﾞﾚｴ", "バレエ", "ハ\u{3099}レエ"], "バレエ"),
            (["한글", "\u{1112}\u{1161}\u{11AB}\u{1100}\u{1173}\u{11AF}", "한글"], "한글"),
        ] {
            for spelling in spellings {
                assert_eq!(folded(spelling), folded_text, "{spelling:?}");
            }
        }
    }

    #[test]
    fn what_is_another_letter_stays_one() {
        for (one, other) in [("バレエ", "ハレエ"), ("bør", "bor"), ("ısı", "isi"), ("कि", "क")]
        {
            assert_ne!(folded(one), folded(other));
        }
    }

    #[test]
    fn what_nobody_sees_is_no_part_of_a_word_and_cuts_none() {
        for invisible in ["\u{AD}", "\u{200B}", "\u{2060}", "\u{200C}", "\u{200D}", "\u{FE0F}"] {
            let text = format!("Check{invisible}up {invisible} ❤{invisible}");
            assert_eq!(words(&text), BTreeSet::from(["checkup".to_owned()]), "{invisible:?}");
        }
    }

    #[test]
    fn marks_belong_to_the_word_that_they_are_in() {
        for (text, expected) in [
            // A virama and vowel signs, a nukta, a tone mark: none of them is alphabetic alone.
            ("हिन्दी कक्षा", &["कक्षा", "हिन्दी"][..]),
            ("ಕನ್ನಡ-ತರಗತಿ", &["ಕನ್ನಡ", "ತರಗತಿ"]),
            ("นวดเท้า 60", &["60", "นวดเท้า"]),
            ("\u{94D} \u{E48}!", &[]),
        ] {
            assert_eq!(words(text).iter().collect::<Vec<_>>(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_folded_folds_to_itself(text in "\\PC{0,12}") {
            let once = folded(&text);
            prop_assert_eq!(folded(&once), once);
        }
    }
}
