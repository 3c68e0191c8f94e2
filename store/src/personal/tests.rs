use daybook_domain::client::Contact;
use daybook_domain::{
    Email, HasPersonal as _, Metadata, Name, Personal, Reference, Subject, TenantId,
};
use uuid::Uuid;

use super::{About, Keyring, KeyringError, MasterKey, MasterKeys};
use crate::testing::House;

const SECRET: &str = "Lovelace";

fn contact() -> Contact {
    Contact {
        email: Some(Personal::new(Email::new("lovelace@example.org").unwrap())),
        reference: Some(Personal::new(Reference::new("L-1815").unwrap())),
        ..Contact::named(Name::new(SECRET).unwrap())
    }
}

fn about(tenant: &TenantId, id: Uuid) -> About<'_> {
    About { tenant, kind: "client", id }
}

fn keyring(house: &House, keys: &[MasterKey]) -> Keyring {
    Keyring::new(&house.log(), MasterKeys::new(keys).unwrap())
}

async fn open_one(
    keyring: &Keyring,
    about: About<'_>,
    contact: &mut Contact,
) -> Result<(), KeyringError> {
    keyring.open(&mut [(about, contact)]).await
}

async fn sealed(keyring: &Keyring, tenant: &TenantId, id: Uuid) -> Contact {
    keyring.register().await.unwrap();
    let mut contact = [contact()];
    keyring.seal(&about(tenant, id), Subject::Client(id.into()), &mut contact, true).await.unwrap();
    let [contact] = contact;
    contact
}

#[tokio::test]
async fn what_is_sealed_says_nothing_and_opens_where_it_was_sealed() {
    let house = House::new().await;
    let keys = [MasterKey::generate().unwrap()];
    let keyring = keyring(&house, &keys);
    let (tenant, id) = (&house.tenant, Uuid::now_v7());
    let sealed = sealed(&keyring, tenant, id).await;
    let written = serde_json::to_string(&sealed).unwrap();
    assert!(!written.contains(SECRET) && !written.contains("1815"), "{written}");
    let mut read: Contact = serde_json::from_str(&written).unwrap();
    open_one(&keyring, about(tenant, id), &mut read).await.unwrap();
    assert_eq!(read, contact());

    // Another program, which has never seen the key.
    let other = self::keyring(&house, &keys);
    let mut read = sealed.clone();
    open_one(&other, about(tenant, id), &mut read).await.unwrap();
    assert_eq!(read, contact());

    let elsewhere = about(tenant, Uuid::now_v7());
    let moved = open_one(&keyring, elsewhere, &mut sealed.clone()).await;
    assert!(matches!(moved, Err(KeyringError::DoesNotOpen { .. })), "{moved:?}");
    let mut swapped = sealed.clone();
    let Personal::Sealed(email) = swapped.email.unwrap() else { panic!("it is sealed") };
    swapped.name = Personal::Sealed(email.clone());
    swapped.email = None;
    let swapped = open_one(&keyring, about(tenant, id), &mut swapped).await;
    assert!(matches!(swapped, Err(KeyringError::DoesNotOpen { .. })), "{swapped:?}");
    let nobody = "nobody".parse().unwrap();
    let foreign = open_one(&keyring, about(&nobody, id), &mut sealed.clone()).await;
    assert!(matches!(foreign, Err(KeyringError::NoSuchKey(_))), "{foreign:?}");
}

#[tokio::test]
async fn lengths_are_padded_and_nothing_is_sealed_twice_alike() {
    let house = House::new().await;
    let keyring = keyring(&house, &[MasterKey::generate().unwrap()]);
    keyring.register().await.unwrap();
    let id = Uuid::now_v7();
    let of = async |name: &str| {
        let mut contact = [Contact::named(Name::new(name).unwrap())];
        keyring
            .seal(&about(&house.tenant, id), Subject::Client(id.into()), &mut contact, true)
            .await
            .unwrap();
        let [mut contact] = contact;
        let personal = contact.personal();
        personal[0].1.sealed().unwrap().ciphertext.clone()
    };
    let (short, long) = (of("A").await, of("A name of thirty letters or so").await);
    assert_eq!(short.len(), long.len());
    assert_ne!(of("A").await, short);
}

#[tokio::test]
async fn a_reference_has_one_token_in_a_tenant_and_another_in_the_next() {
    let house = House::new().await;
    let keyring = keyring(&house, &[MasterKey::generate().unwrap()]);
    keyring.register().await.unwrap();
    let token = async |tenant: &TenantId| {
        let contact = sealed(&keyring, tenant, Uuid::now_v7()).await;
        let Some(Personal::Sealed(reference)) = contact.reference else { panic!("it is sealed") };
        reference.token.unwrap()
    };
    let (north, south) = (house.tenant.clone(), "south".parse().unwrap());
    assert_eq!(token(&north).await, token(&north).await);
    assert_ne!(token(&north).await, token(&south).await);
}

