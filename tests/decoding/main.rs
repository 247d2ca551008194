//! Decoding tokens: every check of the pipeline that needs no request, from both sides.

#[macro_use]
extern crate rocket;

#[path = "../support/key_forms.rs"]
mod key_forms;
#[path = "../support/pem.rs"]
mod pem;
#[path = "../support/mod.rs"]
mod support;

mod bench;
mod jwk;

mod claim_table;
mod danger;
mod decoder;
mod expectations;
mod headers;
mod key_confusion;
mod key_hooks;
mod pem_forms;
mod required_values;
mod rfc_vectors;
mod shapes;
mod signature_cache;
mod times;
mod wycheproof;
