#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    rocket_jwt_extended_fuzz::cookie::run(input);
});
