//! Where an event takes place: LOCATION, without what is no place. A link or an online meeting's name
//! keeps nobody away, and would make a resource for each meeting.

use daybook_domain::Name;

/// The names of online meetings, in lower case, as programs write them into LOCATION. A part of it that
/// contains one names no place.
const ONLINE: [&str; 14] = [
    "microsoft teams",
    "teams meeting",
    "teams-besprechung",
    "réunion teams",
    "reunión de teams",
    "skype",
    "zoom meeting",
    "zoom.us",
    "google meet",
    "webex",
    "gotomeeting",
    "jitsi",
    "bigbluebutton",
    "facetime",
];

/// Parts of a location that are an online meeting when they say nothing else.
const ONLINE_ALONE: [&str; 7] = ["zoom", "teams", "meet", "online", "virtual", "remote", "huddle"];

/// The place that a location names, and whether there is more in it than that.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Location {
    /// `None`: it names none.
    pub(super) place: Option<Name>,
    /// Whether what was left out has to be kept elsewhere.
    pub(super) says_more: bool,
}

impl Location {
    pub(super) fn of(location: &str) -> Self {
        let parts: Vec<String> = location.split(';').filter_map(place_of).collect();
        let name = parts.join("; ");
        let place = Name::new(&name).ok();
        let says_more = place.is_none() && !location.is_empty() || name != location;
        Self { place, says_more }
    }
}

/// A part of a location without links; `None`: it is no place.
fn place_of(part: &str) -> Option<String> {
    let words = part.split_whitespace().filter(|word| !is_link(word));
    let place = words.collect::<Vec<_>>().join(" ");
    let lower = place.to_lowercase();
    let is_online = ONLINE.iter().any(|name| lower.contains(name))
        || ONLINE_ALONE.contains(&lower.trim_matches(|c: char| !c.is_alphanumeric()));
    (!place.is_empty() && !is_online).then_some(place)
}

fn is_link(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    lower.contains("://") || lower.starts_with("www.") || lower.starts_with("tel:")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(location: &str) -> (Option<String>, bool) {
        let Location { place, says_more } = Location::of(location);
        (place.map(String::from), says_more)
    }

    #[test]
    fn a_place_is_a_place() {
        for place in
            ["Room 9", "1 High Street, Town", "Zoom Street 4", "Hall A; Hall B", "Teamsport-Halle"]
        {
            assert_eq!(of(place), (Some(place.to_owned()), false));
        }
    }

    #[test]
    fn a_link_or_an_online_meeting_is_none_and_is_kept_elsewhere() {
        for online in [
            "Microsoft Teams Meeting",
            "Microsoft Teams-Besprechung",
            "https://example.org/j/123?pwd=4",
            "Zoom",
            "www.example.org/meet",
            "Google Meet (instructions in description)",
            "Zoom Meeting; https://example.org/j/123",
        ] {
            assert_eq!(of(online), (None, true), "{online}");
        }
    }

    #[test]
    fn a_place_beside_an_online_meeting_is_the_place() {
        let room = |text: &str| (Some(text.to_owned()), true);
        assert_eq!(of("Room 9; Microsoft Teams Meeting"), room("Room 9"));
        assert_eq!(of("Room 9 https://example.org/j/1"), room("Room 9"));
    }

    #[test]
    fn what_is_too_long_for_a_name_is_none() {
        assert_eq!(of(&"Long way ".repeat(40)), (None, true));
        assert_eq!(of(""), (None, false));
    }
}
