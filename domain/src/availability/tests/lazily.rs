//! The first starts, found lazily and within an effort, against all of them found at once.

use super::super::{Found, FreeStart, Unfinished, each_role_of, fills_each};
use super::*;

/// A house of rooms in two zones.
#[derive(Debug, Clone)]
struct House {
    rooms: Vec<(Tz, OpeningHours, u16, Vec<Claim>)>,
    roles: Vec<Vec<usize>>,
    days: i64,
    step: u32,
}

prop_compose! {
    fn house()(
        rooms in prop::collection::vec(
            (
                prop::sample::select(&ZONES[..3]),
                windows(),
                1_u16..3,
                prop::collection::vec((0_u16..3, 0_i64..7_200, 1_i64..900), 0..8),
            ),
            1..6,
        ),
        roles in prop::collection::vec(prop::collection::vec(0_usize..6, 1..6), 0..4),
        days in 1_i64..9,
        step in prop::sample::select(vec![15_u32, 45, 60, 240]),
    ) -> House {
        let minute = |n: i64| first_day() + TimeDelta::minutes(n);
        let room = |(zone, hours, places, claims): (Tz, OpeningHours, u16, Vec<_>)| {
            let claims = claims.into_iter().map(|(seat, from, length): (u16, i64, i64)| {
                claim(seat, minute(from), length)
            });
            (zone, hours, places, claims.collect())
        };
        let rooms: Vec<_> = rooms.into_iter().map(room).collect();
        let fits = |role: Vec<usize>| {
            let mut role: Vec<usize> = role.into_iter().map(|n| n % rooms.len()).collect();
            let mut seen = std::collections::HashSet::new();
            role.retain(|n| seen.insert(*n));
            role
        };
        let roles = roles.into_iter().map(fits).collect();
        House { rooms, roles, days, step }
    }
}

/// Five days before clocks are changed in Oslo.
fn first_day() -> DateTime<Utc> {
    at("2027-03-23T00:00:00Z")
}

impl House {
    fn calendars(&self) -> Vec<Calendar<'_>> {
        let each = self.rooms.iter().zip(1..);
        each.map(|((zone, hours, places, claims), n)| Calendar {
            resource: resource(n),
            zone: *zone,
            ..calendar(hours, claims, *places)
        })
        .collect()
    }

    fn query<'r>(&self, rules: &'r BookingRules) -> SlotQuery<'r> {
        let end = first_day() + TimeDelta::days(self.days);
        SlotQuery {
            grid: grid(self.step),
            within: Interval::new(first_day(), end).unwrap(),
            now: first_day(),
            ..query(rules)
        }
    }
}

/// Who is free at each start, by asking every calendar about every minute.
fn free_at(calendars: &[Calendar<'_>], query: &SlotQuery<'_>) -> Vec<(DateTime<Utc>, Vec<usize>)> {
    let minutes = (query.within.end() - query.within.start()).num_minutes();
    let starts = (0..minutes).map(|n| query.within.start() + TimeDelta::minutes(n));
    let free = starts.map(|start| {
        let is_free = |n: &usize| {
            let local = start.with_timezone(&calendars[*n].zone).time();
            query.grid.has(local) && calendars[*n].blockers(start, query).is_empty()
        };
        (start, (0..calendars.len()).filter(is_free).collect())
    });
    free.filter(|(_, free): &(_, Vec<usize>)| !free.is_empty()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_first_of_all_starts_are_found_whatever_the_limit(house in house(), limit in 1_usize..60) {
        let rules = BookingRules::default();
        let (calendars, query) = (house.calendars(), house.query(&rules));
        let all = free_at(&calendars, &query);
        let together: Vec<FreeStart> = all
            .iter()
            .filter_map(|(start, free)| {
                let filled = fills_each(&house.roles, calendars.len(), |n| free.contains(&n))?;
                Some(FreeStart { start: *start, filled_by: filled })
            })
            .collect();
        let found = each_role_of(&calendars, &house.roles, &query, limit, &mut unlimited());
        prop_assert_eq!(found, Ok(first(together, limit)));
        let any = all.iter().map(|(start, _)| *start).collect();
        let found = any_of(&calendars, &query, limit, &mut unlimited());
        prop_assert_eq!(found, Ok(first(any, limit)));
        let found = on_each(&calendars, &query, limit, &mut unlimited()).unwrap();
        for (n, found) in found.into_iter().enumerate() {
            let its_own = all.iter().filter(|(_, free)| free.contains(&n));
            prop_assert_eq!(found, first(its_own.map(|(start, _)| *start).collect(), limit));
        }
    }
}

fn first<T>(all: Vec<T>, limit: usize) -> Found<T> {
    let more = all.len() > limit;
    Found { starts: all.into_iter().take(limit).collect(), more }
}

/// Two hundred rooms that are open round the clock, each booked for ten minutes of every hour, at a minute of its own.
fn a_busy_house(claims: &mut Vec<Vec<Claim>>) -> OpeningHours {
    claims.extend((0..200).map(|n| {
        let every_hour =
            (0..92 * 24).map(|hour| first_day() + TimeDelta::minutes(60 * hour + n % 30));
        every_hour.map(|start| claim(0, start, 10)).collect()
    }));
    hours(r#"[{"days":["mon","tue","wed","thu","fri","sat","sun"],"from":"00:00","to":"24:00"}]"#)
}

#[test]
fn a_few_starts_of_many_cost_little_and_what_costs_too_much_is_given_up() {
    let (rules, mut claims) = (BookingRules::default(), Vec::new());
    let hours = a_busy_house(&mut claims);
    let calendars: Vec<_> = claims.iter().map(|claims| calendar(&hours, claims, 1)).collect();
    let end = first_day() + TimeDelta::days(92);
    let within = Interval::new(first_day(), end).unwrap();
    let query = SlotQuery { grid: grid(1), within, now: first_day(), ..query(&rules) };
    let sixteen = vec![(0..200).collect::<Vec<_>>(); 16];
    let mut effort = Effort::new(4_000_000, &|| true);
    let found = each_role_of(&calendars, &sixteen, &query, 1, &mut effort).unwrap();
    assert_eq!((found.starts.len(), found.more), (1, true));
    // The sixteen have one and the same fifteen to choose from.
    let too_few = vec![(0..15).collect::<Vec<_>>(); 16];
    let mut effort = Effort::new(4_000_000, &|| true);
    let given_up = each_role_of(&calendars, &too_few, &query, 1, &mut effort);
    assert_eq!(given_up, Err(Unfinished::TooBroad));
    let mut effort = Effort::new(u64::MAX, &|| false);
    let stopped = each_role_of(&calendars, &too_few, &query, 1, &mut effort);
    assert_eq!(stopped, Err(Unfinished::Stopped));
}
