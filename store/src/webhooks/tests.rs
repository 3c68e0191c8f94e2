use std::time::Duration;

use chrono::TimeDelta;
use uuid::Uuid;

use super::*;
use crate::Position;
use crate::personal::{Keyring, MasterKey, MasterKeys};
use crate::testing::{House, noon};

async fn webhooks(house: &House) -> Webhooks {
    let master = MasterKeys::new(&[MasterKey::generate().unwrap()]).unwrap();
    let keyring = Keyring::new(&house.log(), master);
    keyring.register().await.unwrap();
    Webhooks::new(&house.log(), Some(keyring))
}

fn new() -> NewWebhook {
    let terms = WebhookTerms {
        url: WebhookUrl::new("https://example.org/daybook").unwrap(),
        event_types: Vec::new(),
        categories: Vec::new(),
        personal: Privacy::Withheld,
    };
    NewWebhook { terms, is_active: true, after: Position::START }
}

#[tokio::test]
async fn a_secret_is_kept_sealed_and_opens_for_its_own_endpoint_alone() {
    let house = House::new().await;
    let webhooks = webhooks(&house).await;
    let (one, secret) = webhooks.add(&house.tenant, new(), noon()).await.unwrap();
    let (other, _) = webhooks.add(&house.tenant, new(), noon()).await.unwrap();
    let follower = by_follower(&house.tenant, one.id);
    let (_, opened) = webhooks.endpoint(&follower, noon()).await.unwrap().unwrap();
    assert_eq!(opened.present, secret);
    let kept: String = sqlx::query_scalar("SELECT secret FROM webhooks WHERE webhook_id = $1")
        .bind(one.id)
        .fetch_one(&house.pool)
        .await
        .unwrap();
    let shown = secret.shown();
    assert!(!kept.contains(shown.trim_start_matches("whsec_")));
    sqlx::query("UPDATE webhooks SET secret = $2 WHERE webhook_id = $1")
        .bind(other.id)
        .bind(kept)
        .execute(&house.pool)
        .await
        .unwrap();
    let follower = by_follower(&house.tenant, other.id);
    let closed = webhooks.endpoint(&follower, noon()).await;
    assert!(matches!(closed, Err(WebhookError::Keyring(_))), "{closed:?}");
}

#[tokio::test]
async fn both_secrets_are_good_until_the_one_before_has_ended() {
    let house = House::new().await;
    let webhooks = webhooks(&house).await;
    let (one, first) = webhooks.add(&house.tenant, new(), noon()).await.unwrap();
    let hour = TimeDelta::hours(1);
    let (_, second) = webhooks.rotate_secret(&house.tenant, one.id, hour, noon()).await.unwrap();
    let follower = by_follower(&house.tenant, one.id);
    let at = async |at| webhooks.endpoint(&follower, at).await.unwrap().unwrap().1;
    let both = at(noon() + hour - TimeDelta::seconds(1)).await;
    assert_eq!((both.present, both.previous), (second.clone(), Some(first)));
    let later = at(noon() + hour).await;
    assert_eq!((later.present, later.previous), (second, None));
}

#[tokio::test]
async fn deliveries_are_forgotten_after_thirty_days() {
    let house = House::new().await;
    let follower = by_follower(&house.tenant, Uuid::from_u128(1));
    let mut connection = house.pool.acquire().await.unwrap();
    for days in [0, 29, 31] {
        let delivery = Delivery {
            id: Uuid::now_v7(),
            position: Position::START.plus(1),
            attempt: 1,
            at: noon() - TimeDelta::days(days),
            status: None,
            failure: Some("timed-out".to_owned()),
            took: Duration::from_secs(15),
            body_sha256: vec![0; 32],
        };
        record(&mut connection, &follower, &delivery).await.unwrap();
    }
    assert_eq!(forget_deliveries(&house.pool, noon()).await.unwrap(), 1);
    let page = deliveries(&house.pool, &house.tenant, follower.id, None, 10).await.unwrap();
    assert_eq!((page.items.len(), page.next), (2, None));
    assert_eq!(page.items[0].took, Duration::from_secs(15));
}
