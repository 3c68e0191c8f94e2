//! Whatever the bytes: a body has the form of a command or is refused; and what it means is the same when it is written and
//! read again.

#![no_main]

use daybook_api::fuzzing::BODIES;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for is_body in BODIES {
        let _ = is_body(bytes);
    }
});
