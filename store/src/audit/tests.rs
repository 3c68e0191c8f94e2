//! The chain of the audit log, and who writes to it.

use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::TenantId;
use sqlx::PgPool;

use super::*;
use crate::testing::{House, noon, uuid};

fn entry(n: u32) -> AuditEntry {
    let read = AuditEntry::new(
        noon() + TimeDelta::seconds(n.into()),
        "key:1",
        AuditKind::PersonalDataRead,
    );
    read.about(uuid(n.into()))
}

async fn write(pool: &PgPool, entries: &[(Owner, AuditEntry)]) {
    let mut tx = pool.begin().await.unwrap();
    append(&mut tx, entries).await.unwrap();
    tx.commit().await.unwrap();
}

async fn five(house: &House) {
    let entries: Vec<_> = (1..=5).map(|n| (Some(house.tenant.clone()), entry(n))).collect();
    write(&house.pool, &entries[..2]).await;
    write(&house.pool, &entries[2..]).await;
}

async fn found(house: &House) -> Option<AuditFinding> {
    verify(&house.pool, Some(&house.tenant)).await.unwrap().finding
}

async fn run(house: &House, sql: &str) {
    sqlx::raw_sql(sql).execute(&house.pool).await.unwrap();
}

#[tokio::test]
async fn a_chain_is_whole_and_each_owner_has_their_own() {
    let house = House::new().await;
    five(&house).await;
    let other: TenantId = "other".parse().unwrap();
    write(&house.pool, &[(None, entry(1)), (Some(other.clone()), entry(2)), (None, entry(3))])
        .await;
    for (owner, entries) in [(Some(&house.tenant), 5), (Some(&other), 1), (None, 2)] {
        let verified = verify(&house.pool, owner).await.unwrap();
        assert_eq!((verified.entries, verified.finding), (entries, None), "{owner:?}");
    }
    assert_eq!(verify(&house.pool, Some(&"none".parse().unwrap())).await.unwrap().entries, 0);
}

#[tokio::test]
async fn whatever_is_done_to_a_chain_is_found() {
    let changed = "UPDATE audit_entries SET entry = replace(entry, 'key:1', 'key:2') WHERE seq = 3";
    let rehashed = "UPDATE audit_entries SET entry = replace(entry, 'key:1', 'key:2'),
                           hash = sha256('made up') WHERE seq = 3";
    let swapped = "UPDATE audit_entries SET seq = -seq WHERE seq IN (3, 4);
                   UPDATE audit_entries SET seq = CASE seq WHEN -3 THEN 4 ELSE 3 END WHERE seq < 0";
    for (done, expected) in [
        (changed, AuditFinding::Changed { seq: 3 }),
        (rehashed, AuditFinding::Changed { seq: 3 }),
        ("UPDATE audit_entries SET actor = 'key:2' WHERE seq = 3", AuditFinding::Columns { seq: 3 }),
        ("DELETE FROM audit_entries WHERE seq = 3", AuditFinding::Missing { from: 3, to: 3 }),
        ("DELETE FROM audit_entries WHERE seq > 3", AuditFinding::Missing { from: 4, to: 5 }),
        ("DELETE FROM audit_entries", AuditFinding::Missing { from: 1, to: 5 }),
        ("DELETE FROM audit_entries WHERE seq < 3", AuditFinding::Missing { from: 1, to: 2 }),
        (swapped, AuditFinding::DoesNotFollow { seq: 3 }),
        (
            "INSERT INTO audit_entries SELECT tenant_id, 6, at, actor, kind, subjects, entry, hash, hash
               FROM audit_entries WHERE seq = 5",
            AuditFinding::BeyondTheEnd { end: 5 },
        ),
    ] {
        let house = House::new().await;
        five(&house).await;
        assert_eq!(found(&house).await, None);
        run(&house, done).await;
        assert_eq!(found(&house).await, Some(expected), "{done}");
    }
}

#[tokio::test]
async fn many_programs_append_to_one_chain_at_once() {
    let house = House::new().await;
    let other: TenantId = "other".parse().unwrap();
    let recorders: Vec<_> = (0..4).map(|_| Recorder::new(house.pool.clone())).collect();
    let written = (0..40).map(|n: u32| {
        let owner = if n.is_multiple_of(3) { other.clone() } else { house.tenant.clone() };
        recorders[n as usize % 4].record(Some(owner), entry(n))
    });
    for written in futures::future::join_all(written).await {
        written.unwrap();
    }
    let (ours, others) = (
        verify(&house.pool, Some(&house.tenant)).await.unwrap(),
        verify(&house.pool, Some(&other)).await.unwrap(),
    );
    assert_eq!((ours.finding, others.finding, ours.entries + others.entries), (None, None, 40));
}

