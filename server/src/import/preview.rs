//! What would become of what was planned, without doing it.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use daybook_domain::appointment::Appointment;
use daybook_domain::claim::ClaimQuery;
use daybook_domain::resource::Resource;
use daybook_domain::time::Interval;
use uuid::Uuid;

use super::importer::{Importer, Item};
use super::outcome::{Outcome, when};
use super::patience::patiently;
use super::plan::{Planned, Step};
use super::wanted::{Wish, standing};

/// What would be booked of places that take one event at a time, by start.
#[derive(Debug, Default)]
pub(super) struct Preview {
    taken: HashMap<Uuid, BTreeMap<DateTime<Utc>, Interval>>,
}

impl Preview {
    /// What would be in the way; else it would be booked.
    fn take(&mut self, resource: Uuid, during: Interval) -> Option<Interval> {
        let taken = self.taken.entry(resource).or_default();
        let before = taken.range(..during.end()).next_back();
        if let Some((_, other)) = before.filter(|(_, other)| other.overlaps(&during)) {
            return Some(*other);
        }
        taken.insert(during.start(), during);
        None
    }
}

impl Importer {
    pub(super) async fn previewed(
        &mut self,
        planned: Vec<Planned>,
    ) -> anyhow::Result<Vec<(Item, Outcome)>> {
        let mut all = Vec::with_capacity(planned.len());
        for Planned { item, step } in planned {
            let outcome = match (step, &item.wish) {
                (Step::Done(outcome), _) => outcome,
                (Step::Cancel { appointment, version }, _) => {
                    Outcome::Cancelled { appointment, version }
                }
                (Step::Book { appointment, content }, Some(wish)) => {
                    match self.there::<Appointment>(appointment).await? {
                        Some((there, _)) if standing(&there).is_some() => {
                            Outcome::AlreadyThere { kept: None }
                        }
                        _ => match self.in_the_way(appointment, wish).await? {
                            None => Outcome::Booked { appointment, version: 1, content },
                            Some(why) => Outcome::Refused(why),
                        },
                    }
                }
                (Step::Change { appointment, version, content, changes }, Some(wish)) => {
                    let in_the_way = if changes.moves {
                        self.in_the_way(appointment, wish).await?
                    } else {
                        None
                    };
                    match in_the_way {
                        Some(why) => Outcome::Refused(why),
                        None if changes.moves => Outcome::Moved { appointment, version, content },
                        None => Outcome::Changed { appointment, version, content },
                    }
                }
                (Step::Book { .. } | Step::Change { .. }, None) => Outcome::NotTakingPlace,
            };
            all.push((item, outcome));
        }
        Ok(all)
    }

    /// Why it could not be where it is to be.
    async fn in_the_way(
        &mut self,
        appointment: Uuid,
        wish: &Wish,
    ) -> anyhow::Result<Option<String>> {
        let (resource, during) = (wish.resource, wish.to_book.copied.during);
        if !wish.is_exclusive() {
            if wish.is_in_the_way() {
                self.preview().take(resource, during);
            }
            return Ok(None);
        }
        let taken = |other: Interval| format!("{} is taken {}", wish.place, when(&other, wish));
        let tenant = &self.context.tenant;
        match self.there::<Resource>(resource).await? {
            None => {}
            Some((Resource::Active(profile), _)) => {
                let query = ClaimQuery { resource: resource.into(), during };
                let own = appointment.into();
                let claims = patiently(|| self.engine.claims_of_others(tenant, query, own));
                let claims = claims.await.result?;
                let places = profile.capacity.places();
                if claims.free_seats(query.resource, places, &during).is_empty() {
                    let first = claims.ends_first(query.resource, &during);
                    return Ok(Some(taken(first.map_or(during, |first| first.during))));
                }
            }
            Some(_) => return Ok(Some(format!("{} has been retired", wish.place))),
        }
        Ok(self.preview().take(resource, during).map(taken))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(from: u32, to: u32) -> Interval {
        let at = |hour| format!("2027-06-01T{hour:02}:00:00Z").parse().unwrap();
        Interval::new(at(from), at(to)).unwrap()
    }

    #[test]
    fn what_would_be_booked_is_in_the_way_of_what_comes_after_it() {
        let mut preview = Preview::default();
        let (hall, room) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(preview.take(hall, hours(9, 11)), None);
        assert_eq!(preview.take(hall, hours(10, 12)), Some(hours(9, 11)));
        assert_eq!(preview.take(hall, hours(8, 10)), Some(hours(9, 11)));
        assert_eq!(preview.take(hall, hours(11, 12)), None);
        assert_eq!(preview.take(hall, hours(8, 9)), None);
        assert_eq!(preview.take(room, hours(9, 11)), None);
    }
}
