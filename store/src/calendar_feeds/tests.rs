use chrono::TimeDelta;

use super::*;
use crate::testing::{House, noon};

fn terms() -> FeedTerms {
    FeedTerms {
        name: Name::new("Room 1").unwrap(),
        limits: Limits::default(),
        tags: Tags::default(),
        detail: Detail::Full,
        personal: Privacy::Told,
    }
}

async fn made(house: &House) -> (CalendarFeeds, CalendarFeed, String) {
    let feeds = CalendarFeeds::new(&house.log());
    let (feed, secret) = feeds.make(&house.tenant, terms(), "me".into(), noon()).await.unwrap();
    (feeds, feed, secret)
}

#[tokio::test]
async fn a_secret_is_kept_as_a_hash_and_is_of_one_feed_until_there_is_another() {
    let house = House::new().await;
    let (feeds, feed, secret) = made(&house).await;
    let row: String = sqlx::query_scalar("SELECT row_to_json(f)::text FROM calendar_feeds f")
        .fetch_one(&house.pool)
        .await
        .unwrap();
    let (digits, _) = secret.split_once('_').unwrap();
    assert!(!row.contains(digits), "{row}");
    let followed = feeds.follow(&secret, noon()).await.unwrap();
    assert_eq!(followed, Followed::Feed(house.tenant.clone(), Box::new(feed.clone())));
    let (rotated, new) = feeds.rotate(&house.tenant, feed.id, noon()).await.unwrap();
    assert_eq!((rotated.id, rotated.rotated_at), (feed.id, Some(noon())));
    assert_eq!(feeds.follow(&secret, noon()).await.unwrap(), Followed::Unknown);
    assert!(matches!(feeds.follow(&new, noon()).await.unwrap(), Followed::Feed(..)));
    feeds.revoke(&house.tenant, feed.id, noon()).await.unwrap();
    assert_eq!(feeds.follow(&new, noon()).await.unwrap(), Followed::Unknown);
    assert_eq!(feeds.list(&house.tenant).await.unwrap(), []);
}

#[tokio::test]
async fn when_it_was_used_last_is_written_once_a_minute() {
    let house = House::new().await;
    let (feeds, feed, secret) = made(&house).await;
    let used = async |seconds| {
        feeds.follow(&secret, noon() + TimeDelta::seconds(seconds)).await.unwrap();
        feeds.find(&house.tenant, feed.id).await.unwrap().last_used_at.unwrap() - noon()
    };
    assert_eq!(used(0).await, TimeDelta::zero());
    assert_eq!(used(59).await, TimeDelta::zero());
    assert_eq!(used(60).await, TimeDelta::minutes(1));
}

#[tokio::test]
async fn what_is_no_secret_costs_no_query() {
    let house = House::new().await;
    let (_, _, secret) = made(&house).await;
    let log = house.log();
    let feeds = CalendarFeeds::new(&log);
    log.pool().close().await;
    for bad in ["", "x", &secret[1..], &format!("{secret}0"), &"0".repeat(50)] {
        assert_eq!(feeds.follow(bad, noon()).await.unwrap(), Followed::Unknown, "{bad}");
    }
    assert!(feeds.follow(&secret, noon()).await.is_err(), "a whole one is looked up");
}

/// A limit of a later version: the feed would tell what it must not.
#[tokio::test]
async fn a_feed_whose_limits_are_not_known_tells_nothing() {
    let house = House::new().await;
    let (feeds, _, secret) = made(&house).await;
    sqlx::query("UPDATE calendar_feeds SET limits = '{\"floors\": [1]}'")
        .execute(&house.pool)
        .await
        .unwrap();
    assert!(feeds.follow(&secret, noon()).await.is_err());
}