#[tokio::test]
async fn what_is_noted_is_written_within_a_second_and_at_the_end() {
    let house = House::new().await;
    let recorder = Recorder::new(house.pool.clone());
    recorder.note(Some(house.tenant.clone()), entry(1)).unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(verify(&house.pool, Some(&house.tenant)).await.unwrap().entries, 1);
    recorder.note(Some(house.tenant.clone()), entry(2)).unwrap();
    assert!(recorder.flush().await);
    assert_eq!(verify(&house.pool, Some(&house.tenant)).await.unwrap().entries, 2);
}

#[tokio::test]
async fn where_nothing_can_be_written_whoever_must_know_is_told_and_there_is_an_end_to_what_waits()
{
    let house = House::new().await;
    run(&house, "ALTER TABLE audit_entries RENAME TO away").await;
    let recorder = Recorder::new(house.pool.clone());
    let owner = || Some(house.tenant.clone());
    assert_eq!(recorder.record(owner(), entry(1)).await, Err(NotRecorded));
    let taken = (0..20_000).take_while(|n| recorder.note(owner(), entry(*n)).is_ok()).count();
    assert_eq!(taken, 10_000);
    run(&house, "ALTER TABLE away RENAME TO audit_entries").await;
    assert!(recorder.flush().await);
    // What was refused for want of a record is not recorded as done.
    let verified = verify(&house.pool, Some(&house.tenant)).await.unwrap();
    assert_eq!((verified.entries, verified.finding), (10_000, None));
}

#[tokio::test]
async fn refusals_of_a_moment_are_counted() {
    let house = House::new().await;
    let recorder = Recorder::new(house.pool.clone());
    for n in 0..50 {
        let refused = AuditEntry::new(noon(), "key:1", AuditKind::Refused);
        recorder.note(Some(house.tenant.clone()), refused.to(["a", "b"][n % 2])).unwrap();
    }
    assert!(recorder.flush().await);
    let page =
        page(&house.pool, Some(&house.tenant), &AuditFilter::default(), None, 10).await.unwrap();
    let times: Vec<_> = page.items.iter().map(|it| it.entry.times).collect();
    assert_eq!(times, [25, 25]);
}

#[tokio::test]
async fn a_list_is_filtered_and_paged_the_latest_first() {
    let house = House::new().await;
    let owner = Some(house.tenant.clone());
    let all: Vec<_> = (1..=20)
        .map(|n| {
            let kind = if n % 5 == 0 { AuditKind::KeyMade } else { AuditKind::PersonalDataRead };
            let actor = format!("key:{}", n % 2);
            (owner.clone(), AuditEntry { actor, kind, ..entry(n) })
        })
        .collect();
    write(&house.pool, &all).await;
    let read = async |filter: AuditFilter, limit| {
        let (mut seqs, mut after) = (Vec::new(), None);
        loop {
            let page = page(&house.pool, owner.as_ref(), &filter, after, limit).await.unwrap();
            seqs.extend(page.items.iter().map(|it| it.seq));
            after = page.next;
            if after.is_none() {
                return seqs;
            }
        }
    };
    let every: Vec<i64> = (1..=20).rev().collect();
    for limit in [1, 7, 20, 200] {
        assert_eq!(read(AuditFilter::default(), limit).await, every, "{limit}");
    }
    let kinds = vec![AuditKind::KeyMade];
    assert_eq!(read(AuditFilter { kinds, ..Default::default() }, 3).await, [20, 15, 10, 5]);
    let subject = Some(uuid(7));
    assert_eq!(read(AuditFilter { subject, ..Default::default() }, 3).await, [7]);
    let (from, to) = (Some(noon() + TimeDelta::seconds(4)), Some(noon() + TimeDelta::seconds(8)));
    let actor = Some("key:1".to_owned());
    assert_eq!(read(AuditFilter { from, to, actor, ..Default::default() }, 1).await, [7, 5]);
}

#[tokio::test]
async fn old_months_are_forgotten_whole_and_the_chain_goes_on() {
    let house = House::new().await;
    let at = |text: &str| -> DateTime<Utc> { text.parse().unwrap() };
    let of = |when| AuditEntry { at: at(when), ..entry(1) };
    let owner = Some(house.tenant.clone());
    let all = ["2026-08-31T23:59:59Z", "2026-09-01T00:00:00Z", "2026-11-02T00:00:00Z"];
    write(&house.pool, &all.map(|when| (owner.clone(), of(when)))).await;
    write(&house.pool, &[(None, of("2026-01-01T00:00:00Z"))]).await;
    let since = kept_since(at("2026-11-20T12:00:00Z"), 2);
    assert_eq!(since, at("2026-09-01T00:00:00Z"));
    assert_eq!(forget(&house.pool, since).await.unwrap(), 1);
    let verified = verify(&house.pool, owner.as_ref()).await.unwrap();
    assert_eq!((verified.entries, verified.first, verified.finding), (2, Some(2), None));
    let operators = verify(&house.pool, None).await.unwrap();
    assert_eq!((operators.entries, operators.finding), (1, None), "the last one stays");
}
