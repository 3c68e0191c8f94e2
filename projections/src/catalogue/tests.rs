//! Lists of services, resources and clients.

use daybook_domain::client::{
    Client, ClientContactChanged, ClientEvent, ClientRegistered, Contact,
};
use daybook_domain::resource::{
    Capacity, Resource, ResourceEvent, ResourceExceptionAdded, ResourceExceptionRemoved,
    ResourceHolidaysChanged, ResourceHoursChanged, ResourceKind, ResourceProfile,
    ResourceRegistered,
};
use daybook_domain::service::rules::BookingRules;
use daybook_domain::service::{
    Choose, ReminderRules, Roles, Service, ServiceDefined, ServiceEvent, ServiceRetired,
    ServiceRevised, ServiceTerms,
};
use daybook_domain::time::{Buffer, Duration, Holidays, HoursException, OpeningHours, WeeklyHours};
use daybook_domain::{Category, Email, Metadata, Name, Personal, Phone, Tag, Tags};
use daybook_store::{AnyEvent, Position};
use uuid::Uuid;

use super::{Catalogue, CatalogueFilter, CatalogueStatus, Facet};
use crate::search::TitleWords;
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
        reminders: ReminderRules::default(),
        price: None,
        rules: BookingRules::default(),
        location: None,
        reference: None,
        metadata: Metadata::default(),
    }
}

fn defined(n: u128) -> AnyEvent {
    let terms = terms(&format!("Service {n}"));
    let event = ServiceEvent::ServiceDefined(ServiceDefined { terms });
    AnyEvent::Service(Uuid::from_u128(n).into(), event)
}

fn contact(name: &str) -> Contact {
    Contact::named(Name::new(name).unwrap())
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
        reference: None,
        metadata: Metadata::default(),
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
    let (all, first) = (CatalogueFilter::default(), (None, limit));
    let services = catalogue.page::<Service>(&tenant, &all, first).await.unwrap();
    assert_eq!(services.items[0].document, terms("New name"));
    assert_eq!((services.items[0].version, services.items[0].position), (2, Position::from_i64(4)));
    let resources = catalogue.page::<Resource>(&tenant, &all, first).await.unwrap();
    let exceptions = vec![exception].try_into().unwrap();
    let opening_hours = OpeningHours { weekly_hours, exceptions, holidays };
    assert_eq!(resources.items[0].document, ResourceProfile { opening_hours, ..profile });
    assert_eq!(resources.items[0].version, 6);
    let clients = catalogue.page::<Client>(&tenant, &all, first).await.unwrap();
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
        let filter = CatalogueFilter { status: standing, ..CatalogueFilter::default() };
        let (mut ids, mut cursor): (Vec<_>, Option<Cursor>) = (Vec::new(), None);
        loop {
            let asked = (cursor.as_ref(), limit);
            let page = catalogue.page::<Service>(&tenant, &filter, asked).await.unwrap();
            ids.extend(page.items.iter().map(|item| item.id));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(ids.len(), count);
        assert!(ids.is_sorted());
    }
    let all = CatalogueFilter::default();
    let page = catalogue.page::<Service>(&tenant, &all, (None, limit)).await.unwrap();
    let other = (page.next.as_ref(), limit);
    let resources = catalogue.page::<Resource>(&tenant, &all, other).await;
    assert!(matches!(resources, Err(PageError::Cursor(CursorError::OtherSearch))));
}

fn client(n: u128, name: &str) -> AnyEvent {
    let email = Email::new(&format!("client.{n}@example.org")).unwrap();
    let phone = Phone::new(&format!("+47 {n:08}")).unwrap();
    let (email, phone) = (Some(Personal::new(email)), Some(Personal::new(phone)));
    let contact = Contact { email, phone, ..contact(name) };
    let event = ClientEvent::ClientRegistered(ClientRegistered { contact });
    AnyEvent::Client(Uuid::from_u128(n).into(), event)
}

async fn clients_found(
    catalogue: &Catalogue,
    tenant: &daybook_domain::TenantId,
    filter: &CatalogueFilter,
) -> Vec<u128> {
    let (mut ids, mut cursor): (Vec<_>, Option<Cursor>) = (Vec::new(), None);
    loop {
        let asked = (cursor.as_ref(), Limit::new(20).unwrap());
        let page = catalogue.page::<Client>(tenant, filter, asked).await.unwrap();
        ids.extend(page.items.iter().map(|item| item.id.uuid().as_u128()));
        cursor = page.next;
        if cursor.is_none() {
            return ids;
        }
    }
}

