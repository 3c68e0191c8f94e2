//! Personal members of events, where these are told as JSON.

use serde_json::Value;
use uuid::Uuid;

use super::has::Named;
use super::{HasPersonal, Personal, PersonalMember, Sealed, Subject, stored};

/// Where the events of each type of aggregate have what is [`Personal`]: `member.of_member`, and `*` for each of a list; with the
/// name that it is sealed by.
type Places = &'static [(&'static str, &'static str)];

/// What is personal where it is sealed, and a text there is for everybody: a [`FreeTitle`](crate::FreeTitle).
const ELSE_PUBLIC: &str = "title";

/// What a test holds against the types of all events.
pub(crate) const PERSONAL_MEMBERS: &[(&str, Places)] = &[
    (
        "client",
        &[
            ("name", "name"),
            ("email", "email"),
            ("phone", "phone"),
            ("language", "language"),
            ("notes", "notes"),
            ("reference", "reference"),
            ("metadata", "metadata"),
        ],
    ),
    (
        "appointment",
        &[
            (ELSE_PUBLIC, ELSE_PUBLIC),
            ("note", "note"),
            ("reason", "reason"),
            ("overridden.reason", "overridden.reason"),
        ],
    ),
    ("series", &[("reason", "reason")]),
    (
        "session",
        &[
            (ELSE_PUBLIC, ELSE_PUBLIC),
            ("reason", "reason"),
            ("overridden.reason", "overridden.reason"),
        ],
    ),
    (
        "resource",
        &[("exception.reason", "exception.reason"), ("exceptions.*.reason", "exception.reason")],
    ),
];

/// Takes what is personal out of an event, as it is written, of this type of aggregate.
pub fn withhold_personal(aggregate_type: &str, event: &mut Value) {
    for (place, _) in places(aggregate_type) {
        each_owner(event, place, &mut |owner, member| {
            taken(owner, member);
        });
    }
}

fn places(aggregate_type: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let of_type = PERSONAL_MEMBERS.iter().filter(move |(kind, _)| *kind == aggregate_type);
    of_type.flat_map(|(_, places)| places.iter().copied())
}

type Members = serde_json::Map<String, Value>;

