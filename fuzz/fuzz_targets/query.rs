//! Whatever the text: a query with days, moments, cursors and filters is read or refused.

#![no_main]

use daybook_api::fuzzing::QUERIES;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|query: &str| {
    for is_query in QUERIES {
        let _ = is_query(query);
    }
});
