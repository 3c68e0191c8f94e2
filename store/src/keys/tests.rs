use std::time::Duration;

use chrono::TimeDelta;
use daybook_domain::Category;
use daybook_domain::rights::{Limits, Scope, ScopeSet};
use tokio::task::yield_now;
use tokio::time::timeout;

use super::*;
use crate::testing::{House, noon};

/// A key that is wrong, and may be one.
fn wrong_key() -> String {
    format!("daybook_{}", "0".repeat(64))
}

async fn a_key(house: &House, new: NewKey) -> CreatedKey {
    create(&house.pool, &house.tenant, new, noon()).await.unwrap()
}

fn read() -> NewKey {
    NewKey::of(ScopeSet::Read.scopes())
}

/// As a program that has just begun to listen, with its log.
async fn holders(house: &House) -> (KeyHolders, crate::Log) {
    let log = house.log();
    log.listening().wait_for(|listens| *listens).await.unwrap();
    (KeyHolders::new(&log, &house.clock()), log)
}

fn holder(held: Held) -> KeyHolder {
    let Held::By(holder) = held else { panic!("{held:?}") };
    holder
}

#[tokio::test]
async fn a_key_opens_its_tenants_log_and_only_its_hash_is_kept() {
    let house = House::new().await;
    let scopes = Scopes::of(&[Scope::Book, Scope::Availability]);
    let made = a_key(&house, NewKey::of(scopes)).await;
    let (holders, _log) = holders(&house).await;
    let found = holder(holders.holder(&made.key).await.unwrap());
    assert_eq!((found.owner, found.scopes), (Owner::Tenant(house.tenant.clone()), scopes));
    assert_eq!(found.key_id, made.listed.id);
    let rows: Vec<String> = sqlx::query_scalar("SELECT api_keys::text FROM api_keys")
        .fetch_all(&house.pool)
        .await
        .unwrap();
    let secret = made.key.split('_').nth(2).unwrap();
    assert_eq!(rows.len(), 1);
    assert!(!rows[0].contains(secret), "{rows:?}");
}

/// As programs of before have made it.
#[tokio::test]
async fn a_key_of_the_old_form_works_on_with_the_set_that_its_scope_names() {
    use sha2::Digest as _;
    let house = House::new().await;
    let key = wrong_key();
    sqlx::query(
        "INSERT INTO api_keys (key_hash, tenant_id, key_id, scope, created_at)
         VALUES ($1, $2, $3, 'book', $4)",
    )
    .bind(sha2::Sha256::digest(key.as_bytes()).as_slice())
    .bind(house.tenant.as_str())
    .bind(Uuid::now_v7())
    .bind(noon())
    .execute(&house.pool)
    .await
    .unwrap();
    let (holders, _log) = holders(&house).await;
    let found = holder(holders.holder(&key).await.unwrap());
    assert_eq!(found.scopes, ScopeSet::Book.scopes());
    let listed = list(&house.pool, &house.tenant).await.unwrap();
    assert_eq!(listed[0].scopes, ScopeSet::Book.scopes());
}

#[tokio::test]
async fn what_is_no_key_has_no_holder() {
    let house = House::new().await;
    let made = a_key(&house, read()).await.key;
    let (holders, _log) = holders(&house).await;
    let cut = &made[..made.len() - 1];
    for not_a_key in ["", "daybook_", cut, &made.to_uppercase(), &wrong_key()] {
        assert_eq!(holders.holder(not_a_key).await.unwrap(), Held::Unknown, "{not_a_key:?}");
    }
}

#[tokio::test]
async fn keys_that_are_known_to_be_right_or_wrong_are_not_looked_up() {
    let house = House::new().await;
    let (holders, _log) = holders(&house).await;
    let (right, misprinted) = (a_key(&house, read()).await.key, a_key(&house, read()).await.key);
    let wrong = wrong_key();
    assert!(matches!(holders.holder(&right).await.unwrap(), Held::By(_)));
    assert_eq!(holders.holder(&wrong).await.unwrap(), Held::Unknown);
    sqlx::query("ALTER TABLE api_keys RENAME TO not_to_be_read")
        .execute(&house.pool)
        .await
        .unwrap();
    assert!(matches!(holders.holder(&right).await.unwrap(), Held::By(_)));
    assert_eq!(holders.holder(&wrong).await.unwrap(), Held::Unknown);
    assert_eq!(holders.holder("no key").await.unwrap(), Held::Unknown);
    let other_last = if misprinted.ends_with('0') { "1" } else { "0" };
    let misprinted = format!("{}{other_last}", &misprinted[..misprinted.len() - 1]);
    assert_eq!(holders.holder(&misprinted).await.unwrap(), Held::Unknown);
    assert!(holders.holder(&wrong.replace('0', "1")).await.is_err(), "that one is looked up");
}