#[tokio::test]
async fn without_its_master_key_nothing_opens_and_nothing_is_called_erased() {
    let house = House::new().await;
    let (first, second) = (MasterKey::generate().unwrap(), MasterKey::generate().unwrap());
    let id = Uuid::now_v7();
    let mut contact =
        sealed(&keyring(&house, std::slice::from_ref(&first)), &house.tenant, id).await;
    let other = keyring(&house, std::slice::from_ref(&second));
    let missing = open_one(&other, about(&house.tenant, id), &mut contact).await;
    assert!(matches!(missing, Err(KeyringError::NoMasterKey(id)) if id == *first.id()));
    let both = keyring(&house, &[second, first]);
    open_one(&both, about(&house.tenant, id), &mut contact).await.unwrap();
    assert_eq!(contact, self::contact());
}

#[tokio::test]
async fn a_program_without_the_master_key_of_its_database_is_refused() {
    let house = House::new().await;
    let (first, second) = (MasterKey::generate().unwrap(), MasterKey::generate().unwrap());
    let one = keyring(&house, std::slice::from_ref(&first));
    one.register().await.unwrap();
    one.register().await.unwrap();
    let other = keyring(&house, std::slice::from_ref(&second)).register().await;
    assert!(matches!(other, Err(KeyringError::NoMasterKey(id)) if id == *first.id()));
    keyring(&house, &[second.clone(), first]).register().await.unwrap();
    assert!(one.register().await.is_err(), "there is a second one now");
}

#[tokio::test]
async fn of_many_who_seal_for_a_new_person_at_once_all_have_the_same_key() {
    let house = House::new().await;
    let keys = [MasterKey::generate().unwrap()];
    let rings: Vec<Keyring> = (0..8).map(|_| keyring(&house, &keys)).collect();
    let id = Uuid::now_v7();
    let all = futures::future::join_all(rings.iter().map(|ring| sealed(ring, &house.tenant, id)));
    let keys: Vec<Uuid> = all
        .await
        .into_iter()
        .map(|mut contact| contact.personal()[0].1.sealed().unwrap().key)
        .collect();
    assert!(keys.windows(2).all(|two| two[0] == two[1]), "{keys:?}");
}

#[tokio::test]
async fn pairs_are_sealed_where_there_are_some() {
    let house = House::new().await;
    let keyring = keyring(&house, &[MasterKey::generate().unwrap()]);
    keyring.register().await.unwrap();
    let id = Uuid::now_v7();
    let metadata: Metadata = serde_json::from_str(r#"{"known as": "Lovelace"}"#).unwrap();
    let mut with = [Contact { metadata: Personal::new(metadata), ..contact() }, contact()];
    keyring
        .seal(&about(&house.tenant, id), Subject::Client(id.into()), &mut with, true)
        .await
        .unwrap();
    let written = serde_json::to_string(&with[0]).unwrap();
    assert!(!written.contains("known as") && written.contains("metadata"), "{written}");
    assert!(!serde_json::to_string(&with[1]).unwrap().contains("metadata"));
}

#[tokio::test]
async fn what_another_program_destroys_is_erased_here_at_once_and_for_good() {
    let house = House::new().await;
    let keys = [MasterKey::generate().unwrap()];
    // A log hears as long as it is there.
    let (log, other) = (house.log(), house.log());
    let of = |log| Keyring::new(log, MasterKeys::new(&keys).unwrap());
    let (here, there) = (of(&log), of(&other));
    let id = Uuid::now_v7();
    let contact = sealed(&here, &house.tenant, id).await;
    let mut read = contact.clone();
    open_one(&here, about(&house.tenant, id), &mut read).await.unwrap();
    there.destroy(&house.tenant, id.into()).await.unwrap();
    let mut heard = false;
    for _ in 0..100 {
        // Who remembers nothing need not hear of it, and keeps nobody from hearing of it.
        let mut read = contact.clone();
        open_one(&here.unremembered(), about(&house.tenant, id), &mut read).await.unwrap();
        assert_eq!(read.name, Personal::Erased);
        let mut read = contact.clone();
        open_one(&here, about(&house.tenant, id), &mut read).await.unwrap();
        heard = read.name == Personal::Erased;
        if heard {
            assert_eq!(
                (read.email, read.reference),
                (Some(Personal::Erased), Some(Personal::Erased))
            );
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(heard, "within five seconds, of the ten for which it would be kept");
    // And what an event of old says of them in clear.
    let mut clear = self::contact();
    open_one(&here, about(&house.tenant, id), &mut clear).await.unwrap();
    assert_eq!((clear.name, clear.email), (Personal::Erased, Some(Personal::Erased)));
    let other = Uuid::now_v7();
    let mut clear = self::contact();
    open_one(&here, about(&house.tenant, other), &mut clear).await.unwrap();
    assert_eq!(clear, self::contact());
    let again = here
        .seal(&about(&house.tenant, id), Subject::Client(id.into()), &mut [self::contact()], true)
        .await;
    assert!(matches!(again, Err(KeyringError::Destroyed(subject)) if subject == id), "{again:?}");
}
