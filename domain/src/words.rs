//! Closed sets of words: how each is shown and read, and what is said of a text that is none of them.

use std::fmt;

/// Of a text that is not known, so many characters are told again.
#[doc(hidden)]
pub const TOLD_CHARS: usize = 40;

/// "no {what} "...": one, another or a third", for texts that name none of these words.
#[doc(hidden)]
pub fn unknown<'w>(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    text: &str,
    words: impl ExactSizeIterator<Item = &'w str>,
) -> fmt::Result {
    write!(f, "no {what} {text:?}: ")?;
    let last = words.len().saturating_sub(1);
    for (index, word) in words.enumerate() {
        match index {
            0 => {}
            _ if index == last => f.write_str(" or ")?,
            _ => f.write_str(", ")?,
        }
        f.write_str(word)?;
    }
    Ok(())
}

/// For an enum with `ALL` of its words and an `as_str` of each: `Display`, `FromStr`, and the error of a text that is none.
#[macro_export]
macro_rules! words {
    ($set:ty, $what:literal, $unknown:ident) => {
        impl ::std::fmt::Display for $set {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        #[doc = concat!("A text that names no ", $what, ".")]
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $unknown(String);

        impl ::std::fmt::Display for $unknown {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                let words = <$set>::ALL.iter().map(|word| word.as_str());
                $crate::words::unknown(f, $what, &self.0, words)
            }
        }

        impl ::std::error::Error for $unknown {}

        impl ::std::str::FromStr for $set {
            type Err = $unknown;

            fn from_str(text: &str) -> Result<Self, $unknown> {
                let named = Self::ALL.into_iter().find(|word| word.as_str() == text);
                let told = || text.chars().take($crate::words::TOLD_CHARS).collect();
                named.ok_or_else(|| $unknown(told()))
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use crate::rights::ScopeSet;

    #[test]
    fn a_word_is_read_as_it_is_shown_and_whoever_gives_another_is_told_all() {
        for set in ScopeSet::ALL {
            assert_eq!(set.to_string().parse(), Ok(set));
        }
        let error = "Read".parse::<ScopeSet>().unwrap_err().to_string();
        assert_eq!(error, r#"no set of scopes "Read": read, book, manage or admin"#);
        let long = "x".repeat(10_000).parse::<ScopeSet>().unwrap_err().to_string();
        assert!(long.len() < 100, "{long}");
    }
}
