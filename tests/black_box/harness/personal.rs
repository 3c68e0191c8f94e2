//! The personal data of the clients that the tests make up. All of it has a mark, and after the tests `cargo xtask test`
//! looks for these in whatever the programs have logged.

use std::fs;
use std::sync::Once;

use super::logs;

pub(crate) const NAME: &str = "personal-mark-name";
pub(crate) const EMAIL: &str = "personal-mark@example.org";
pub(super) const PHONE: &str = "+47 5559 421736";
pub(crate) const NOTES: &str = "personal-mark-notes";

/// It is sent now: what it is known by is written down beside the logs.
pub(crate) fn is_sent() {
    static WRITTEN: Once = Once::new();
    WRITTEN.call_once(|| {
        let marks = [NAME, EMAIL, PHONE, NOTES].join("\n");
        fs::write(logs::folder().join("marks.txt"), marks).unwrap();
    });
}
