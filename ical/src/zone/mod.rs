//! Time zones: those of the IANA database, and those that a calendar defines itself.

mod names;
mod own;
#[cfg(test)]
mod tests;
mod written;

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, LocalResult, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};

pub use own::OwnZone;
pub use written::write_zone;

use crate::Fault;
use crate::component::Component;
use crate::text::{self, excerpt};

/// More zones than there are.
const MAX_OWN_ZONES: usize = 2_000;
/// Longer than the name of any zone.
const MAX_NAME_BYTES: usize = 255;

/// A time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Zone {
    /// Of the IANA database.
    Iana(Tz),
    /// Of the calendar itself.
    Own(Arc<OwnZone>),
}

impl Zone {
    pub const UTC: Self = Self::Iana(Tz::UTC);

    /// The instant that its clocks call `local`, by the rule of RFC 5545 §3.3.5: a local time that
    /// occurs twice is its first occurrence, and one that does not occur is read with the offset in
    /// force before the gap.
    #[must_use]
    pub fn instant(&self, local: NaiveDateTime) -> DateTime<Utc> {
        match self {
            Self::Own(own) => own.utc(local).and_utc(),
            Self::Iana(zone) => match zone.from_local_datetime(&local) {
                LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.to_utc(),
                LocalResult::None => {
                    let before = GapInfo::new(&local, zone).and_then(|gap| gap.begin);
                    let utc = before.and_then(|(_, offset)| local.checked_sub_offset(offset.fix()));
                    utc.unwrap_or(local).and_utc()
                }
            },
        }
    }

    /// What its clocks show at an instant.
    #[must_use]
    pub fn local(&self, instant: DateTime<Utc>) -> NaiveDateTime {
        let utc = instant.naive_utc();
        let offset = match self {
            Self::Own(own) => own.offset_at(utc),
            Self::Iana(zone) => TimeDelta::seconds(names::offset_seconds(*zone, utc).into()),
        };
        utc.checked_add_signed(offset).unwrap_or(utc)
    }

    /// The zone of the IANA database that it is, if it is one.
    #[must_use]
    pub fn iana(&self) -> Option<Tz> {
        match self {
            Self::Iana(zone) => Some(*zone),
            Self::Own(_) => None,
        }
    }
}

/// The zones of a calendar file, by their names there.
#[derive(Debug, Clone, Default)]
pub struct Zones {
    /// By the name in lower case.
    own: Arc<HashMap<String, Zone>>,
    default: Default,
    /// How much work the definitions have taken.
    worked: u32,
}

/// The zone of times that name none.
#[derive(Debug, Clone, Default)]
enum Default {
    Known(Zone),
    /// The file names one that is not known. It is not replaced by another.
    Unknown(String),
    #[default]
    None,
}

impl Zones {
    /// Adds a zone that the file defines (VTIMEZONE).
    pub(crate) fn define(&mut self, definition: &Component) {
        let Some(name) = definition.get("TZID").map(|tzid| key(&text::unescape(&tzid.value)))
        else {
            return;
        };
        // What is known does not go by what the file says of it.
        if known(&name).is_some() {
            return;
        }
        let location = definition.get("X-LIC-LOCATION");
        let zone = location.and_then(|location| names::iana(location.value.trim()));
        let zone = zone.map(Zone::Iana);
        let zone = zone.or_else(|| {
            OwnZone::read(definition, &mut self.worked).map(|own| Zone::Own(Arc::new(own)))
        });
        let Some(zone) = zone else { return };
        let own = Arc::make_mut(&mut self.own);
        let is_full = own.len() >= MAX_OWN_ZONES;
        match (own.get_mut(&name), zone) {
            (Some(Zone::Own(known)), Zone::Own(more)) => Arc::make_mut(known).merge(&more),
            (Some(Zone::Iana(_)), _) => {}
            (Some(known), zone) => *known = zone,
            (None, zone) if !is_full => {
                own.insert(name, zone);
            }
            (None, _) => {}
        }
    }

    /// The same zones with a default: the file's own goes before the caller's, which cannot know it.
    #[must_use]
    pub fn with_default(&self, of_file: Option<&str>, of_caller: Option<Tz>) -> Self {
        let of_file = of_file.map(str::trim).filter(|name| !name.is_empty());
        let default = match (of_file, of_caller) {
            (Some(name), _) => match self.named(name) {
                Ok(zone) => Default::Known(zone),
                Err(_) => Default::Unknown(excerpt(name)),
            },
            (None, Some(zone)) => Default::Known(Zone::Iana(zone)),
            (None, None) => Default::None,
        };
        Self { own: Arc::clone(&self.own), default, worked: self.worked }
    }

    /// The same zones, where a time that names none is in this one.
    pub(crate) fn floating_in(&self, zone: &Zone) -> Self {
        Self { default: Default::Known(zone.clone()), ..self.clone() }
    }

    /// The zone of this name.
    ///
    /// # Errors
    /// When nobody knows it, the file included.
    pub fn named(&self, name: &str) -> Result<Zone, Fault> {
        let name = name.trim().trim_matches('"').trim();
        let zone = known(name).map(Zone::Iana).or_else(|| self.own.get(&key(name)).cloned());
        zone.ok_or_else(|| Fault::UnknownTimeZone { name: excerpt(name) })
    }

    /// The zone of a time that names none.
    pub(crate) fn floating(&self, property: &str) -> Result<Zone, Fault> {
        match &self.default {
            Default::Known(zone) => Ok(zone.clone()),
            Default::Unknown(name) => Err(Fault::UnknownTimeZone { name: name.clone() }),
            Default::None => Err(Fault::NoTimeZone { property: property.to_owned() }),
        }
    }

    /// The zone that an instant given in UTC is shown in.
    #[must_use]
    pub fn shown_for_utc(&self) -> Zone {
        match &self.default {
            Default::Known(zone) => zone.clone(),
            Default::Unknown(_) | Default::None => Zone::UTC,
        }
    }
}

/// A zone that the whole world calls so.
fn known(name: &str) -> Option<Tz> {
    let name = (name.len() <= MAX_NAME_BYTES).then_some(name)?;
    names::iana(name).or_else(|| names::windows(name))
}

fn key(name: &str) -> String {
    name.trim().trim_matches('"').trim().to_lowercase()
}
