//! What is said of JSON that is not understood.

use serde_json::error::Category;

/// Why JSON is not understood, without a word of it: what serde says repeats values, which may be about somebody, and
/// this is logged and kept.
#[must_use]
pub fn not_understood(error: &serde_json::Error) -> String {
    let why = match error.classify() {
        Category::Data => "it has a form that this program does not know",
        Category::Syntax => "it is not JSON",
        Category::Eof => "it is cut off",
        Category::Io => "it cannot be read",
    };
    format!("{why}, at line {} column {}", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_what_it_says_is_repeated() {
        let said = |json| not_understood(&serde_json::from_str::<Vec<u8>>(json).unwrap_err());
        let unknown = said("[1,\n\"Jane Doe\"]");
        assert_eq!(unknown, "it has a form that this program does not know, at line 2 column 10");
        assert!(said("[1, 2").starts_with("it is cut off"));
        assert!(said("[1 2]").starts_with("it is not JSON"));
    }
}
