//! `PROPPATCH` (RFC 4918 section 9.2): nothing of a calendar is changed by its properties, and each that is named is said to be protected.
//! Some programs set a colour where they find a calendar; they keep it to themselves when they are told so.

use super::multistatus::{MultiStatus, Refused};
use super::place::Place;
use super::xml::{DAV, Element, MAX_PROPERTIES, Name};

pub(super) fn answer(place: &Place, asked: &Element) -> Result<MultiStatus, Refused> {
    if !asked.name.is(DAV, "propertyupdate") {
        return Err(Refused::not_xml("it is no DAV:propertyupdate"));
    }
    let changes =
        asked.children.iter().filter(|it| it.name.is(DAV, "set") || it.name.is(DAV, "remove"));
    let all =
        changes.filter_map(|change| change.child(DAV, "prop")).flat_map(|prop| &prop.children);
    let names: Vec<&Name> = all.map(|property| &property.name).take(MAX_PROPERTIES).collect();
    let mut told = MultiStatus::new();
    told.protected(&place.path(), &names);
    Ok(told)
}
