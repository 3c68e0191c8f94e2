use std::collections::HashMap;

use cqrs_es::{AggregateContext, AggregateError, EventStore};
use daybook_domain::service::{ServiceDefined, ServiceEvent, ServiceRetired};

use super::*;
use crate::Position;
use crate::log::{AnyEvent, Verified, genesis};

fn store(house: &House, log: &Log) -> LogEventStore<Service> {
    LogEventStore::new(log, &house.clock())
}

fn defined() -> ServiceEvent {
    ServiceEvent::ServiceDefined(ServiceDefined { terms: terms() })
}

#[tokio::test]
async fn cqrs_es_loads_what_it_committed() {
    let house = House::new().await;
    let log = house.log();
    let services = store(&house, &log);
    let id = format!("{}/{}", house.tenant, uuid(SERVICE));
    let context = services.load_aggregate(&id).await.unwrap();
    let metadata = HashMap::from([("actor".to_owned(), "a test".to_owned())]);
    let retired = ServiceEvent::ServiceRetired(ServiceRetired {});
    let committed =
        services.commit(vec![defined(), retired], context, metadata.clone()).await.unwrap();
    assert_eq!(committed.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2]);
    let mut loaded = services.load_aggregate(&id).await.unwrap();
    assert_eq!(*loaded.aggregate(), Service::Retired(terms()));
    let events = services.load_events(&id).await.unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(events[1].metadata, metadata);
    let whole = Verified::Whole(Position::START.plus(2));
    assert_eq!(log.verify(&house.tenant).await.unwrap(), whole);
}

#[tokio::test]
async fn to_cqrs_es_a_stale_stream_is_a_conflict() {
    let house = House::new().await;
    let log = house.log();
    let services = store(&house, &log);
    let id = format!("{}/{}", house.tenant, uuid(SERVICE));
    let first = services.load_aggregate(&id).await.unwrap();
    let second = services.load_aggregate(&id).await.unwrap();
    services.commit(vec![defined()], first, HashMap::new()).await.unwrap();
    let outcome = services.commit(vec![defined()], second, HashMap::new()).await;
    assert!(matches!(outcome, Err(AggregateError::AggregateConflict)), "{outcome:?}");
}

#[tokio::test]
async fn an_event_of_an_older_program_is_read_in_todays_form() {
    let house = House::new().await;
    let log = house.log();
    let id = format!("{}/{}", house.tenant, uuid(SERVICE));
    let payload =
        r#"{"type":"ServiceDefined","name":"Check-up","category":"care","tags":[],"duration":30}"#;
    let hash = crate::log::Link {
        position: Position::START.plus(1),
        aggregate_type: "service",
        aggregate_id: &id,
        sequence: 1,
        event_type: "ServiceDefined",
        event_version: "1.0",
        payload,
        metadata: "{}",
        recorded_at: crate::testing::noon(),
    }
    .hash(&genesis(&house.tenant));
    sqlx::query(
        "WITH head AS (UPDATE log_heads SET position = 1, hash = $3)
         INSERT INTO events
         VALUES ('clinic', 1, 'service', $1, 1, 'ServiceDefined', '1.0', $2::json, '{}', $4, $3)",
    )
    .bind(&id)
    .bind(payload)
    .bind(hash.as_slice())
    .bind(crate::testing::noon())
    .execute(&house.pool)
    .await
    .unwrap();
    let mut loaded = store(&house, &log).load_aggregate(&id).await.unwrap();
    assert_eq!(*loaded.aggregate(), Service::Offered(terms()));
    let read = log.read(&house.tenant, Position::START, 10).await.unwrap();
    let event = &read[0].as_ref().unwrap().event;
    assert_eq!(*event, AnyEvent::Service(uuid(SERVICE).into(), defined()));
    let revise = ServiceCommand::ReviseService(terms());
    let service = Target::Existing(uuid(SERVICE));
    house.engine().execute::<Service>(&house.context(), service, revise).await.unwrap();
    let whole = Verified::Whole(Position::START.plus(2));
    assert_eq!(log.verify(&house.tenant).await.unwrap(), whole);
}
