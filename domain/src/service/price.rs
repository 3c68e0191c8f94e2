//! What a service costs: whole minor units of a currency, never a fraction.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::patch::{Change, PatchMisfit, Patches, Replace, patch};

/// A price that is no price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// An ISO 4217 code is three letters.
    #[error("a currency is an ISO 4217 code of three capital letters like EUR, got {0:?}")]
    Currency(String),
    /// More than any service costs.
    #[error("an amount is 0 to {} minor units, got {units}", MinorUnits::MAX)]
    Amount {
        /// What was given.
        units: u64,
    },
}

/// An amount in the smallest unit of its currency: øre, cents, whole yen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "u64", into = "u64")]
pub struct MinorUnits(u64);

impl MinorUnits {
    /// A thousand milliards: every JSON reader can hold it exactly.
    pub const MAX: u64 = 1_000_000_000_000;

    /// The number of units.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for MinorUnits {
    type Error = PriceError;

    fn try_from(units: u64) -> Result<Self, PriceError> {
        if units <= Self::MAX { Ok(Self(units)) } else { Err(PriceError::Amount { units }) }
    }
}

impl From<MinorUnits> for u64 {
    fn from(units: MinorUnits) -> Self {
        units.0
    }
}

/// A currency by its ISO 4217 code. Only the form is checked: the list of codes changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl TryFrom<String> for Currency {
    type Error = PriceError;

    fn try_from(code: String) -> Result<Self, PriceError> {
        match <[u8; 3]>::try_from(code.as_bytes()) {
            Ok(letters) if letters.iter().all(u8::is_ascii_uppercase) => Ok(Self(letters)),
            _ => Err(PriceError::Currency(code.chars().take(16).collect())),
        }
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.to_string()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

/// A price. How many minor units make one of the currency is for the client that shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// How much.
    pub amount_minor: MinorUnits,
    /// Of what.
    pub currency: Currency,
}

patch! {
    /// What changes of a price.
    PricePatch of Price {
        amount_minor: Replace<MinorUnits>,
        currency: Replace<Currency>,
    }
}

/// Where there is none yet, it has to be a whole one.
impl Patches<Option<Price>> for Change<PricePatch> {
    fn patch(self, to: &mut Option<Price>) -> Result<(), PatchMisfit> {
        match (self, to) {
            (Self::Keep, _) => Ok(()),
            (Self::Remove, to) => {
                *to = None;
                Ok(())
            }
            (Self::To(patch), Some(price)) => patch.patch(price),
            (Self::To(PricePatch { amount_minor, currency }), to @ None) => {
                let whole = amount_minor.0.zip(currency.0);
                let whole = whole.map(|(amount_minor, currency)| Price { amount_minor, currency });
                *to = Some(whole.ok_or_else(|| PatchMisfit::new("price", INCOMPLETE))?);
                Ok(())
            }
        }
    }
}

const INCOMPLETE: &str = "there is none yet: give amount_minor and currency";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_whole_and_has_a_currency() {
        let read = |json: &str| serde_json::from_str::<Price>(json);
        let price = r#"{"amount_minor":45000,"currency":"NOK"}"#;
        assert_eq!(serde_json::to_string(&read(price).unwrap()).unwrap(), price);
        for bad in [
            r#"{"amount_minor":450.5,"currency":"NOK"}"#,
            r#"{"amount_minor":-1,"currency":"NOK"}"#,
            r#"{"amount_minor":1000000000001,"currency":"NOK"}"#,
            r#"{"amount_minor":1,"currency":"nok"}"#,
            r#"{"amount_minor":1,"currency":"KRONER"}"#,
            r#"{"amount_minor":1,"currency":"ÅØ"}"#,
            r#"{"amount_minor":1}"#,
            r#"{"amount_minor":1,"currency":"NOK","tax":1}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
