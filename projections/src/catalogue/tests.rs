//! Lists of services, resources and clients.

use daybook_domain::client::{ClientContactChanged, ClientEvent, ClientRegistered, Contact};
use daybook_domain::resource::{
    Capacity, ResourceEvent, ResourceExceptionAdded, ResourceExceptionRemoved,
    ResourceHolidaysChanged, ResourceHoursChanged, ResourceKind, ResourceProfile,
    ResourceRegistered,
};
use daybook_domain::service::rules::BookingRules;
use daybook_domain::service::{
    Choose, Roles, ServiceDefined, ServiceEvent, ServiceRetired, ServiceRevised, ServiceTerms,
};
use daybook_domain::time::{Buffer, Duration, Holidays, HoursException, OpeningHours, WeeklyHours};
use daybook_domain::{Category, Name, Personal, Tags};
use daybook_store::{AnyEvent, Position};
use uuid::Uuid;

use super::{Catalogue, CatalogueStatus};
use crate::tests::world::World;
use crate::{Cursor, CursorError, Limit, PageError};

fn terms(name: &str) -> ServiceTerms {
    ServiceTerms {
        name: Name::new(name).unwrap(),
        category: Category::new("care").unwrap(),
        tags: Tags::default(),
        duration: Duration::from_minutes(30).unwrap(),
        buffer_before: Buffer::NONE,
        buffer_after: Buffer::NONE,
        needs: Roles::default(),
        choose: Choose::default(),
        limit_per_client_per_day: None,
        session_places: None,
        price: None,
        rules: BookingRules::default(),
    }
}

fn defined(n: u128) -> AnyEvent {
    let terms = terms(&format!("Service {n}"));
    let event = ServiceEvent::ServiceDefined(ServiceDefined { terms });
    AnyEvent::Service(Uuid::from_u128(n).into(), event)
}

fn contact(name: &str) -> Contact {
    let name = Personal::new(Name::new(name).unwrap());
    Contact { name, email: None, phone: None, notes: None }
}

async fn listed(events: Vec<AnyEvent>) -> (World, Catalogue, daybook_domain::TenantId) {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    let runner = world.start(world.projections());
    // In two batches: what the second touches is loaded.
    for events in events.chunks(events.len().div_ceil(2)) {
        let head = world.append(&tenant, events).await;
        world.caught_up(&tenant, Catalogue::ID, head).await;
    }
    runner.stop().await;
    let catalogue = Catalogue::new(world.pool.clone());
    (world, catalogue, tenant)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_show_everything_as_it_is_now() {
    let client = |event| AnyEvent::Client(Uuid::from_u128(7).into(), event);
    let resource = |event| AnyEvent::Resource(Uuid::from_u128(5).into(), event);
    let profile = ResourceProfile {
        name: Name::new("Room 1").unwrap(),
        kind: ResourceKind::Room,
        tags: Tags::default(),
        time_zone: chrono_tz::Tz::Europe__Oslo,
        opening_hours: OpeningHours::default(),
        capacity: Capacity::ONE,
    };
    let weekly_hours: WeeklyHours =
        serde_json::from_str(r#"[{"days":["mon"],"from":"09:00","to":"17:00"}]"#).unwrap();
    let hours = ResourceHoursChanged { weekly_hours: weekly_hours.clone() };
    let holidays: Holidays = serde_json::from_str(
        r#"[{"id":"00000000-0000-0000-0000-000000000009","date":"2027-05-17","name":"A day off"}]"#,
    )
    .unwrap();
    let observed = ResourceHolidaysChanged { holidays: holidays.clone() };
    let exception: HoursException = serde_json::from_str(
        r#"{"id":"00000000-0000-0000-0000-000000000008","kind":"extra-hours",
            "hours":{"from":"2027-05-17T09:00","to":"2027-05-17T12:00"}}"#,
    )
    .unwrap();
    let added = |id: u128| {
        let exception = HoursException { id: Uuid::from_u128(id).into(), ..exception.clone() };
        ResourceExceptionAdded { exception }
    };
    let removed = ResourceExceptionRemoved { exception_id: Uuid::from_u128(7).into() };
    let revised = ServiceRevised { terms: terms("New name") };
    let registered = ResourceRegistered { profile: profile.clone() };
    let contact_changed = ClientContactChanged { contact: contact("Front desk") };
    let (_world, catalogue, tenant) = listed(vec![
        defined(1),
        resource(ResourceEvent::ResourceRegistered(registered)),
        client(ClientEvent::ClientRegistered(ClientRegistered { contact: contact("Desk") })),
        AnyEvent::Service(Uuid::from_u128(1).into(), ServiceEvent::ServiceRevised(revised)),
        resource(ResourceEvent::ResourceExceptionAdded(added(7))),
        resource(ResourceEvent::ResourceExceptionAdded(added(8))),
        resource(ResourceEvent::ResourceHoursChanged(hours)),
        resource(ResourceEvent::ResourceHolidaysChanged(observed)),
        resource(ResourceEvent::ResourceExceptionRemoved(removed)),
        client(ClientEvent::ClientContactChanged(contact_changed)),
    ])
    .await;
    let limit = Limit::default();
    let services = catalogue.services(&tenant, None, (None, limit)).await.unwrap();
    assert_eq!(services.items[0].document, terms("New name"));
    assert_eq!((services.items[0].version, services.items[0].position), (2, Position::from_i64(4)));
    let resources = catalogue.resources(&tenant, None, (None, limit)).await.unwrap();
    let exceptions = vec![exception].try_into().unwrap();
    let opening_hours = OpeningHours { weekly_hours, exceptions, holidays };
    assert_eq!(resources.items[0].document, ResourceProfile { opening_hours, ..profile });
    assert_eq!(resources.items[0].version, 6);
    let clients = catalogue.clients(&tenant, (None, limit)).await.unwrap();
    assert_eq!(clients.items[0].document, contact("Front desk"));
    assert!(services.next.is_none() && resources.next.is_none() && clients.next.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_follow_on_each_other_in_the_order_of_creation() {
    let mut events: Vec<_> = (1..=25).map(defined).collect();
    let retired = |n| {
        let event = ServiceEvent::ServiceRetired(ServiceRetired {});
        AnyEvent::Service(Uuid::from_u128(n).into(), event)
    };
    events.extend([retired(3), retired(13), retired(23)]);
    let (_world, catalogue, tenant) = listed(events).await;
    let limit = Limit::new(10).unwrap();
    for (standing, count) in
        [(None, 25), (Some(CatalogueStatus::Active), 22), (Some(CatalogueStatus::Retired), 3)]
    {
        let (mut ids, mut cursor): (Vec<_>, Option<Cursor>) = (Vec::new(), None);
        loop {
            let page =
                catalogue.services(&tenant, standing, (cursor.as_ref(), limit)).await.unwrap();
            ids.extend(page.items.iter().map(|item| item.id));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(ids.len(), count);
        assert!(ids.is_sorted());
    }
    let page = catalogue.services(&tenant, None, (None, limit)).await.unwrap();
    let resources = catalogue.resources(&tenant, None, (page.next.as_ref(), limit)).await;
    assert!(matches!(resources, Err(PageError::Cursor(CursorError::OtherSearch))));
}
