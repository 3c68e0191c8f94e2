//! What stands for the words of personal titles: keyed tokens, from which no word can be told.
//!
//! Of a public title each beginning of a word is a term, which anybody can make who knows the tenant's name. Of a personal one
//! there is a token for each whole word: HMAC-SHA256 under a secret of the tenant (ADR 0059).

use std::collections::BTreeSet;

use daybook_domain::{TenantId, Title, words};
use daybook_store::personal::{Keyring, KeyringError, Tokens};

/// The tokens of one tenant.
#[derive(Debug, Clone)]
pub(crate) struct TitleTokens(Tokens);

impl TitleTokens {
    pub(crate) async fn of(keyring: &Keyring, tenant: &TenantId) -> Result<Self, KeyringError> {
        keyring.tokens(tenant, "words of titles").await.map(Self)
    }

    /// Of a word as it is folded.
    pub(crate) fn word(&self, word: &str) -> i64 {
        let [b0, b1, b2, b3, b4, b5, b6, b7, ..] = self.0.digest("word", word.as_bytes());
        i64::from_be_bytes([b0, b1, b2, b3, b4, b5, b6, b7])
    }

    /// Of all words of a title, however they are spelt, in no order that says anything.
    pub(crate) fn all(&self, title: &Title) -> Vec<i64> {
        let all: BTreeSet<i64> = words(title.as_str()).iter().map(|word| self.word(word)).collect();
        all.into_iter().collect()
    }
}

#[cfg(test)]
impl TitleTokens {
    pub(crate) fn by(secret: u8) -> Self {
        Self(Tokens::of_secret(&[secret; 32]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::TitleWords;

    fn of(title: &str) -> Vec<i64> {
        TitleTokens::by(1).all(&Title::new(title).unwrap())
    }

    fn finds(title: &str, asked: &str) -> bool {
        let (tokens, all) = (TitleTokens::by(1), of(title));
        TitleWords::parse(asked).unwrap().iter().all(|word| all.contains(&tokens.word(word)))
    }

    #[test]
    fn a_title_is_found_by_whole_words_however_they_are_spelt_and_by_no_beginning() {
        for asked in ["biopsy", "BIOPSY berg", "A\u{30a}se", "ase", "strasse"] {
            assert!(finds("Åse Berg, biopsy (Straße)", asked), "{asked}");
        }
        for asked in ["biops", "b", "ås", "biopsy knee", "biopsys"] {
            assert!(!finds("Åse Berg, biopsy (Straße)", asked), "{asked}");
        }
    }

    #[test]
    fn a_token_is_of_its_secret_and_the_order_of_words_is_not_told() {
        assert_eq!(of("Berg biopsy"), of("biopsy, Berg; biopsy"));
        assert_ne!(TitleTokens::by(1).word("berg"), TitleTokens::by(2).word("berg"));
        assert_eq!(of("Berg biopsy").len(), 2);
    }
}