/// Each object, in order, that may have the last member of a place.
fn each_owner(
    value: &mut Value,
    place: &'static str,
    act: &mut dyn FnMut(&mut Members, &'static str),
) {
    match (value, place.split_once('.')) {
        (Value::Object(members), None) => act(members, place),
        (Value::Object(members), Some((first, rest))) => {
            if let Some(member) = members.get_mut(first) {
                each_owner(member, rest, act);
            }
        }
        (Value::Array(items), Some(("*", rest))) => {
            for item in items {
                each_owner(item, rest, act);
            }
        }
        _ => {}
    }
}

/// What is personal of a member, which has it no longer.
fn taken(owner: &mut Members, member: &'static str) -> Option<Value> {
    let is_public = member == ELSE_PUBLIC && owner.get(member).is_some_and(Value::is_string);
    if is_public { None } else { owner.remove(member) }
}

/// Of which no two may have the same.
const UNIQUE: (&str, &str) = ("client", "reference");

/// A personal member that is told as JSON.
struct Member {
    content: Personal<Value>,
    is_unique: bool,
}

impl PersonalMember for Member {
    fn clear(&self) -> Result<Option<String>, serde_json::Error> {
        self.content.clear()
    }

    fn is_clear(&self) -> bool {
        self.content.is_clear()
    }

    fn unique(&self) -> Option<&str> {
        self.content.reveal().filter(|_| self.is_unique)?.as_str()
    }

    fn sealed(&self) -> Option<&Sealed> {
        self.content.sealed()
    }

    fn seal(&mut self, sealed: Sealed) {
        self.content.seal(sealed);
    }

    fn open(&mut self, json: &str) -> Result<(), serde_json::Error> {
        self.content.open(json)
    }

    fn erase(&mut self) {
        self.content.erase();
    }

    fn withhold(&mut self) {
        self.content.withhold();
    }
}

/// What is personal of an event that is told as JSON.
pub struct PersonalJson {
    aggregate_type: String,
    /// About whom it is, where that is known from elsewhere.
    subject: Option<Subject>,
    /// By the name that it is sealed by, in the order in which it stands in the event; `None`: nothing is there.
    taken: Vec<(&'static str, Option<Member>)>,
}

impl PersonalJson {
    /// Takes it out of an event of this type of aggregate.
    ///
    /// # Errors
    /// When something is sealed in a form that is not known.
    pub fn take(aggregate_type: &str, event: &mut Value) -> Result<Self, serde_json::Error> {
        let mut found = Vec::new();
        for (place, name) in places(aggregate_type) {
            each_owner(event, place, &mut |owner, member| found.push((name, taken(owner, member))));
        }
        let read = |(name, value): (_, Option<Value>)| {
            let is_unique = (aggregate_type, name) == UNIQUE;
            let content = value.map(stored).transpose()?;
            Ok((name, content.map(|content| Member { content, is_unique })))
        };
        let taken = found.into_iter().map(read).collect::<Result<_, serde_json::Error>>()?;
        Ok(Self { aggregate_type: aggregate_type.to_owned(), subject: None, taken })
    }

    /// Whether there is something that was written in clear.
    pub fn has_clear(&mut self) -> bool {
        self.clear_members() > 0
    }

    /// How many members were written in clear.
    pub fn clear_members(&mut self) -> u64 {
        self.personal().iter().filter(|(_, member)| member.is_clear()).count() as u64
    }

    /// The same, about this subject.
    pub fn of(&mut self, subject: Subject) {
        self.subject = Some(subject);
    }

    /// Puts it back, but for what is erased.
    pub fn put_back(self, event: &mut Value) {
        let mut taken = self.taken.into_iter();
        for (place, _) in places(&self.aggregate_type) {
            each_owner(event, place, &mut |owner, member| {
                if let Some((_, Some(Member { content: Personal::Clear(content), .. }))) =
                    taken.next()
                {
                    owner.insert(member.to_owned(), content);
                }
            });
        }
    }

    /// Puts it back as the log is to have it, sealed or not.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn put_back_as_stored(self, event: &mut Value) -> Result<(), serde_json::Error> {
        let mut taken = self.taken.into_iter();
        let mut written = Ok(());
        for (place, _) in places(&self.aggregate_type) {
            each_owner(event, place, &mut |owner, member| {
                let Some((_, Some(Member { content, .. }))) = taken.next() else { return };
                match serde_json::to_value(content) {
                    Ok(content) => drop(owner.insert(member.to_owned(), content)),
                    Err(error) => written = Err(error),
                }
            });
        }
        written
    }
}

impl HasPersonal for PersonalJson {
    fn personal(&mut self) -> Vec<Named<'_>> {
        let there = self.taken.iter_mut();
        let there = there.filter_map(|(name, it)| Some((*name, it.as_mut()?)));
        there.map(|(name, it)| (name, it as &mut dyn PersonalMember)).collect()
    }

    fn subject(&self, _: Uuid) -> Option<Subject> {
        self.subject
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_taken_out_of_lists_is_put_back_where_it_was() {
        let event = json!({"exceptions": [{"reason": "ill"}, {"id": 1}, {"reason": "Fair"}],
                           "exception": {"reason": "away"}, "reason": "told"});
        let mut told = event.clone();
        let taken = PersonalJson::take("resource", &mut told).unwrap();
        assert_eq!(
            told,
            json!({"exceptions": [{}, {"id": 1}, {}], "exception": {}, "reason": "told"})
        );
        taken.put_back(&mut told);
        assert_eq!(told, event);
        withhold_personal("resource", &mut told);
        assert_eq!(
            told,
            json!({"exceptions": [{}, {"id": 1}, {}], "exception": {}, "reason": "told"})
        );
    }

    #[test]
    fn a_title_is_taken_where_it_is_sealed_and_told_where_it_is_not() {
        let key = "00000000-0000-0000-0000-000000000007";
        let sealed = json!({"title": {"v": 1, "k": key, "c": "AAEC"}, "category": "care"});
        let public = json!({"title": "Opening", "category": "care"});
        for (event, left) in [(&sealed, json!({"category": "care"})), (&public, public.clone())] {
            let mut told = event.clone();
            withhold_personal("appointment", &mut told);
            assert_eq!(told, left);
            let mut told = event.clone();
            let mut taken = PersonalJson::take("session", &mut told).unwrap();
            assert_eq!(told, left);
            assert!(!taken.has_clear(), "it is not personal: {event}");
            taken.put_back(&mut told);
            assert_eq!(told, left, "nothing was opened");
        }
    }
}
