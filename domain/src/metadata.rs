//! What callers keep with a thing for themselves: daybook gives it back and finds things by it, and reads nothing into it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::patch::{Change, PatchMisfit, Patches};
use crate::{MetadataKey, MetadataValue, Personal, TextError};

/// At most [`Metadata::MAX`] pairs of a key and a value, by key, together at most [`Metadata::MAX_BYTES`] long.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "Pairs", into = "Pairs")]
pub struct Metadata(Pairs);

type Pairs = BTreeMap<MetadataKey, MetadataValue>;

impl Metadata {
    /// How many pairs one thing can carry.
    pub const MAX: usize = 50;
    /// How long all keys and values of a thing are together, in UTF-8: a page shows two hundred things.
    pub const MAX_BYTES: usize = 8 * 1024;

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all of these pairs are among its own.
    #[must_use]
    pub fn has_all(&self, pairs: &Self) -> bool {
        pairs.iter().all(|(key, value)| self.0.get(key) == Some(value))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&MetadataKey, &MetadataValue)> {
        self.0.iter()
    }

    /// As `skip_serializing_if` asks it.
    pub(crate) fn is_none(personal: &Personal<Self>) -> bool {
        personal.reveal().is_some_and(Self::is_empty)
    }
}

impl TryFrom<Pairs> for Metadata {
    type Error = TextError;

    fn try_from(pairs: Pairs) -> Result<Self, TextError> {
        let bytes = pairs.iter().map(|(key, value)| key.as_str().len() + value.as_str().len());
        if pairs.len() > Self::MAX {
            Err(TextError::TooManyPairs)
        } else if bytes.sum::<usize>() > Self::MAX_BYTES {
            Err(TextError::TooMuchMetadata)
        } else {
            Ok(Self(pairs))
        }
    }
}

impl From<Metadata> for Pairs {
    fn from(metadata: Metadata) -> Self {
        metadata.0
    }
}

/// What changes of metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetadataPatch {
    /// These pairs; `None` removes one.
    Pairs(BTreeMap<MetadataKey, Option<MetadataValue>>),
    /// All of it.
    Whole(Metadata),
}

impl<'de> Deserialize<'de> for MetadataPatch {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(from).map(Self::Pairs)
    }
}

impl Serialize for MetadataPatch {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Pairs(changes) => changes.serialize(to),
            Self::Whole(metadata) => metadata.serialize(to),
        }
    }
}

impl From<Metadata> for Change<MetadataPatch> {
    fn from(metadata: Metadata) -> Self {
        Self::To(MetadataPatch::Whole(metadata))
    }
}

impl Patches<Metadata> for Change<MetadataPatch> {
    fn patch(self, to: &mut Metadata) -> Result<(), PatchMisfit> {
        match self {
            Self::Keep => Ok(()),
            Self::Remove => {
                *to = Metadata::default();
                Ok(())
            }
            Self::To(MetadataPatch::Whole(metadata)) => {
                *to = metadata;
                Ok(())
            }
            Self::To(MetadataPatch::Pairs(changes)) => {
                let mut pairs = to.0.clone();
                for (key, value) in changes {
                    match value {
                        Some(value) => pairs.insert(key, value),
                        None => pairs.remove(&key),
                    };
                }
                let patched = Metadata::try_from(pairs);
                *to = patched.map_err(|error| PatchMisfit::new("metadata", error.to_string()))?;
                Ok(())
            }
        }
    }
}

impl Patches<Personal<Metadata>> for Change<Personal<MetadataPatch>> {
    fn patch(self, to: &mut Personal<Metadata>) -> Result<(), PatchMisfit> {
        let sealed = || PatchMisfit::new("metadata", "what is there cannot be read");
        let change = match self {
            Self::Keep => return Ok(()),
            Self::Remove => Change::Remove,
            Self::To(patch) => Change::To(patch.reveal().ok_or_else(sealed)?.clone()),
        };
        let mut metadata = to.reveal().ok_or_else(sealed)?.clone();
        change.patch(&mut metadata)?;
        *to = Personal::new(metadata);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patched(to: &str, patch: &str) -> Result<String, PatchMisfit> {
        let mut metadata: Metadata = serde_json::from_str(to).unwrap();
        let change: Change<MetadataPatch> = serde_json::from_str(patch).unwrap();
        change.patch(&mut metadata)?;
        Ok(serde_json::to_string(&metadata).unwrap())
    }

    #[test]
    fn metadata_is_changed_pair_by_pair() {
        let before = r#"{"a":"1","b":"2"}"#;
        assert_eq!(patched(before, r#"{"b": null, "c": "3"}"#).unwrap(), r#"{"a":"1","c":"3"}"#);
        assert_eq!(patched(before, r#"{"a": "9"}"#).unwrap(), r#"{"a":"9","b":"2"}"#);
        assert_eq!(patched(before, "null").unwrap(), "{}");
        assert_eq!(patched(before, "{}").unwrap(), before);
    }

    #[test]
    fn a_thing_carries_a_bounded_number_of_pairs() {
        let pairs = |from: usize, to: usize| {
            let pairs: Vec<_> = (from..to).map(|n| format!(r#""k{n}":"v""#)).collect();
            format!("{{{}}}", pairs.join(","))
        };
        assert!(serde_json::from_str::<Metadata>(&pairs(0, 50)).is_ok());
        assert!(serde_json::from_str::<Metadata>(&pairs(0, 51)).is_err());
        assert!(patched(&pairs(0, 30), &pairs(20, 50)).is_ok());
        assert_eq!(patched(&pairs(0, 30), &pairs(20, 51)).unwrap_err().member, "metadata");
        let long = |count: usize| {
            let value = "ø".repeat(250);
            let pairs: Vec<_> = (10..10 + count).map(|n| format!(r#""{n}":"{value}""#)).collect();
            serde_json::from_str::<Metadata>(&format!("{{{}}}", pairs.join(",")))
        };
        assert!(long(16).is_ok());
        assert!(long(17).unwrap_err().to_string().contains("8192 bytes"));
        assert!(serde_json::from_str::<Metadata>(r#"{"": "v"}"#).is_err());
        assert!(serde_json::from_str::<Metadata>(r#"{"k": ""}"#).is_err());
        assert!(serde_json::from_str::<Metadata>(r#"{"k": 1}"#).is_err());
    }
}