fn called(words: &str) -> CatalogueFilter {
    let name = Some(Personal::new(TitleWords::parse(words).unwrap()));
    CatalogueFilter { name, ..CatalogueFilter::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_are_found_by_words_of_their_names_whether_few_have_them_or_many() {
    // More than are sorted have the first word, and few the second.
    let name = |n: u128| match n % 400 {
        7 => "Front Désk",
        8 => "Front electroencephalography",
        _ => "Front office",
    };
    let (_world, catalogue, tenant) =
        listed((1..=1_200).map(|n| client(n, name(n))).collect()).await;
    let found = |words: &'static str| {
        let (catalogue, tenant) = (&catalogue, &tenant);
        async move { clients_found(catalogue, tenant, &called(words)).await }
    };
    assert_eq!(found("FRONT").await, (1..=1_200).collect::<Vec<_>>());
    assert_eq!(found("desk fro").await, [7, 407, 807]);
    assert_eq!(found("electroencephalogram").await, Vec::<u128>::new(), "to its end");
    assert_eq!(found("electroencephalogr").await, [8, 408, 808]);
    assert_eq!(found("nobody").await, Vec::<u128>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_are_found_by_how_they_are_reached() {
    let (_world, catalogue, tenant) =
        listed((1..=9).map(|n| client(n, "A client")).collect()).await;
    let email = |text: &str| Facet::email(&Email::new(text).unwrap());
    let phone = Facet::phone(&Phone::new("0047 00 00 00 04").unwrap());
    let of = |facet: Vec<Facet>| CatalogueFilter::default().with_any(facet);
    let found = async |filter| clients_found(&catalogue, &tenant, &filter).await;
    assert_eq!(found(of(vec![email("Client.3@EXAMPLE.org")])).await, [3]);
    assert_eq!(found(of(vec![phone.clone()])).await, [4]);
    let several = vec![email("client.3@example.org"), email("client.5@example.org")];
    assert_eq!(found(of(several)).await, [3, 5]);
    let both = of(vec![email("client.3@example.org")]).with_any([phone]);
    assert_eq!(found(both).await, Vec::<u128>::new());
    let ids = [Uuid::from_u128(2), Uuid::from_u128(8)].into();
    let named = CatalogueFilter { ids, ..CatalogueFilter::default() };
    assert_eq!(found(named).await, [2, 8]);
}

#[test]
fn a_cursor_and_what_is_printed_say_nothing_of_a_client() {
    let of = |address: &str| {
        let email = Facet::email(&Email::new(address).unwrap());
        called("Front").with_any([email])
    };
    let printed = format!("{:?}", of("client.3@example.org"));
    assert_eq!(printed, format!("{:?}", of("client.4@example.org")));
    assert!(!printed.to_lowercase().contains("front"), "{printed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_are_found_by_category_and_resources_by_kind_and_tag() {
    let service = |n: u128, category: &str| {
        let terms = ServiceTerms { category: Category::new(category).unwrap(), ..terms("Any") };
        let event = ServiceEvent::ServiceDefined(ServiceDefined { terms });
        AnyEvent::Service(Uuid::from_u128(n).into(), event)
    };
    let tag = |name: &str| Tag::new(name).unwrap();
    let resource = |n: u128, kind: ResourceKind, tags: &[&str]| {
        let tags: std::collections::BTreeSet<Tag> = tags.iter().map(|name| tag(name)).collect();
        let profile = ResourceProfile {
            name: Name::new("Any").unwrap(),
            kind,
            tags: tags.try_into().unwrap(),
            time_zone: chrono_tz::Tz::UTC,
            opening_hours: OpeningHours::default(),
            capacity: Capacity::ONE,
            reference: None,
            metadata: Metadata::default(),
        };
        let event = ResourceEvent::ResourceRegistered(ResourceRegistered { profile });
        AnyEvent::Resource(Uuid::from_u128(n).into(), event)
    };
    let (_world, catalogue, tenant) = listed(vec![
        service(1, "Führung"),
        service(2, "tour"),
        service(3, "yoga"),
        resource(4, ResourceKind::Room, &["warm"]),
        resource(5, ResourceKind::Staff, &["warm", "senior"]),
        resource(6, ResourceKind::Equipment, &[]),
    ])
    .await;
    let none = CatalogueFilter::default;
    let first = (None, Limit::default());
    let category = |name: &str| Facet::category(&Category::new(name).unwrap());
    let filter = none().with_any([category("FUHRUNG"), category("Yoga")]);
    let page = catalogue.page::<Service>(&tenant, &filter, first).await.unwrap();
    let ids: Vec<_> = page.items.iter().map(|item| item.id.uuid().as_u128()).collect();
    assert_eq!(ids, [1, 3]);
    let resources = async |filter: CatalogueFilter| {
        let page = catalogue.page::<Resource>(&tenant, &filter, first).await.unwrap();
        page.items.iter().map(|item| item.id.uuid().as_u128()).collect::<Vec<_>>()
    };
    let kinds = [ResourceKind::Room, ResourceKind::Equipment].map(Facet::resource_kind);
    assert_eq!(resources(none().with_any(kinds.clone())).await, [4, 6]);
    let warm = none().with_any([Facet::tag(&tag("Warm"))]);
    assert_eq!(resources(warm.clone()).await, [4, 5]);
    assert_eq!(resources(warm.clone().with_any(kinds)).await, [4]);
    assert_eq!(resources(warm.with_any([Facet::tag(&tag("senior"))])).await, [5]);
}
