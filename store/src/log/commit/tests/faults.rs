use std::time::Instant;

use sqlx::{Connection, Executor, PgConnection};

use super::*;
use crate::testing::{House, Wire, a_booking, eventually, key, noon, uuid};

/// A booking of a resource of its own.
fn nth(tenant: &TenantId, n: u128) -> Submission {
    submission(tenant, uuid(n), 0, &a_booking(&[n], 0, 30))
}

fn is_appended(verdict: &Result<Verdict, AppendError>) -> bool {
    matches!(verdict, Ok(Verdict::Appended(_)))
}

#[tokio::test]
async fn what_postgres_cannot_store_does_not_fail_its_neighbours() {
    let house = House::new().await;
    let log = house.log();
    let mut batch: Vec<_> = (0..40).map(|n| nth(&house.tenant, n)).collect();
    batch[7].key = Some(key("with\0zero", 1));
    if let Decision::Accept { appends, .. } = &mut batch[23].decision {
        appends[0].events[0].payload = "{no json".to_owned();
    }
    let verdicts = append_at_once(&log, batch).await;
    for (n, verdict) in verdicts.iter().enumerate() {
        match n {
            7 => assert_eq!(*verdict, Err(AppendError::Rejected { sqlstate: "22021".into() })),
            23 => assert_eq!(*verdict, Err(AppendError::Rejected { sqlstate: "22P02".into() })),
            _ => assert!(is_appended(verdict), "{n}: {verdict:?}"),
        }
    }
    assert_eq!(end_of_whole(&log, &house.tenant).await, Ok(Position::START.plus(38)));
}

