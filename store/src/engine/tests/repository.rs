//! Streams are read by postgres-es, in today's form.

use daybook_domain::service::{ServiceDefined, ServiceEvent};

use super::super::repository::{Loaded, Repository};
use super::*;
use crate::Position;
use crate::log::{Append, Decision, NewEvent, OnConflict, Submission, Verdict};
use crate::testing::{SERVICE_DEFINED_1, end_of_whole, noon, upcasters};

#[tokio::test]
async fn a_stream_that_began_in_an_older_form_goes_on_in_todays() {
    let house = House::new().await;
    let log = house.log();
    let stream = StreamId::of::<Service>(&house.tenant, uuid(SERVICE));
    let old = NewEvent {
        event_version: "1.0".to_owned(),
        payload: SERVICE_DEFINED_1.to_owned(),
        ..NewEvent::of(&ServiceEvent::ServiceDefined(ServiceDefined { terms: terms() })).unwrap()
    };
    let append = Append { stream: stream.clone(), after: 0, events: vec![old] };
    let decision = Decision::Accept {
        read_set: Vec::new(),
        appends: vec![append],
        claims: Vec::new(),
        on_conflict: OnConflict::Refuse,
    };
    let tenant = house.tenant.clone();
    let verdict = log.append(Submission { tenant, key: None, decided_at: noon(), decision }).await;
    assert_eq!(verdict, Ok(Verdict::Appended(Position::START.plus(1))));
    let repository = Repository::new(log.pool(), upcasters());
    let Loaded { state, version } = repository.load::<Service>(&stream).await.unwrap();
    assert_eq!((state, version), (Service::Offered(terms()), 1));
    let unread = Repository::new(log.pool(), Vec::new()).load::<Service>(&stream).await;
    assert!(matches!(unread, Err(ExecuteError::Unreadable(_))), "{unread:?}");
}

#[tokio::test]
async fn what_was_executed_is_loaded_at_each_of_its_versions() {
    let house = House::new().await;
    let engine = house.engine();
    let service = Target::Existing(uuid(SERVICE));
    for command in [ServiceCommand::DefineService(terms()), ServiceCommand::RetireService] {
        engine.execute::<Service>(&house.context(), service, command).await.unwrap();
    }
    let stream = StreamId::of::<Service>(&house.tenant, uuid(SERVICE));
    let repository = Repository::new(engine.log().pool(), Vec::new());
    let first = repository.load_at::<Service>(&stream, 1).await.unwrap();
    assert_eq!((first.state, first.version), (Service::Offered(terms()), 1));
    let last = repository.load::<Service>(&stream).await.unwrap();
    assert_eq!((last.state, last.version), (Service::Retired(terms()), 2));
    let whole = Ok(Position::START.plus(2));
    assert_eq!(end_of_whole(engine.log(), &house.tenant).await, whole);
}
