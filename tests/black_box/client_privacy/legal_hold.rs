//! Whoever is under legal hold is not erased.

use serde_json::json;

use super::{act, audited, no_reason};
use crate::harness::a_practice;

#[test]
fn a_client_under_legal_hold_is_erased_when_it_is_released_and_not_before() {
    let practice = a_practice();
    let client = &*practice.client;
    let held = act(&practice, client, "place-legal-hold", &json!({"reason": "legal-claim"}));
    assert_eq!(held.is(200)["legal_hold"], "legal-claim");
    let erase = |query: &str, upcoming: &str| {
        let body = json!({"reason": "requested", "upcoming": upcoming});
        act(&practice, client, &format!("erase{query}"), &body)
    };
    for (query, upcoming) in [("", "keep"), ("", "cancel"), ("?dry_run=true", "cancel")] {
        let refused = erase(query, upcoming).is_refused(409, "on-legal-hold");
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.contains("`privacy`") && detail.contains("release"), "{detail}");
    }
    let path = format!("/v1/clients/{client}");
    let shown = practice.api.get(&path).send().is(200);
    assert_eq!(shown["name"], crate::harness::personal::NAME);
    // They are booked for as ever.
    practice.booked(crate::harness::monday(9, 0));
    let kept = practice.api.get(&format!("{path}/privacy")).send().is(200);
    assert_eq!((&kept["legal_hold"], kept.get("restriction")), (&json!("legal-claim"), None));
    let released = act(&practice, client, "release-legal-hold", &no_reason());
    assert!(released.is(200).get("legal_hold").is_none());
    erase("", "cancel").is(200);
    let kept = practice.api.get(&format!("{path}/privacy")).send().is(200);
    assert_eq!(kept["erased"], true);
    let audited = audited(&practice, client);
    assert!(audited.contains(&"legal-hold-placed".to_owned()), "{audited:?}");
    assert!(audited.contains(&"legal-hold-released".to_owned()), "{audited:?}");
    practice.is_whole();
}