#[tokio::test]
async fn an_answer_of_a_later_program_fails_only_who_asks_for_it() {
    let house = House::new().await;
    let log = house.log();
    house
        .pool
        .execute(
            r#"INSERT INTO commands VALUES
               ('clinic', 'k', decode(repeat('01', 32), 'hex'), NULL, NULL, NULL,
                '{"aggregate":"appointment","code":"invented"}', now())"#,
        )
        .await
        .unwrap();
    let mut batch: Vec<_> = (0..4).map(|n| nth(&house.tenant, n)).collect();
    batch[1].key = Some(key("k", 1));
    let started = Instant::now();
    let verdicts = append_at_once(&log, batch).await;
    for n in [0, 2, 3] {
        assert!(is_appended(&verdicts[n]), "{n}: {:?}", verdicts[n]);
    }
    assert_eq!(verdicts[1], Err(AppendError::Unavailable));
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_full_queue_says_so_at_once() {
    let house = House::new().await;
    let log = house.log_with(LogSettings { queue_length: 8, ..House::settings() });
    let mut elsewhere = house.pool.begin().await.unwrap();
    elsewhere.execute("UPDATE log_heads SET position = position").await.unwrap();
    let appended = tokio::spawn({
        let (log, tenant) = (log.clone(), house.tenant.clone());
        async move { append_at_once(&log, (0..9).map(|n| nth(&tenant, n))).await }
    });
    // The committer has taken some of them; what it has taken waits for the other program.
    let started = Instant::now();
    eventually("the queue is full", async || {
        let more = join_all((10..30).map(|n| {
            tokio::time::timeout(Duration::from_millis(50), log.append(nth(&house.tenant, n)))
        }));
        more.await.iter().any(|verdict| matches!(verdict, Ok(Err(AppendError::Overloaded))))
    })
    .await;
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    elsewhere.rollback().await.unwrap();
    let _ = appended.await.unwrap();
}

#[tokio::test]
async fn a_database_that_is_away_is_reported_in_bounded_time_to_all_tenants() {
    let house = House::new().await;
    let nowhere = house.options().host("127.0.0.1").port(1).socket("/nonexistent");
    let settings =
        LogSettings { committers: 1, acquire_timeout: Duration::from_secs(1), ..House::settings() };
    let log = Log::open(&nowhere, &house.clock(), settings);
    let started = Instant::now();
    let batch = (0..30).map(|n| {
        let tenant: TenantId = format!("tenant-{n}").parse().unwrap();
        nth(&tenant, n)
    });
    for verdict in append_at_once(&log, batch).await {
        assert_eq!(verdict, Err(AppendError::Unavailable));
    }
    assert!(started.elapsed() < Duration::from_secs(9), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_swallows_everything_is_reported_in_bounded_time_and_survived() {
    let house = House::new().await;
    let wire = Wire::to(&house).await;
    let settings = LogSettings { acquire_timeout: Duration::from_secs(1), ..House::settings() };
    let log = Log::open(&wire.options(), &house.clock(), settings);
    assert!(is_appended(&log.append(nth(&house.tenant, 1)).await));
    // A committer's connection is at rest.
    tokio::time::sleep(Duration::from_millis(100)).await;
    wire.block();
    let started = Instant::now();
    let verdict = log.append(nth(&house.tenant, 2)).await;
    assert_eq!(verdict, Err(AppendError::OutcomeUnknown));
    assert!(started.elapsed() < Duration::from_secs(12), "{:?}", started.elapsed());
    wire.mend();
    eventually("it is written again", async || {
        is_appended(&log.append(nth(&house.tenant, 3)).await)
    })
    .await;
}

#[tokio::test]
async fn a_program_that_hangs_in_a_batch_does_not_keep_its_tenant_locked() {
    let house = House::new().await;
    let options = house.committer_options();
    let mut hanging = sqlx::PgConnection::connect_with(&options).await.unwrap();
    hanging.execute("BEGIN; UPDATE log_heads SET position = position").await.unwrap();
    let log = house.log();
    eventually("the tenant is unlocked", async || {
        is_appended(&log.append(nth(&house.tenant, 1)).await)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_die_under_load_lose_nothing_and_repeat_nothing() {
    let house = House::new().await;
    let logs = [house.log(), house.log()];
    let done = tokio_util::sync::CancellationToken::new();
    let cutter = async {
        let mut cuts = 0;
        while !done.is_cancelled() {
            house.cut_the_committers().await;
            cuts += 1;
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
        cuts
    };
    let writer = async |n: u128| {
        let mut acknowledged = Vec::new();
        for i in 0..40 {
            let log = &logs[usize::try_from(n % 2).unwrap()];
            let position = loop {
                match log.append(nth(&house.tenant, n * 1_000 + i)).await {
                    Ok(Verdict::Appended(position)) => break position,
                    // On a busy machine a committer may be cut off for as long as it tries: nothing was
                    // done, and if that were not so, this would be stale now.
                    Err(AppendError::Unavailable) => {}
                    other => panic!("{other:?}"),
                }
            };
            acknowledged.push((uuid(n * 1_000 + i), position));
        }
        acknowledged
    };
    let writers = async {
        let acknowledged = join_all((1..=16).map(writer)).await;
        done.cancel();
        acknowledged.concat()
    };
    let (cuts, acknowledged) = tokio::join!(cutter, writers);
    assert!(cuts > 5, "only {cuts} cuts");
    let end = Position::START.plus(640);
    assert_eq!(end_of_whole(&logs[0], &house.tenant).await, Ok(end));
    let events = logs[0].read(&house.tenant, Position::START, 10_000).await.unwrap();
    let mut logged: Vec<_> = events
        .into_iter()
        .map(|event| {
            let event = event.unwrap();
            let AnyEvent::Appointment(id, _) = event.event else { panic!("no appointment") };
            (id.uuid(), event.position)
        })
        .collect();
    let mut acknowledged = acknowledged;
    acknowledged.sort_unstable();
    logged.sort_unstable();
    assert_eq!(acknowledged, logged);
}

/// A claim of somebody else on the slot of the `n`th booking, not committed yet.
async fn claimed_elsewhere(house: &House, n: u128) -> sqlx::Transaction<'static, sqlx::Postgres> {
    let mut elsewhere = house.pool.begin().await.unwrap();
    let Decision::Accept { claims, .. } = nth(&house.tenant, n).decision else { unreachable!() };
    let [(_, claims)] = claims.as_slice() else { unreachable!() };
    let [claim] = claims.as_slice() else { unreachable!() };
    sqlx::query("INSERT INTO claims VALUES ($1, $2, $3, 0, tstzrange($4, $5))")
        .bind(house.tenant.as_str())
        .bind(uuid(900))
        .bind(claim.resource.uuid())
        .bind(claim.during.start())
        .bind(claim.during.end())
        .execute(&mut *elsewhere)
        .await
        .unwrap();
    elsewhere
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_is_written_first_commits_after_the_one_that_it_follows_on() {
    let mut seen_beside = 0;
    for taken in [false, true, false, true, false, true] {
        let house = House::new().await;
        let log = house.log();
        assert!(is_appended(&log.append(nth(&house.tenant, 1)).await));
        let elsewhere = claimed_elsewhere(&house, 2).await;
        let append = |range: std::ops::Range<u128>| {
            let (log, tenant) = (log.clone(), house.tenant.clone());
            tokio::spawn(async move { append_at_once(&log, range.map(|n| nth(&tenant, n))).await })
        };
        let first = append(2..3);
        house.committers_wait_for("transactionid").await;
        let second = append(3..33);
        // Long enough to be written, and not so long that the first has given up.
        tokio::time::sleep(Duration::from_millis(100)).await;
        seen_beside += u32::from(house.a_committer_waits_for("advisory").await);
        if taken {
            elsewhere.commit().await.unwrap();
        } else {
            elsewhere.rollback().await.unwrap();
        }
        let (first, second) = (first.await.unwrap(), second.await.unwrap());
        let at = |n| Ok(Verdict::Appended(Position::START.plus(n)));
        let before = if taken {
            assert!(matches!(first[..], [Ok(Verdict::SlotTaken(_))]), "{first:?}");
            1
        } else {
            assert_eq!(first, [at(2)]);
            2
        };
        for (verdict, n) in second.iter().zip(1..) {
            assert_eq!(*verdict, at(before + n));
        }
        let end = Position::START.plus(before + 30);
        // Of what was claimed elsewhere the log knows nothing.
        let unknown = sqlx::query("DELETE FROM claims WHERE appointment_id = $1").bind(uuid(900));
        unknown.execute(&house.pool).await.unwrap();
        assert_eq!(end_of_whole(&log, &house.tenant).await, Ok(end));
    }
    assert!(seen_beside > 0, "none was written beside another");
}

/// Moves the end of a log from one position to the next, as a batch does.
async fn moves_on(
    connection: &mut PgConnection,
    tenant: &TenantId,
    from: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "SELECT append_batch($1, $2, sha256(int8send($2)), $3, $2 + 1, sha256(int8send($2 + 1)), $3,
                             '{}', '{}', '{}', '{}', '500ms')",
    )
    .bind(tenant.as_str())
    .bind(from)
    .bind(noon())
    .execute(connection)
    .await
    .map(|_| ())
}

/// The function with the signature that it had at first, an array for each column.
#[tokio::test]
async fn an_older_program_that_is_still_running_appends_beside_this_one() {
    let house = House::new().await;
    let log = house.log();
    assert!(is_appended(&log.append(nth(&house.tenant, 1)).await));
    sqlx::query(
        "SELECT append_batch('500ms', tenant_id, position, hash, recorded_at, position + 1, sha256('2'),
                             recorded_at, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
                             '{}', '{}', '{}', '{}', ARRAY['appointment'], ARRAY['clinic/2'], '{1}',
                             ARRAY['x'], ARRAY['1.0'], ARRAY['{}'], ARRAY['{}'],
                             ARRAY[sha256('2')])
           FROM log_heads",
    )
    .execute(&house.pool)
    .await
    .unwrap();
    let after = log.append(nth(&house.tenant, 3)).await;
    assert_eq!(after, Ok(Verdict::Appended(Position::START.plus(3))));
}

/// The one before it commits while it looks for the end of the log: at the moment of each of its
/// questions, in one round or another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_finds_the_one_before_it_whenever_that_commits() {
    let House { tenant, pool, .. } = &House::new().await;
    sqlx::query("UPDATE log_heads SET hash = sha256(int8send(0)), recorded_at = $1")
        .bind(noon())
        .execute(pool)
        .await
        .unwrap();
    // Held: one that had to be made first would come too late.
    let mut one = pool.acquire().await.unwrap();
    let mut other = pool.acquire().await.unwrap();
    for from in (0..1_000).step_by(2) {
        let (first, second) =
            tokio::join!(moves_on(&mut one, tenant, from), moves_on(&mut other, tenant, from + 1));
        first.unwrap();
        second.unwrap();
    }
}

#[tokio::test]
async fn a_log_that_was_set_back_and_went_on_differently_is_not_remembered_wrongly() {
    let house = House::new().await;
    let log = house.log();
    assert!(is_appended(&log.append(nth(&house.tenant, 1)).await));
    // The server is replaced by a standby that had not got the last event; another program goes on.
    house.pool.execute("DELETE FROM events; DELETE FROM claims").await.unwrap();
    sqlx::query("UPDATE log_heads SET position = 0, hash = $1")
        .bind(genesis(&house.tenant).as_slice())
        .execute(&house.pool)
        .await
        .unwrap();
    assert!(is_appended(&house.log().append(nth(&house.tenant, 2)).await));
    let on_what_is_gone = submission(&house.tenant, uuid(1), 1, &a_booking(&[7], 0, 30));
    assert!(matches!(log.append(on_what_is_gone).await, Ok(Verdict::Stale(_))));
}
