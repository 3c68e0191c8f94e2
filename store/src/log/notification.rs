//! What one program tells the others by NOTIFY: who it is, and whose logs have grown.
//!
//! `<program> <tenant>:<position> ...`, or `<program> *`. A program that is older than this says who it is and
//! no more, and hears no more.

use std::fmt::Write as _;

use daybook_domain::TenantId;
use uuid::Uuid;

use super::Position;
use super::appended::AppendedTo;

/// PostgreSQL takes less than 8,000 bytes.
const MAX_BYTES: usize = 7_900;

/// In the place of names, where there are too many.
const ANY: &str = "*";

pub(super) fn encode(program: Uuid, grown: &AppendedTo) -> String {
    let mut payload = program.to_string();
    let start = payload.len();
    let fits = match grown {
        AppendedTo::Any => false,
        AppendedTo::Tenants(tenants) => tenants.iter().all(|(tenant, position)| {
            // A text takes all that is written to it.
            let _ = write!(payload, " {tenant}:{position}");
            payload.len() <= MAX_BYTES
        }),
    };
    if !fits {
        payload.truncate(start);
        payload.push(' ');
        payload.push_str(ANY);
    }
    payload
}

/// Who has sent it, and what has grown. What cannot be read is anybody's.
pub(super) fn decode(payload: &str) -> (Option<Uuid>, AppendedTo) {
    let mut words = payload.split(' ');
    let program = words.next().and_then(|word| word.parse().ok());
    let named = words.map(name).collect::<Option<_>>();
    let grown = named.filter(|named: &std::collections::HashMap<_, _>| !named.is_empty());
    (program, grown.map_or(AppendedTo::Any, AppendedTo::Tenants))
}

fn name(word: &str) -> Option<(TenantId, Position)> {
    let (tenant, position) = word.split_once(':')?;
    Some((tenant.parse().ok()?, position.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenants(count: i64) -> AppendedTo {
        let name = |n| format!("{n:063}").parse().unwrap();
        AppendedTo::Tenants((0..count).map(|n| (name(n), Position::from_i64(n))).collect())
    }

    #[test]
    fn what_is_said_is_heard() {
        let me = Uuid::now_v7();
        for grown in [tenants(1), tenants(90), AppendedTo::Any] {
            assert_eq!(decode(&encode(me, &grown)), (Some(me), grown));
        }
    }

    #[test]
    fn what_does_not_fit_or_cannot_be_read_is_anybody() {
        let me = Uuid::now_v7();
        let payload = encode(me, &tenants(1_000));
        assert!(payload.len() < 8_000);
        assert_eq!(decode(&payload), (Some(me), AppendedTo::Any));
        assert_eq!(decode(&me.to_string()), (Some(me), AppendedTo::Any));
        assert_eq!(decode(&format!("{me} north")), (Some(me), AppendedTo::Any));
        assert_eq!(decode(""), (None, AppendedTo::Any));
    }
}
