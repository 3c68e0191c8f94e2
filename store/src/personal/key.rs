//! One person's key: AES-256-GCM (NIST SP 800-38D), with what the data belongs to as associated data.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore as _;
use rand::rngs::OsRng;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use uuid::Uuid;

use super::About;
use super::master_key::{BYTES, MasterKeyId, MasterKeys};

/// Content is padded to a multiple of so many bytes, so that its length says little. JSON may have spaces after it.
const PADDED_TO: usize = 32;

/// Something could not be sealed or opened: the key is another, or the text is not what was sealed there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it does not open: it was not sealed by this key for this place")]
pub(super) struct DoesNotOpen;

/// The key of a person, or of a tenant.
pub(super) struct SubjectKey {
    pub(super) id: Uuid,
    pub(super) subject: Uuid,
    aead: LessSafeKey,
    hmac: hmac::Key,
}

impl SubjectKey {
    fn of(id: Uuid, subject: Uuid, bytes: &[u8]) -> Result<Self, DoesNotOpen> {
        let unbound = UnboundKey::new(&AES_256_GCM, bytes).map_err(|_| DoesNotOpen)?;
        let hmac = hmac::Key::new(hmac::HMAC_SHA256, bytes);
        Ok(Self { id, subject, aead: LessSafeKey::new(unbound), hmac })
    }

    /// A new one, and how it is kept: wrapped by the first master key.
    pub(super) fn generate(
        master: &MasterKeys,
        tenant: &str,
        subject: Uuid,
    ) -> Result<(Self, Vec<u8>), DoesNotOpen> {
        let id = Uuid::now_v7();
        let mut bytes = [0; BYTES];
        OsRng.try_fill_bytes(&mut bytes).map_err(|_| DoesNotOpen)?;
        let (master_id, wrapping) = master.first();
        let wrapping = wrapping.ok_or(DoesNotOpen)?;
        let wrapped = encrypt(wrapping, &wrap_aad(tenant, id, subject, master_id), bytes.to_vec())?;
        Ok((Self::of(id, subject, &bytes)?, wrapped))
    }

    /// The one that is kept so.
    pub(super) fn unwrap(
        wrapping: &LessSafeKey,
        master_id: &MasterKeyId,
        tenant: &str,
        (id, subject): (Uuid, Uuid),
        wrapped: &[u8],
    ) -> Result<Self, DoesNotOpen> {
        let bytes = decrypt(wrapping, &wrap_aad(tenant, id, subject, master_id), wrapped)?;
        Self::of(id, subject, &bytes)
    }

    /// How a key is kept that was kept so, wrapped by the first master key.
    pub(super) fn rewrap(
        (wrapping, master_id): (&LessSafeKey, &MasterKeyId),
        master: &MasterKeys,
        tenant: &str,
        (id, subject): (Uuid, Uuid),
        wrapped: &[u8],
    ) -> Result<Vec<u8>, DoesNotOpen> {
        let bytes = decrypt(wrapping, &wrap_aad(tenant, id, subject, master_id), wrapped)?;
        let (first_id, first) = master.first();
        let first = first.ok_or(DoesNotOpen)?;
        encrypt(first, &wrap_aad(tenant, id, subject, first_id), bytes)
    }

    /// Seals a member's content, which is JSON.
    pub(super) fn seal(
        &self,
        about: &About<'_>,
        member: &str,
        mut json: String,
    ) -> Result<String, DoesNotOpen> {
        while !json.len().is_multiple_of(PADDED_TO) {
            json.push(' ');
        }
        let sealed = encrypt(&self.aead, &self.aad(about, member), json.into_bytes())?;
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// The content of a member, as JSON.
    pub(super) fn open(
        &self,
        about: &About<'_>,
        member: &str,
        ciphertext: &str,
    ) -> Result<String, DoesNotOpen> {
        let sealed = URL_SAFE_NO_PAD.decode(ciphertext).map_err(|_| DoesNotOpen)?;
        let json = decrypt(&self.aead, &self.aad(about, member), &sealed)?;
        String::from_utf8(json).map_err(|_| DoesNotOpen)
    }

    /// What stands for a text of a kind, the same for the same text: whoever has no key cannot tell for which.
    pub(super) fn token(&self, kind: &str, text: &str) -> Uuid {
        let tag = hmac::sign(&self.hmac, format!("daybook token\n{kind}\n{text}").as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&tag.as_ref()[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }

    /// A secret for a purpose, from which the key cannot be told.
    pub(super) fn secret(&self, purpose: &str) -> [u8; BYTES] {
        let tag = hmac::sign(&self.hmac, format!("daybook secret\n{purpose}").as_bytes());
        let mut secret = [0; BYTES];
        secret.copy_from_slice(&tag.as_ref()[..BYTES]);
        secret
    }

    /// Ciphertext that is put elsewhere does not open.
    fn aad(&self, About { tenant, kind, id }: &About<'_>, member: &str) -> Vec<u8> {
        let Self { id: key, subject, .. } = self;
        format!("daybook personal 1\n{tenant}\n{kind}\n{id}\n{member}\n{subject}\n{key}")
            .into_bytes()
    }
}

fn wrap_aad(tenant: &str, id: Uuid, subject: Uuid, master: &MasterKeyId) -> Vec<u8> {
    format!("daybook key 1\n{tenant}\n{subject}\n{id}\n{master}").into_bytes()
}

/// A random nonce, the ciphertext, the tag. At 2^32 messages of one key nonces are to repeat: nobody has so many events.
fn encrypt(key: &LessSafeKey, aad: &[u8], mut text: Vec<u8>) -> Result<Vec<u8>, DoesNotOpen> {
    let mut nonce = [0; NONCE_LEN];
    OsRng.try_fill_bytes(&mut nonce).map_err(|_| DoesNotOpen)?;
    let unique = Nonce::assume_unique_for_key(nonce);
    key.seal_in_place_append_tag(unique, Aad::from(aad), &mut text).map_err(|_| DoesNotOpen)?;
    let mut sealed = nonce.to_vec();
    sealed.append(&mut text);
    Ok(sealed)
}

fn decrypt(key: &LessSafeKey, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, DoesNotOpen> {
    let (nonce, text) = sealed.split_at_checked(NONCE_LEN).ok_or(DoesNotOpen)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| DoesNotOpen)?;
    let mut text = text.to_vec();
    let open = key.open_in_place(nonce, Aad::from(aad), &mut text).map_err(|_| DoesNotOpen)?;
    Ok(open.to_vec())
}
