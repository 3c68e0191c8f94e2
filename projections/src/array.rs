//! Arrays of arrays: `unnest` flattens them, so each inner one goes as its literal.

/// An array literal of numbers, identifiers and the like, which need no quotes.
pub(crate) fn of_plain<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    format!("{{{}}}", items.join(","))
}

/// An array literal of any text.
pub(crate) fn of_text<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let mut literal = String::from("{");
    for item in items {
        literal.push_str(if literal.len() > 1 { ",\"" } else { "\"" });
        for char in item.chars() {
            if matches!(char, '"' | '\\') {
                literal.push('\\');
            }
            literal.push(char);
        }
        literal.push('"');
    }
    literal.push('}');
    literal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_backslashes_stay_text() {
        assert_eq!(of_text(["a", r#"b"c"#, r"d\", "NULL", "{}", ""]), {
            r#"{"a","b\"c","d\\","NULL","{}",""}"#
        });
        assert_eq!(of_text([]), "{}");
        assert_eq!(of_plain([1, 2]), "{1,2}");
    }
}
