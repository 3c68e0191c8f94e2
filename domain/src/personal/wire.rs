//! Personal data in JSON.
//!
//! What a caller sends is always content. What the log has is content, of events of old, or `{"v": 1, "k": …, "c": …}`.
//! The two are never taken for each other: a content is a text, or pairs of texts, and `v` is a number.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapDeserializer, StrDeserializer};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use uuid::Uuid;

use super::{Personal, Sealed};

/// The form that is written.
const VERSION: u64 = 1;

#[derive(Serialize)]
struct Wire<'a> {
    v: u64,
    k: Uuid,
    c: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    t: Option<Uuid>,
}

impl<T: Serialize> Serialize for Personal<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Clear(content) => content.serialize(to),
            Self::Sealed(sealed) => {
                let Sealed { key, ciphertext, token } = &**sealed;
                Wire { v: VERSION, k: *key, c: ciphertext, t: *token }.serialize(to)
            }
            Self::Erased | Self::Withheld => to.serialize_none(),
        }
    }
}

/// As a caller sends it: nobody sends ciphertext.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Personal<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        T::deserialize(from).map(Self::Clear)
    }
}

/// As the log has it.
pub(crate) fn stored<'de, T, D>(from: D) -> Result<Personal<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    from.deserialize_any(Stored(PhantomData))
}

/// The same of a member that need not be there.
pub(crate) fn stored_option<'de, T, D>(from: D) -> Result<Option<Personal<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    struct Optional<T>(Option<Personal<T>>);

    impl<'de, T: Deserialize<'de>> Deserialize<'de> for Optional<T> {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            stored(from).map(Some).map(Self)
        }
    }

    let read: Option<Optional<T>> = Option::deserialize(from)?;
    Ok(read.and_then(|Optional(personal)| personal))
}

struct Stored<T>(PhantomData<fn() -> T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Stored<T> {
    type Value = Personal<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("personal data, clear or sealed")
    }

    /// As a projection has it of somebody who is erased.
    fn visit_unit<E: Error>(self) -> Result<Personal<T>, E> {
        Ok(Personal::Erased)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Personal<T>, E> {
        T::deserialize(StrDeserializer::new(text)).map(Personal::Clear)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Personal<T>, A::Error> {
        let mut pairs: Vec<(String, Value)> = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        let member = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, it)| it);
        match member("v") {
            Some(Value::Number(version)) if version.as_u64() == Some(VERSION) => {
                let text = |name| member(name).and_then(Value::as_str);
                let key = text("k").and_then(|key| key.parse().ok());
                let token = text("t").and_then(|token| token.parse().ok());
                match (key, text("c")) {
                    (Some(key), Some(ciphertext)) => {
                        let ciphertext = ciphertext.to_owned();
                        Ok(Personal::Sealed(Box::new(Sealed { key, ciphertext, token })))
                    }
                    _ => Err(A::Error::custom("sealed without `k` or `c`")),
                }
            }
            Some(Value::Number(version)) => {
                Err(A::Error::custom(format!("sealed in form {version}, of a newer program")))
            }
            _ => {
                let pairs = MapDeserializer::new(pairs.into_iter());
                T::deserialize(pairs)
                    .map(Personal::Clear)
                    .map_err(A::Error::custom::<serde_json::Error>)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Metadata, Name};

    fn read<T: for<'de> Deserialize<'de>>(json: &str) -> Result<Personal<T>, serde_json::Error> {
        stored(&mut serde_json::Deserializer::from_str(json))
    }

    const SEALED: &str = r#"{"v":1,"k":"00000000-0000-0000-0000-000000000007","c":"AAEC"}"#;

    #[test]
    fn what_is_sealed_and_what_is_not_are_never_taken_for_each_other() {
        let sealed = Sealed { key: Uuid::from_u128(7), ciphertext: "AAEC".into(), token: None };
        assert_eq!(read::<Name>(SEALED).unwrap(), Personal::Sealed(Box::new(sealed.clone())));
        assert_eq!(read::<Metadata>(SEALED).unwrap(), Personal::Sealed(Box::new(sealed)));
        let pairs = r#"{"v":"1","k":"00000000-0000-0000-0000-000000000007","c":"AAEC"}"#;
        let clear = Personal::<Metadata>::Clear(serde_json::from_str(pairs).unwrap());
        assert_eq!(read::<Metadata>(pairs).unwrap(), clear);
        assert_eq!(
            read(r#""Front desk""#).unwrap(),
            Personal::Clear(Name::new("Front desk").unwrap())
        );
    }

    #[test]
    fn it_is_written_as_it_is_read() {
        let written = serde_json::to_string(&read::<Name>(SEALED).unwrap()).unwrap();
        assert_eq!(written, SEALED);
    }

    #[test]
    fn a_later_form_is_not_read_as_this_one() {
        let later = SEALED.replace(r#""v":1"#, r#""v":2"#);
        assert!(read::<Name>(&later).unwrap_err().to_string().contains("a newer program"));
        assert!(read::<Name>(r#"{"v":1,"k":"7","c":"AAEC"}"#).is_err());
    }

    #[test]
    fn nobody_sends_ciphertext() {
        assert!(serde_json::from_str::<Personal<Name>>(SEALED).is_err());
        assert!(serde_json::from_str::<Personal<Metadata>>(SEALED).is_err());
    }
}
