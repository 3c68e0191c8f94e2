//! Whatever the text: it is a cursor of some list or is not; and each has one text.

#![no_main]

use daybook_projections::Cursor;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Some(again) = Cursor::new(text.to_owned()).written_again() {
        assert_eq!(again, text);
    }
});
