//! Whatever the text: it has the form of an access token or has not; and each token has one text.

#![no_main]

use daybook_store::issuers::written_again;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Some(again) = written_again(text) {
        assert_eq!(again, text);
    }
});
