//! JSON as it was sent, and what is said of it where it is not understood.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Number, Value};

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

/// A value, with its members as they were sent: in their order, and each as often as it was given.
pub enum Json {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct AnyValue;

        impl<'de> Visitor<'de> for AnyValue {
            type Value = Json;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
                Ok(Json::Bool(value))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
                Ok(Json::Number(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
                Ok(Json::Number(value.into()))
            }

            /// What is no number in JSON cannot have been sent.
            fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
                Ok(Number::from_f64(value).map_or(Json::Null, Json::Number))
            }

            fn visit_str<E>(self, text: &str) -> Result<Json, E> {
                Ok(Json::Text(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<Json, E> {
                Ok(Json::Text(text))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Json::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
                let mut object = Vec::new();
                while let Some(member) = members.next_entry()? {
                    object.push(member);
                }
                Ok(Json::Object(object))
            }
        }

        from.deserialize_any(AnyValue)
    }
}

impl Json {
    /// The same for whoever takes each member once; `None`: one is given twice.
    fn once(self) -> Option<Value> {
        Some(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Number(number) => Value::Number(number),
            Self::Text(text) => Value::String(text),
            Self::List(items) => {
                Value::Array(items.into_iter().map(Self::once).collect::<Option<_>>()?)
            }
            Self::Object(members) => {
                let mut object = Map::new();
                for (name, value) in members {
                    if object.insert(name, value.once()?).is_some() {
                        return None;
                    }
                }
                Value::Object(object)
            }
        })
    }
}

/// What a text says in which nothing is said twice: of a member that is given two times, one program reads the first and another the
/// last (RFC 8725, section 2.4; RFC 7515, section 4). `None`: it is no JSON, or says something twice.
pub(crate) fn read_once(text: &[u8]) -> Option<Value> {
    serde_json::from_slice::<Json>(text).ok()?.once()
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

    #[test]
    fn it_is_read_as_others_read_it() {
        let text = r#"{"a": [1, -2, 2.5, "t", null, true, {}], "b": {"a": 1}}"#;
        assert_eq!(read_once(text.as_bytes()), serde_json::from_str(text).ok());
    }

    #[test]
    fn what_says_something_twice_is_not_read_once() {
        for bad in [
            r#"{"a": 1, "a": 1}"#,
            r#"{"a": {"b": 1, "b": 2}}"#,
            r#"[{"b": 1, "b": 2}]"#,
            r#"{"sub": 1, "\u0073ub": 2}"#,
            "{} {}",
            "",
            &"[".repeat(200),
        ] {
            assert_eq!(read_once(bad.as_bytes()), None, "{bad}");
        }
    }
}