#[tokio::test]
async fn a_key_that_was_revoked_ends_at_once_for_other_programs_and_stays_listed() {
    let house = House::new().await;
    let (holders, _log) = holders(&house).await;
    let (kept, revoked) = (a_key(&house, read()).await, a_key(&house, read()).await);
    let held = holder(holders.holder(&revoked.key).await.unwrap());
    let ended = tokio::spawn({
        let holders = holders.clone();
        async move { holders.ended(&held).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!ended.is_finished());
    let (pool, id) = (&house.pool, revoked.listed.id);
    let another = house.another_tenant("another").await;
    assert_eq!(revoke(pool, &another, id, noon()).await.unwrap(), None, "it is not theirs");
    let told = revoke(pool, &house.tenant, id, noon()).await.unwrap().unwrap();
    assert_eq!(told.revoked_at, Some(noon()));
    timeout(Duration::from_secs(3), ended).await.unwrap().unwrap();
    assert_eq!(holders.holder(&revoked.key).await.unwrap(), Held::Unknown);
    assert!(matches!(holders.holder(&kept.key).await.unwrap(), Held::By(_)));
    let again = revoke(pool, &house.tenant, id, noon() + TimeDelta::hours(1)).await.unwrap();
    assert_eq!(again.unwrap().revoked_at, Some(noon()), "it has ended once");
    let listed = list(pool, &house.tenant).await.unwrap();
    let ends: Vec<_> = listed.iter().map(|key| key.revoked_at).collect();
    assert_eq!(ends, [None, Some(noon())]);
}

#[tokio::test]
async fn a_key_ends_at_its_end() {
    let house = House::new().await;
    let (holders, _log) = holders(&house).await;
    let end = noon() + TimeDelta::hours(1);
    let made = a_key(&house, NewKey { expires_at: Some(end), ..read() }).await;
    let held = holder(holders.holder(&made.key).await.unwrap());
    house.clock.set(end);
    assert!(matches!(holders.holder(&made.key).await.unwrap(), Held::Expired(_)));
    timeout(Duration::from_secs(3), holders.ended(&held)).await.unwrap();
}

#[tokio::test]
async fn a_key_that_is_rotated_goes_on_for_the_overlap_and_the_new_one_is_as_good() {
    let house = House::new().await;
    let (holders, _log) = holders(&house).await;
    let (name, end) = (Name::new("Front desk").unwrap(), noon() + TimeDelta::days(30));
    let new = NewKey { name: Some(name.clone()), expires_at: Some(end), ..read() };
    let old = a_key(&house, new).await;
    assert!(matches!(holders.holder(&old.key).await.unwrap(), Held::By(_)));
    let later = noon() + TimeDelta::days(10);
    let overlap = (TimeDelta::hours(2), None);
    let (pool, tenant, id) = (&house.pool, &house.tenant, old.listed.id);
    let smaller = Scopes::of(&[Scope::Keys]);
    let refused = rotate(pool, tenant, id, overlap, smaller, later).await;
    assert!(matches!(refused, Err(RotateKeyError::Larger { .. })), "{refused:?}");
    let new = rotate(pool, tenant, id, overlap, Scopes::ALL, later).await.unwrap();
    assert_eq!((new.listed.name, new.listed.scopes), (Some(name), old.listed.scopes));
    assert_eq!(new.listed.replaces, Some(id));
    assert_eq!(new.listed.expires_at, Some(later + TimeDelta::days(30)), "as long as the old one");
    house.clock.set(later + TimeDelta::minutes(119));
    for key in [&old.key, &new.key] {
        assert!(matches!(holders.holder(key).await.unwrap(), Held::By(_)));
    }
    house.clock.set(later + TimeDelta::minutes(120));
    let has_ended = async || matches!(holders.holder(&old.key).await.unwrap(), Held::Expired(_));
    let ended = async {
        while !has_ended().await {
            // What is remembered is found without a wait, and whoever hears the notice is to have a turn.
            yield_now().await;
        }
    };
    timeout(Duration::from_secs(3), ended).await.unwrap();
    let again = rotate(pool, tenant, id, overlap, Scopes::ALL, later + TimeDelta::hours(3)).await;
    assert!(matches!(again, Err(RotateKeyError::Ended)), "{again:?}");
}

#[tokio::test]
async fn keys_that_ended_make_room_for_new_ones_and_others_do_not() {
    let house = House::new().await;
    let first = a_key(&house, read()).await.listed.id;
    sqlx::query(
        "INSERT INTO api_keys (key_hash, tenant_id, key_id, scope, created_at)
         SELECT sha256(n::text::bytea), $1, gen_random_uuid(), 'read', $2
           FROM generate_series(2, $3) AS n",
    )
    .bind(house.tenant.as_str())
    .bind(noon())
    .bind(MAX_KEYS)
    .execute(&house.pool)
    .await
    .unwrap();
    let refused = create(&house.pool, &house.tenant, read(), noon()).await;
    assert!(matches!(refused, Err(CreateKeyError::TooMany)), "{refused:?}");
    revoke(&house.pool, &house.tenant, first, noon()).await.unwrap().unwrap();
    let made = a_key(&house, read()).await.listed.id;
    let ids: Vec<Uuid> =
        list(&house.pool, &house.tenant).await.unwrap().iter().map(|key| key.id).collect();
    assert!(!ids.contains(&first) && ids.contains(&made));
    let nobody: TenantId = "nobody".parse().unwrap();
    let refused = create(&house.pool, &nobody, read(), noon()).await;
    assert!(matches!(refused, Err(CreateKeyError::NoTenant)), "{refused:?}");
}

#[tokio::test]
async fn a_program_that_knows_of_no_limits_finds_a_limited_key_good_for_nothing() {
    let house = House::new().await;
    let category = Category::new("check-up").unwrap();
    let categories = Some(vec![category].try_into().unwrap());
    let limits = Limits { categories, ..Limits::default() };
    let made = a_key(&house, NewKey { limits: limits.clone(), ..read() }).await;
    let row: (Option<String>, Vec<String>) =
        sqlx::query_as("SELECT scope, scopes FROM api_keys WHERE key_id = $1")
            .bind(made.listed.id)
            .fetch_one(&house.pool)
            .await
            .unwrap();
    assert_eq!(row, (None, vec![]));
    let (holders, _log) = holders(&house).await;
    let found = holder(holders.holder(&made.key).await.unwrap());
    assert_eq!((found.scopes, &found.limits), (ScopeSet::Read.scopes(), &limits));
    assert_eq!(list(&house.pool, &house.tenant).await.unwrap()[0].limits, limits);
    // Nor does this one guess what a limit means that a newer one has given.
    sqlx::query("UPDATE api_keys SET limited = jsonb_set(limited, '{limits,floors}', '[1]')")
        .execute(&house.pool)
        .await
        .unwrap();
    assert!(list(&house.pool, &house.tenant).await.unwrap()[0].scopes.is_empty());
}

#[tokio::test]
async fn an_operators_key_is_no_tenants() {
    let house = House::new().await;
    let made = create(&house.pool, Owner::Operator, NewKey::default(), noon()).await.unwrap();
    assert!(made.key.starts_with("daybook_op_"), "{}", made.key);
    let (holders, _log) = holders(&house).await;
    let found = holder(holders.holder(&made.key).await.unwrap());
    assert_eq!((found.owner, found.scopes), (Owner::Operator, Scopes::default()));
    assert!(list(&house.pool, &house.tenant).await.unwrap().is_empty());
    assert_eq!(list(&house.pool, Owner::Operator).await.unwrap(), [made.listed]);
    assert!("".parse::<TenantId>().is_err(), "no tenant is called as operators are");
}

#[tokio::test]
async fn it_is_written_when_a_key_was_used_and_not_each_time() {
    let house = House::new().await;
    let (holders, _log) = holders(&house).await;
    let made = a_key(&house, read()).await;
    let used = async || list(&house.pool, &house.tenant).await.unwrap()[0].last_used_at;
    assert_eq!(used().await, None);
    let is_used_at = async |at: DateTime<Utc>| {
        holders.holder(&made.key).await.unwrap();
        let is_written = async { while used().await != Some(at) {} };
        timeout(Duration::from_secs(3), is_written).await.unwrap();
    };
    is_used_at(noon()).await;
    house.clock.set(noon() + TimeDelta::seconds(59));
    for _ in 0..10 {
        holders.holder(&made.key).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(used().await, Some(noon()));
    house.clock.set(noon() + TimeDelta::seconds(60));
    is_used_at(noon() + TimeDelta::seconds(60)).await;
}
