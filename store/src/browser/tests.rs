use daybook_domain::rights::{Limits, Scope, Scopes};

use super::rows::{self, Maker};
use super::*;
use crate::testing::{House, noon};

const ONE: Uuid = Uuid::from_u128(1);

fn a_maker(ends_at: DateTime<Utc>) -> Maker {
    let scopes = Scopes::of(&[Scope::Book]);
    let limits = Limits::default();
    Maker::Token { issuer: Uuid::from_u128(9), subject: ONE, scopes, limits, ends_at }
}

fn principal(house: &House) -> daybook_domain::rights::Principal {
    let who = daybook_domain::rights::Who::Key(ONE);
    let tenant = house.tenant.clone();
    let (scopes, limits) = (Scopes::of(&[Scope::Book]), Limits::default());
    daybook_domain::rights::Principal { tenant, who, scopes, limits }
}

#[tokio::test]
async fn a_session_lasts_no_longer_than_the_token_that_made_it() {
    let house = House::new().await;
    for (token_minutes, minutes) in [(10, 10), (20 * 60, 12 * 60)] {
        let maker = a_maker(noon() + TimeDelta::minutes(token_minutes));
        let made = rows::make(&house.pool, &principal(&house), &maker, noon()).await.unwrap().0;
        assert_eq!(made.listed.ends_at, noon() + TimeDelta::minutes(minutes));
    }
}

#[tokio::test]
async fn what_has_ended_is_not_listed_and_forgotten_when_another_is_made() {
    let house = House::new().await;
    let (pool, principal) = (&house.pool, principal(&house));
    let count = async || -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM browser_sessions").fetch_one(pool).await.unwrap()
    };
    let maker = a_maker(noon() + TimeDelta::hours(20));
    let first = rows::make(pool, &principal, &maker, noon()).await.unwrap().0.listed;
    let at = |hours, minutes| noon() + TimeDelta::hours(hours) + TimeDelta::minutes(minutes);
    let listed = async |now| rows::list(pool, &principal.tenant, ONE, now).await.unwrap();
    assert_eq!(listed(at(0, 29)).await, std::slice::from_ref(&first));
    assert_eq!(listed(at(0, 31)).await, [], "nobody uses it");
    rows::note(pool, &principal.tenant, first.id, at(0, 20)).await.unwrap();
    assert_eq!(listed(at(0, 31)).await.len(), 1);
    rows::note(pool, &principal.tenant, first.id, at(11, 50)).await.unwrap();
    assert_eq!(listed(at(12, 1)).await, [], "however much it is used");
    assert_eq!(count().await, 1);
    rows::make(pool, &principal, &maker, at(12, 1)).await.unwrap();
    assert_eq!(count().await, 1, "the first is forgotten");
}
