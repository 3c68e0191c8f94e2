//! Whatever the text: it has the form of a key, or of a session's cookie, or has not; and each has one text. The checksum is
//! the fuzzer's to guess, or is put behind what it says.

#![no_main]

use daybook_store::keys::{with_checksum, written_again};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for text in [text.to_owned(), with_checksum(text)] {
        if let Some(again) = written_again(&text) {
            assert_eq!(again, text);
        }
    }
});
