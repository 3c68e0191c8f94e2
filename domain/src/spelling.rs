//! Words however they are spelt: what is the same to whoever searches is one text when it is folded.
//!
//! What is written stays as it was written: only what is searched is folded, and what it is searched for. Why it is
//! folded so: `docs/adr/0040-words-are-found-however-they-are-spelt.md`.

use caseless::Caseless as _;
use unicode_normalization::UnicodeNormalization as _;

/// A text without what tells two spellings of it from each other: compatibility forms and case (compatibility
/// caseless matching, The Unicode Standard section 3.13, D146), and after them diacritics. What is folded is in NFKC, and
/// folds to itself.
#[must_use]
pub fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let caseless = text.nfd().default_case_fold().nfkd().default_case_fold().nfkd();
    caseless.filter(|character| !is_diacritic(*character)).nfc().collect()
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

    proptest! {
        #[test]
        fn what_is_folded_folds_to_itself(text in "\\PC{0,12}") {
            let once = folded(&text);
            prop_assert_eq!(folded(&once), once);
        }
    }
}
