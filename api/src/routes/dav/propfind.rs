//! `PROPFIND` (RFC 4918 section 9.1): what a place tells of itself, and of what is in it.

use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use quick_xml::escape::escape;

use super::calendar::{Calendar, Member, Opened};
use super::multistatus::{MultiStatus, Refused};
use super::place::Place;
use super::properties::{self, Thing, is_of_members};
use super::xml::{DAV, Element, MAX_PROPERTIES, Name};
use super::{depth, nothing_there};

/// Bytes of the names of what is asked for, all together: what is not there of it is said of each thing.
const MAX_NAMES: usize = 8_192;

/// What is to be told.
pub(super) struct Asked {
    properties: Vec<Name>,
    /// Whatever there is: nobody has named them.
    all: bool,
    /// Only which there are.
    names: bool,
}

impl Asked {
    /// Of a `DAV:prop`.
    pub(super) fn of(prop: &Element) -> Result<Self, Refused> {
        Self { properties: Vec::new(), all: false, names: false }.with(prop)
    }

    /// What is named there as well: each once, for it is told of every thing.
    fn with(mut self, prop: &Element) -> Result<Self, Refused> {
        for Element { name, .. } in &prop.children {
            if self.properties.contains(name) {
                continue;
            }
            if self.properties.len() == MAX_PROPERTIES {
                let why = format!("at most {MAX_PROPERTIES} properties are told at once");
                return Err(Refused::not_xml(&why));
            }
            self.properties.push(name.clone());
        }
        let names = self.properties.iter();
        let bytes = names.map(|name| escape(&*name.namespace).len() + name.local.len());
        if bytes.sum::<usize>() > MAX_NAMES {
            let why = format!("the names of properties have at most {MAX_NAMES} bytes");
            return Err(Refused::not_xml(&why));
        }
        Ok(self)
    }

    /// Where nobody says what.
    pub(super) fn all() -> Self {
        Self { properties: properties::all(), all: true, names: false }
    }

    fn read(body: Option<&Element>) -> Result<Self, Refused> {
        let Some(body) = body else { return Ok(Self::all()) };
        if !body.name.is(DAV, "propfind") {
            return Err(Refused::not_xml("it is no DAV:propfind"));
        }
        if let Some(prop) = body.child(DAV, "prop") {
            return Self::of(prop);
        }
        let asked = Self { names: body.child(DAV, "propname").is_some(), ..Self::all() };
        match body.child(DAV, "include") {
            Some(include) => asked.with(include),
            None => Ok(asked),
        }
    }

    /// What is in a calendar, where that is needed to tell it.
    async fn members(
        &self,
        opened: &Opened<'_>,
        calendar: &Calendar,
        is_deep: bool,
    ) -> Result<Option<Vec<Member>>, Refused> {
        if is_deep || self.properties.iter().any(is_of_members) {
            return opened.members(calendar, None).await.map(Some);
        }
        Ok(None)
    }

    /// Tells it.
    pub(super) fn tell(
        &self,
        told: &mut MultiStatus,
        opened: &Opened<'_>,
        place: &Place,
        thing: &Thing<'_>,
    ) {
        self.tell_at(told, opened, &place.path(), thing);
    }

    /// Tells it under an address that somebody has for it.
    pub(super) fn tell_at(
        &self,
        told: &mut MultiStatus,
        opened: &Opened<'_>,
        address: &str,
        thing: &Thing<'_>,
    ) {
        let value = |name: &Name| properties::value(opened, thing, name);
        let asked: Vec<Name> = self
            .properties
            .iter()
            .filter(|name| !self.all || value(name).is_some())
            .cloned()
            .collect();
        told.tell(address, &asked, self.names, value);
    }
}

pub(super) async fn answer(
    opened: &Opened<'_>,
    place: &Place,
    headers: &HeaderMap,
    body: Option<&Element>,
) -> Result<Response, Refused> {
    let asked = Asked::read(body)?;
    // RFC 4918 section 9.1: it need not go all the way.
    let Some(depth) = depth(headers) else {
        return Err(Refused::condition(DAV, "propfind-finite-depth"));
    };
    let is_deep = depth == 1;
    let mut told = MultiStatus::new();
    match place {
        Place::Root => {
            asked.tell(&mut told, opened, place, &Thing::Root);
            if is_deep {
                asked.tell(&mut told, opened, &Place::Principal(opened.who), &Thing::Principal);
            }
        }
        Place::Principal(who) => {
            asked.tell(&mut told, opened, place, &Thing::Principal);
            if is_deep {
                asked.tell(&mut told, opened, &Place::Home(*who), &Thing::Home);
            }
        }
        Place::Home(who) => {
            asked.tell(&mut told, opened, place, &Thing::Home);
            let calendars = if is_deep { opened.calendars().await? } else { Vec::new() };
            for calendar in &calendars {
                let members = asked.members(opened, calendar, false).await?;
                let thing = Thing::Calendar(calendar, members.as_deref());
                let place = Place::Calendar { who: *who, id: calendar.id };
                asked.tell(&mut told, opened, &place, &thing);
            }
        }
        Place::Calendar { id, .. } => {
            let calendar = opened.calendar(*id).await?.ok_or_else(nothing_there)?;
            let members = asked.members(opened, &calendar, is_deep).await?;
            let thing = Thing::Calendar(&calendar, members.as_deref());
            asked.tell(&mut told, opened, place, &thing);
            for member in members.iter().flatten().filter(|_| is_deep) {
                let place = opened.place_of(*id, member.id);
                asked.tell(&mut told, opened, &place, &Thing::Member(member));
            }
        }
        Place::Member { calendar, id, .. } => {
            let calendar = opened.calendar(*calendar).await?.ok_or_else(nothing_there)?;
            let member = opened.member(&calendar, *id).await?.ok_or_else(nothing_there)?;
            asked.tell(&mut told, opened, place, &Thing::Member(&member));
        }
    }
    Ok(told.into_response())
}

#[cfg(test)]
mod tests {
    use super::super::xml;
    use super::*;

    fn asked(within: &str) -> Result<Asked, Refused> {
        let text = format!("<propfind xmlns=\"DAV:\">{within}</propfind>");
        Asked::read(xml::read(text.as_bytes()).unwrap().as_ref())
    }

    #[test]
    fn what_is_asked_for_twice_is_told_once() {
        let twice = asked("<prop><getetag/><displayname/><getetag/></prop>").unwrap();
        assert_eq!(twice.properties, ["getetag", "displayname"].map(|it| Name::new(DAV, it)));
        let all = asked("<allprop/><include><getetag/><sync-token/></include>").unwrap();
        assert_eq!(all.properties.len(), Asked::all().properties.len() + 1);
    }

    #[test]
    fn only_so_much_is_asked_for_at_once() {
        let many = |count: usize| {
            let names: Vec<String> = (0..count).map(|n| format!("<a{n}/>")).collect();
            asked(&format!("<prop>{0}{0}</prop>", names.concat()))
        };
        assert_eq!(many(MAX_PROPERTIES).unwrap().properties.len(), MAX_PROPERTIES);
        assert!(many(MAX_PROPERTIES + 1).is_err());
        let long = |n: usize| format!("<{}{n}/>", "a".repeat(MAX_NAMES / MAX_PROPERTIES * 2));
        let names: Vec<String> = (0..MAX_PROPERTIES).map(long).collect();
        assert!(asked(&format!("<prop>{}</prop>", names.concat())).is_err());
    }
}
