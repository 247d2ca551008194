//! Decoding tokens: every check of the pipeline that needs no request, from both sides.

#[macro_use]
extern crate rocket;

mod support;

mod claim_table;
mod danger;
mod decoder;
mod expectations;
mod jose_headers;
mod key_confusion;
mod key_hooks;
mod pem_forms;
mod required_values;
mod rfc_vectors;
mod shapes;
mod signature_cache;
mod times;
mod wycheproof;
