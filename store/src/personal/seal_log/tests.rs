use daybook_domain::client::{Client, ClientCommand, Contact};
use daybook_domain::{Name, Personal, Reference, Refusal};
use uuid::Uuid;

use super::*;
use crate::log::verify::verify;
use crate::personal::{MasterKey, MasterKeys};
use crate::testing::{House, noon};
use crate::{CommandContext, Engine, ExecuteError, Target};

fn contact(name: &str, reference: &str) -> Contact {
    let reference = Some(Personal::new(Reference::new(reference).unwrap()));
    Contact { reference, ..Contact::named(Name::new(name).unwrap()) }
}

struct Old {
    house: House,
    keyring: Keyring,
}

impl Old {
    /// A log of a program that does not seal, whose tenant is suspended by now.
    async fn new() -> Self {
        let house = House::new().await;
        let old = house.engine();
        for n in 0..3 {
            register(&house, &old, n, &format!("R-{n}")).await.unwrap();
        }
        let keys = MasterKeys::new(&[MasterKey::generate().unwrap()]).unwrap();
        let keyring = Keyring::new(&house.log(), keys);
        keyring.register().await.unwrap();
        departures::suspend(&house.pool, &house.tenant, noon()).await.unwrap();
        Self { house, keyring }
    }

    fn engine(&self) -> Engine {
        self.house.engine().with_keyring(self.keyring.clone())
    }

    async fn seal(&self) -> Result<SealedLog, SealError> {
        self.keyring.seal_log(&self.house.tenant, |_| {}).await
    }

    async fn is_whole(&self) {
        let verified = verify(&self.house.pool, &self.house.tenant, |_| {}).await.unwrap();
        assert!(verified.finding.is_none(), "{:?}", verified.finding);
    }

    async fn text(&self) -> String {
        let all = "SELECT string_agg(payload::text, '' ORDER BY position) FROM events
                    WHERE tenant_id = $1";
        let all = sqlx::query_scalar(all).bind(self.house.tenant.as_str());
        all.fetch_one(&self.house.pool).await.unwrap()
    }
}

async fn register(
    house: &House,
    engine: &Engine,
    n: u128,
    reference: &str,
) -> Result<(), ExecuteError> {
    let context = CommandContext::new(house.tenant.clone(), "tests");
    let command = ClientCommand::RegisterClient(contact(&format!("Somebody {n}"), reference));
    let target = Target::New(Uuid::from_u128(n + 1));
    engine.execute::<Client>(&context, target, command).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_claimed_in_clear_is_claimed_sealed_and_cannot_be_taken_twice() {
    let old = Old::new().await;
    old.is_whole().await;
    let sealed = old.seal().await.unwrap();
    assert_eq!((sealed.events, sealed.members, sealed.references), (3, 6, 3));
    assert!(!old.text().await.contains("Somebody"));
    old.is_whole().await;
    let taken = register(&old.house, &old.engine(), 7, "R-1").await;
    let is_taken = |refused: &Refusal| matches!(refused, Refusal::ReferenceTaken { .. });
    assert!(
        matches!(&taken, Err(ExecuteError::Refused(refused)) if is_taken(refused)),
        "{taken:?}"
    );
    register(&old.house, &old.engine(), 7, "R-7").await.unwrap();
    let (client, _) = old
        .engine()
        .load_open::<Client>(&old.house.tenant, Uuid::from_u128(2))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(client, Client::Registered(contact("Somebody 1", "R-1").into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reference_that_was_taken_twice_already_is_told_and_nothing_is_done() {
    let old = Old::new().await;
    register(&old.house, &old.engine(), 7, "R-1").await.unwrap();
    let before = old.text().await;
    let twice = old.seal().await;
    assert!(matches!(twice, Err(SealError::ReferenceTwice)), "{twice:?}");
    assert_eq!(old.text().await, before);
    old.is_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_copied_is_gone_on_with_and_what_differs_is_thrown_away() {
    let old = Old::new().await;
    let (pool, tenant) = (&old.house.pool, &old.house.tenant);
    let head = head(pool, tenant).await.unwrap().unwrap();
    let start = copy::end(pool, tenant).await.unwrap();
    copy::some(&old.keyring, tenant, start, Position::START.plus(2)).await.unwrap().unwrap();
    // Somebody writes meanwhile.
    register(&old.house, &old.engine(), 7, "R-7").await.unwrap();
    let proof = proof::prove(&old.keyring, tenant, head, |_| {}).await;
    assert!(matches!(proof, Err(SealError::Differs { .. })), "a part is not the whole");
    let sealed = old.seal().await.unwrap();
    assert_eq!((sealed.events, sealed.members), (4, 6));
    old.is_whole().await;

    let other = Old::new().await;
    let (pool, tenant) = (&other.house.pool, &other.house.tenant);
    let start = copy::end(pool, tenant).await.unwrap();
    copy::some(&other.keyring, tenant, start, Position::START.plus(3)).await.unwrap().unwrap();
    let swapped = "UPDATE events_being_sealed s SET payload = o.payload FROM events_being_sealed o
                    WHERE s.position = 2 AND o.position = 1 AND s.tenant_id = $1";
    sqlx::query(swapped).bind(tenant.as_str()).execute(pool).await.unwrap();
    let before = other.text().await;
    let differs = other.seal().await;
    assert!(matches!(differs, Err(SealError::Differs { .. })), "{differs:?}");
    assert_eq!(other.text().await, before);
    assert_eq!(copy::end(pool, tenant).await.unwrap().position, Position::START);
    other.seal().await.unwrap();
    other.is_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_is_written_is_not_sealed() {
    let old = Old::new().await;
    departures::resume(&old.house.pool, &old.house.tenant, noon()).await.unwrap();
    assert!(matches!(old.seal().await, Err(SealError::NotSuspended(_))));
    assert!(old.text().await.contains("Somebody"));
}
