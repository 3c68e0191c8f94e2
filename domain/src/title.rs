//! What appointments and sessions are called: as their service, or in somebody's own words, which may say who comes and why.
//!
//! A tenant has it that such words are [`Titles::Public`], as at a conference, or [`Titles::Personal`], as at a clinic. Which
//! they were is told by the event itself: a public title is a text, a personal one is sealed. Why so: ADR 0059.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::personal::stored;
use crate::{HasPersonal, Name, Personal, PersonalMember, Title};

/// What titles are that somebody gives; that of a service is public.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Titles {
    /// For whoever may read the appointment.
    #[default]
    Public,
    /// For whoever is told what is personal of its client.
    Personal,
}

impl Titles {
    pub const ALL: [Self; 2] = [Self::Public, Self::Personal];

    /// Its name on the wire and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Personal => "personal",
        }
    }
}

crate::words!(Titles, "kind of titles", UnknownTitles);

/// What something is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FreeTitle {
    Public(Title),
    /// It belongs to whom the thing is about, and is sealed with their key.
    Personal(Personal<Title>),
}

impl FreeTitle {
    /// The same, given where titles are so. What is personal already stays it.
    #[must_use]
    pub fn given_where(self, titles: Titles) -> Self {
        match (self, titles) {
            (Self::Public(title), Titles::Personal) => Self::Personal(Personal::new(title)),
            (title, _) => title,
        }
    }

    #[must_use]
    pub const fn is_personal(&self) -> bool {
        matches!(self, Self::Personal(_))
    }

    /// The title, where it is open to whoever asks.
    #[must_use]
    pub const fn reveal(&self) -> Option<&Title> {
        match self {
            Self::Public(title) => Some(title),
            Self::Personal(title) => title.reveal(),
        }
    }

    /// What is told to whoever it was opened for, or was not: there has to be a title.
    #[must_use]
    pub fn told(&self) -> Title {
        match self {
            Self::Public(title) | Self::Personal(Personal::Clear(title)) => title.clone(),
            Self::Personal(Personal::Sealed(_) | Personal::Withheld) => Title::withheld(),
            Self::Personal(Personal::Erased) => Title::erased(),
        }
    }
}

impl From<Title> for FreeTitle {
    fn from(title: Title) -> Self {
        Self::Public(title)
    }
}

/// Whatever is called as its service is: that name is public.
impl From<&Name> for FreeTitle {
    fn from(name: &Name) -> Self {
        Self::Public(Title::from(name))
    }
}

impl HasPersonal for FreeTitle {
    fn personal(&mut self) -> Vec<(&'static str, &mut dyn PersonalMember)> {
        match self {
            Self::Public(_) => Vec::new(),
            Self::Personal(title) => vec![("title", title)],
        }
    }
}

impl Serialize for FreeTitle {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Public(title) => title.serialize(to),
            Self::Personal(title) => title.serialize(to),
        }
    }
}

/// As the log has it: a text is public, whoever it may be about.
impl<'de> Deserialize<'de> for FreeTitle {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(match stored(from)? {
            Personal::Clear(title) => Self::Public(title),
            personal => Self::Personal(personal),
        })
    }
}

/// As that of what is personal: it can be withheld.
#[cfg(test)]
impl schemars::JsonSchema for FreeTitle {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        Personal::<Title>::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Personal::<Title>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEALED: &str = r#"{"v":1,"k":"00000000-0000-0000-0000-000000000007","c":"AAEC"}"#;

    fn title() -> Title {
        Title::new("Fitting").unwrap()
    }

    #[test]
    fn what_is_given_is_as_titles_are_there_and_what_is_sealed_stays_so() {
        let given = FreeTitle::from(title());
        assert_eq!(given.clone().given_where(Titles::Public), FreeTitle::Public(title()));
        let personal = given.given_where(Titles::Personal);
        assert_eq!(personal, FreeTitle::Personal(Personal::new(title())));
        let sealed: FreeTitle = serde_json::from_str(SEALED).unwrap();
        for titles in Titles::ALL {
            assert_eq!(sealed.clone().given_where(titles), sealed);
        }
    }

    #[test]
    fn a_text_is_read_as_public_and_what_is_sealed_as_personal_and_both_are_written_as_read() {
        let read = |json: &str| serde_json::from_str::<FreeTitle>(json).unwrap();
        for (json, is_personal) in [(r#""Fitting""#, false), (SEALED, true)] {
            let mut title = read(json);
            assert_eq!(title.is_personal(), is_personal, "{json}");
            assert_eq!(title.personal().len(), usize::from(is_personal), "{json}");
            assert_eq!(serde_json::to_string(&title).unwrap(), json);
        }
        let later = SEALED.replace(r#""v":1"#, r#""v":2"#);
        assert!(serde_json::from_str::<FreeTitle>(&later).is_err());
    }

    #[test]
    fn of_what_is_not_open_nothing_is_told_and_nothing_shows() {
        let sealed: FreeTitle = serde_json::from_str(SEALED).unwrap();
        assert_eq!((sealed.told(), sealed.reveal()), (Title::withheld(), None));
        let erased = FreeTitle::Personal(Personal::Erased);
        assert_eq!((erased.told(), erased.reveal()), (Title::erased(), None));
        let open = FreeTitle::from(title()).given_where(Titles::Personal);
        assert_eq!((open.told(), open.reveal()), (title(), Some(&title())));
        assert!(!format!("{open:?}").contains("Fitting"));
    }
}
