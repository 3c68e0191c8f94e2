//! What there is at an address.
//!
//! `/dav/` is where programs find out who they are; `/dav/{who}/` is who has the key, `{who}/calendars/` where their calendars are,
//! `{who}/calendars/{id}/` one of them, by the resource or client of which it is, and `{id}.ics` in that what takes place.

use uuid::Uuid;

use crate::http::basic::ROOT;

/// The name of the folder of somebody's calendars.
const HOME: &str = "calendars";
const SUFFIX: &str = ".ics";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Root,
    /// Who has a key: the same when that is rotated.
    Principal(Uuid),
    Home(Uuid),
    Calendar {
        who: Uuid,
        id: Uuid,
    },
    Member {
        who: Uuid,
        calendar: Uuid,
        id: Uuid,
    },
}

impl Place {
    /// Of a path, or of a whole URL: some programs send these. `None`: there is nothing.
    pub(super) fn of(address: &str) -> Option<Self> {
        let path = match address.split_once("://") {
            Some((_, rest)) => rest.find('/').map(|at| &rest[at..])?,
            None => address,
        };
        let rest = path.strip_prefix(ROOT.trim_end_matches('/'))?;
        if !rest.is_empty() && !rest.starts_with('/') {
            return None;
        }
        let parts: Vec<&str> = rest.trim_matches('/').split('/').collect();
        let id = |text: &str| Uuid::try_parse(text).ok();
        match parts.as_slice() {
            [""] => Some(Self::Root),
            [who] => id(who).map(Self::Principal),
            [who, home] if *home == HOME => id(who).map(Self::Home),
            [who, home, calendar] if *home == HOME => {
                Some(Self::Calendar { who: id(who)?, id: id(calendar)? })
            }
            [who, home, calendar, member] if *home == HOME => {
                let (calendar, name) = (id(calendar)?, member.strip_suffix(SUFFIX)?);
                Some(Self::Member { who: id(who)?, calendar, id: named(calendar, name) })
            }
            _ => None,
        }
    }

    /// Whose it is; `None`: everybody's.
    pub(super) const fn who(&self) -> Option<Uuid> {
        match self {
            Self::Root => None,
            Self::Principal(who)
            | Self::Home(who)
            | Self::Calendar { who, .. }
            | Self::Member { who, .. } => Some(*who),
        }
    }

    /// Its path.
    pub(super) fn path(&self) -> String {
        match self {
            Self::Root => ROOT.to_owned(),
            Self::Principal(who) => format!("{ROOT}{who}/"),
            Self::Home(who) => format!("{ROOT}{who}/{HOME}/"),
            Self::Calendar { who, id } => format!("{ROOT}{who}/{HOME}/{id}/"),
            Self::Member { who, calendar, id } => {
                format!("{ROOT}{who}/{HOME}/{calendar}/{id}{SUFFIX}")
            }
        }
    }
}

/// What a program calls so: most take an id for it, and others are given one.
fn named(calendar: Uuid, name: &str) -> Uuid {
    Uuid::try_parse(name).unwrap_or_else(|_| Uuid::new_v5(&calendar, name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_at_its_own_path_and_at_its_whole_url() {
        let [who, calendar, id] = [(); 3].map(|()| Uuid::now_v7());
        for place in [
            Place::Root,
            Place::Principal(who),
            Place::Home(who),
            Place::Calendar { who, id: calendar },
            Place::Member { who, calendar, id },
        ] {
            let path = place.path();
            assert_eq!(Place::of(&path), Some(place), "{path}");
            assert_eq!(Place::of(&format!("https://calendars.example:8443{path}")), Some(place));
            assert_eq!(Place::of(path.trim_end_matches('/')), Some(place));
        }
        let member = format!("/dav/{who}/calendars/{calendar}/{id}");
        let named = Place::of(&format!("{member}-of-mine.ics"));
        assert_eq!(Place::of(&named.unwrap().path()), named);
        for bad in ["", "/", "/davit", "/v1/", "/dav/me/", "https://calendars.example", &member] {
            assert_eq!(Place::of(bad), None, "{bad}");
        }
    }
}
