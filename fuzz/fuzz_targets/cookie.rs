//! Whatever a browser sends: a cookie is ours or is not, and is taken of no page of another origin.

#![no_main]

use daybook_api::fuzzing::is_cookie;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|headers: (&[u8], &[u8])| {
    let (cookie, origin) = headers;
    let _ = is_cookie(cookie, origin);
});
