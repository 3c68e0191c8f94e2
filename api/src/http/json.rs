//! JSON as it was sent, and types read from it: strictly, at every level, and so that an error says where it is.
//!
//! What serde's derives take as well is no part of the API: an array for the members of an object in their order, an object
//! for a word (`{"mon": null}`), a member that is given twice. The document says none of it, and a client that sends it
//! means something else. So a body is read in two steps: into a [`Json`], and from there by a [`Deserializer`] that
//! knows what is asked for at each place, whatever type asks.

use std::collections::HashSet;
use std::fmt::{self, Display};

use daybook_domain::legible;
use daybook_store::json::Json;
use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, Expected, IntoDeserializer as _, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

/// Reads a type from what was sent.
pub(super) struct Strict<'j>(pub(super) &'j Json);

/// What is wrong, and where.
#[derive(Debug)]
pub(super) struct Misfit {
    /// The steps to it, the last one first.
    path: Vec<String>,
    why: String,
}

impl Misfit {
    fn new(why: impl Into<String>) -> Self {
        Self { path: Vec::new(), why: why.into() }
    }

    fn within(mut self, step: String) -> Self {
        self.path.push(step);
        self
    }

    /// Where it is, like `items[3].start_at`; `None`: it is the whole.
    pub(super) fn member(&self) -> Option<String> {
        let path: String = self.path.iter().rev().map(String::as_str).collect();
        (!path.is_empty()).then(|| path.trim_start_matches('.').to_owned())
    }
}

impl Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: Display>(why: T) -> Self {
        Self::new(why.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Self::new(format!("invalid type: {}, expected {}", shown(found), said(wanted)))
    }

    fn invalid_value(found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Self::new(format!("invalid value: {}, expected {}", shown(found), said(wanted)))
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        Self::new(format!("unknown field `{}`, expected {}", short(name), one_of(known)))
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Self {
        Self::new(format!("unknown variant `{}`, expected {}", short(word), one_of(known)))
    }
}

/// What a client has written, of whatever length.
fn short(text: &str) -> String {
    text.chars().take(64).collect()
}

fn one_of(known: &[&str]) -> String {
    let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    if known.is_empty() { "none".to_owned() } else { format!("one of {}", known.join(", ")) }
}

/// What there is, in JSON's words; without what a text says, which may be about a person.
fn shown(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(number) => format!("the number {number}"),
        Unexpected::Signed(number) => format!("the number {number}"),
        Unexpected::Float(number) => format!("the number {number}"),
        Unexpected::Char(_) | Unexpected::Str(_) => "a string".to_owned(),
        Unexpected::Option | Unexpected::Unit => "null".to_owned(),
        Unexpected::Seq | Unexpected::Bytes(_) => ARRAY.to_owned(),
        _ => OBJECT.to_owned(),
    }
}

const ARRAY: &str = "an array";
const OBJECT: &str = "an object";

/// What is expected, in JSON's words: derives name types of Rust.
fn said(wanted: &dyn Expected) -> String {
    let wanted = wanted.to_string();
    let first = wanted.split(' ').next().unwrap_or_default();
    match (first, wanted.as_str()) {
        ("struct" | "map", _) | (_, "a map") => OBJECT.to_owned(),
        ("tuple", _) | (_, "a sequence") => ARRAY.to_owned(),
        ("enum" | "variant" | "field", _) => "a word".to_owned(),
        ("u8" | "u16" | "u32" | "u64" | "usize", _) => "a whole number, 0 or more".to_owned(),
        ("i8" | "i16" | "i32" | "i64" | "isize", _) => "a whole number".to_owned(),
        ("f32" | "f64", _) => "a number".to_owned(),
        (_, "a boolean") => "true or false".to_owned(),
        _ => wanted,
    }
}

impl Strict<'_> {
    fn is_not(&self, wanted: &'static str) -> Misfit {
        let Self(json) = self;
        let found = match json {
            Json::Null => Unexpected::Unit,
            Json::Bool(value) => Unexpected::Bool(*value),
            Json::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), ..) => Unexpected::Unsigned(number),
                (None, Some(number), _) => Unexpected::Signed(number),
                (None, None, number) => Unexpected::Float(number.unwrap_or_default()),
            },
            Json::Text(text) => Unexpected::Str(text),
            Json::List(_) => Unexpected::Seq,
            Json::Object(_) => Unexpected::Map,
        };
        de::Error::invalid_type(found, &wanted)
    }
}

/// A text that can be read.
fn checked(text: &str) -> Result<&str, Misfit> {
    legible(text).map(|()| text).map_err(de::Error::custom)
}

impl<'de> Deserializer<'de> for Strict<'de> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Json::Null => visitor.visit_unit(),
            Json::Bool(value) => visitor.visit_bool(*value),
            // By itself it would say what is wrong in its own words.
            Json::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), ..) => visitor.visit_u64(number),
                (None, Some(number), _) => visitor.visit_i64(number),
                (None, None, number) => visitor.visit_f64(number.unwrap_or_default()),
            },
            Json::Text(text) => visitor.visit_borrowed_str(checked(text)?),
            Json::List(items) => visitor.visit_seq(Items { items, at: 0 }),
            Json::Object(members) => visitor.visit_map(Members::of(members)?),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Json::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_map(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Json::Object(_) => self.deserialize_any(visitor),
            _ => Err(self.is_not(OBJECT)),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Json::List(_) => self.deserialize_any(visitor),
            _ => Err(self.is_not(ARRAY)),
        }
    }

    /// A word. No body has an alternative with something in it that is not told by its members.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0 {
            Json::Text(word) => visitor.visit_enum(word_of(word)),
            _ => Err(self.is_not("a word")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct tuple tuple_struct identifier ignored_any
    }
}

