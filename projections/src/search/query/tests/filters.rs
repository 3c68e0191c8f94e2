//! Filters of every shape.

use chrono::TimeDelta;
use daybook_domain::appointment::Status;
use daybook_domain::rights::Limits;
use daybook_domain::{Category, ClientId, Location, ServiceId, Tag, Tags};
use rand::Rng as _;
use rand::rngs::StdRng;

use super::many::{client, metadata, now, resource, service};
use crate::search::row::FoundAppointment;
use crate::search::{SearchFilter, TagsMatch, TitleWords};

/// How many things a filter can ask for.
pub(super) const PARTS: u32 = 9;

/// Whether plans are tried at full size.
pub(super) fn every_combination() -> bool {
    std::env::var("DAYBOOK_FILTERS").is_ok_and(|which| which == "all")
}

/// The filters by which plans are tried: nothing, each part alone and with each other one, all parts, and all but one. How a
/// search is made depends on which parts there are and which is the rarest, so what goes wrong with three goes wrong with two of
/// them, or with nearly all. With `DAYBOOK_FILTERS=all`: every combination.
pub(super) fn shapes() -> Vec<u32> {
    let all = 0..1_u32 << PARTS;
    if every_combination() {
        return all.collect();
    }
    all.filter(|shape| !(3..PARTS - 1).contains(&shape.count_ones())).collect()
}

/// Where a filter's values come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Values {
    /// One row, so something is found.
    OfOne,
    /// What is common, each by itself.
    Common,
    /// What is common, but never or seldom together, or only at a certain time.
    Adverse,
}

impl Values {
    pub(super) const ALL: [Self; 3] = [Self::OfOne, Self::Common, Self::Adverse];
}

fn tags(names: &[&str]) -> Tags {
    let set: std::collections::BTreeSet<Tag> =
        names.iter().map(|name| Tag::new(name).unwrap()).collect();
    Tags::try_from(set).unwrap()
}

/// The filter that asks for the parts in `shape`, a set of bits.
pub(super) fn filter(
    shape: u32,
    values: Values,
    row: &FoundAppointment,
    random: &mut StdRng,
) -> SearchFilter {
    let asks = |part: u32| shape & (1 << part) != 0;
    let mut filter = SearchFilter::default();
    let any = random.random_bool(0.5);
    let several = random.random_bool(0.3);
    if asks(0) {
        let days = random.random_range(20..400);
        let middle = match values {
            Values::OfOne => row.during.start(),
            Values::Common | Values::Adverse => now(),
        };
        filter.from = Some(middle - TimeDelta::days(days));
        filter.to = random.random_bool(0.7).then(|| middle + TimeDelta::days(days));
    }
    if asks(1) {
        let category = |name| Category::new(name).unwrap();
        filter.categories = vec![match values {
            Values::OfOne => row.category.clone(),
            Values::Common => category("category 0"),
            Values::Adverse => category(if any { "category 0" } else { "category 1" }),
        }];
        filter.categories.extend(several.then(|| category("category 7")));
    }
    if asks(2) {
        filter.tags_match = if any { TagsMatch::Any } else { TagsMatch::All };
        filter.tags = match values {
            Values::OfOne if row.tags.iter().count() > 0 => row.tags.clone(),
            Values::OfOne => tags(&["tag 3"]),
            Values::Common => tags(&["tag 1", "tag 2"]),
            Values::Adverse if any => tags(&["tag 0"]),
            Values::Adverse if random.random_bool(0.5) => tags(&["tag 1"]),
            Values::Adverse => tags(&["campaign"]),
        };
    }
    if asks(3) {
        filter.statuses = match values {
            Values::OfOne => vec![row.status],
            Values::Common => vec![Status::Booked, Status::Fulfilled],
            Values::Adverse if any => vec![Status::Booked],
            Values::Adverse => vec![[Status::Cancelled, Status::Held][random.random_range(0..2)]],
        };
    }
    if asks(4) {
        filter.service_ids = vec![match values {
            Values::OfOne => row.service_id,
            Values::Common => service(0).into(),
            Values::Adverse => service(999).into(),
        }];
        filter.service_ids.extend(several.then(|| ServiceId::from(service(150))));
    }
    if asks(5) {
        filter.resource_ids = vec![match values {
            Values::OfOne => row.resource_ids.as_slice()[0],
            Values::Common | Values::Adverse => resource(503).into(),
        }];
        // Some appointments have both.
        let others = row.resource_ids.iter().skip(1).chain([resource(17).into()]);
        filter.resource_ids.extend(others.filter(|_| several));
    }
    if asks(6) {
        filter.client_ids = vec![match values {
            Values::OfOne => row.client_id,
            Values::Common | Values::Adverse => client(3).into(),
        }];
        let others = (1..=12).filter(|_| several).map(|n| ClientId::from(client(n * 7)));
        filter.client_ids.extend(others);
    }
    if asks(7) {
        let text = match values {
            Values::OfOne => row.title.reveal().unwrap().as_str(),
            Values::Common => "serv vis",
            Values::Adverse => ["s", "cons", "check up", "consultativ"][random.random_range(0..4)],
        };
        filter.title = TitleWords::parse(text).unwrap();
    }
    if asks(8) {
        match values {
            Values::OfOne if any && row.reference.is_some() => {
                filter.reference.clone_from(&row.reference);
            }
            Values::OfOne if !row.metadata.is_empty() => filter.metadata = row.metadata.clone(),
            Values::OfOne | Values::Common => filter.metadata = metadata(&[("source", "0")]),
            Values::Adverse if any => filter.metadata = metadata(&[("source", "0"), ("year", "1")]),
            Values::Adverse => filter.metadata = metadata(&[("year", "2")]),
        }
    }
    filter
}

/// The same filter, as often as not of somebody who is limited.
pub(super) fn narrowed(
    filter: SearchFilter,
    row: &FoundAppointment,
    random: &mut StdRng,
) -> SearchFilter {
    let mut within = Limits::default();
    let mut is_said = || random.random_ratio(1, 6);
    if is_said() {
        within.locations = Some(vec![Location::new("North").unwrap()].try_into().unwrap());
    }
    if is_said() {
        let few = vec![row.resource_ids.as_slice()[0], resource(503).into()];
        within.resource_ids = Some(few.try_into().unwrap());
    }
    if is_said() {
        let few = ["CATEGORY 0", "category 2"].map(|name| Category::new(name).unwrap());
        within.categories = Some(few.to_vec().try_into().unwrap());
    }
    if is_said() {
        within.client_id = Some(row.client_id);
    }
    SearchFilter { within, ..filter }
}