fn word_of(word: &str) -> StrDeserializer<'_, Misfit> {
    word.into_deserializer()
}

struct Items<'de> {
    items: &'de [Json],
    at: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        let Some(item) = self.items.get(self.at) else { return Ok(None) };
        let step = self.at;
        self.at += 1;
        let read = seed.deserialize(Strict(item));
        read.map(Some).map_err(|misfit| misfit.within(format!("[{step}]")))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len() - self.at)
    }
}

struct Members<'de> {
    left: std::slice::Iter<'de, (String, Json)>,
    /// Whose name has been read, and its value not yet.
    begun: Option<&'de (String, Json)>,
}

impl<'de> Members<'de> {
    fn of(members: &'de [(String, Json)]) -> Result<Self, Misfit> {
        let mut seen = HashSet::with_capacity(members.len());
        for (name, _) in members {
            if !seen.insert(name.as_str()) {
                return Err(Misfit::new("it is given twice").within(step(name)));
            }
        }
        Ok(Self { left: members.iter(), begun: None })
    }
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        self.begun = self.left.next();
        let Some((name, _)) = self.begun else { return Ok(None) };
        let read = checked(name).and_then(|name| seed.deserialize(word_of(name)));
        read.map(Some).map_err(|misfit| misfit.within(step(name)))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Misfit> {
        let (name, value) =
            self.begun.take().ok_or_else(|| Misfit::new("a value without a name"))?;
        seed.deserialize(Strict(value)).map_err(|misfit| misfit.within(step(name)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.len())
    }
}

fn step(name: &str) -> String {
    format!(".{}", short(name))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wish {
        days: Vec<Day>,
        place: Option<Place>,
        #[serde(default)]
        kept: BTreeMap<String, u8>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Place {
        floor: i8,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Day {
        Mon,
        Tue,
    }

    fn read(json: &str) -> Result<Wish, (String, String)> {
        let json: Json = serde_json::from_str(json).unwrap();
        Wish::deserialize(Strict(&json))
            .map_err(|misfit| (misfit.member().unwrap_or_default(), misfit.to_string()))
    }

    #[test]
    fn what_is_as_the_document_says_is_read() {
        let json = r#"{"days": ["mon", "tue"], "place": {"floor": -1}, "kept": {"a": 1}}"#;
        let kept = BTreeMap::from([("a".to_owned(), 1)]);
        let wish = Wish { days: vec![Day::Mon, Day::Tue], place: Some(Place { floor: -1 }), kept };
        assert_eq!(read(json), Ok(wish));
        assert_eq!(read(r#"{"days": [], "place": null}"#).unwrap().place, None);
    }

    #[test]
    fn what_is_not_is_refused_at_its_place_and_in_words_of_json() {
        for (json, member, why) in [
            ("[[]]", "", "invalid type: an array, expected an object"),
            ("5", "", "invalid type: the number 5, expected an object"),
            (r#"{"days": {}}"#, "days", "invalid type: an object, expected an array"),
            (r#"{"days": [{"mon": null}]}"#, "days[0]", "invalid type: an object, expected a word"),
            (r#"{"days": ["mon", 1]}"#, "days[1]", "invalid type: the number 1, expected a word"),
            (
                r#"{"days": [], "place": [4]}"#,
                "place",
                "invalid type: an array, expected an object",
            ),
            (
                r#"{"days": [], "place": {"floor": "x"}}"#,
                "place.floor",
                "invalid type: a string, expected a whole number",
            ),
            (
                r#"{"days": [], "kept": {"a": -1}}"#,
                "kept.a",
                "invalid value: the number -1, expected a whole number, 0 or more",
            ),
            (r#"{"days": [], "kept": [1]}"#, "kept", "invalid type: an array, expected an object"),
            (r#"{"days": [], "kept": {"a": 1, "a": 2}}"#, "kept.a", "it is given twice"),
            (r#"{"days": [], "days": []}"#, "days", "it is given twice"),
            (r#"{"place": null}"#, "", "missing field `days`"),
        ] {
            let refused = (member.to_owned(), why.to_owned());
            assert_eq!(read(json), Err(refused), "{json}");
        }
        let unknown = read(r#"{"days": [], "place": {"floor": 1}, "colour": 1}"#).unwrap_err();
        assert_eq!(unknown.0, "colour");
        assert!(unknown.1.starts_with("unknown field `colour`"), "{unknown:?}");
    }

    #[test]
    fn texts_that_nobody_can_read_are_refused_whatever_they_are_for() {
        for json in [r#"{"days": ["\u202emon"]}"#, r#"{"days": [], "kept": {"\u200b": 1}}"#] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
