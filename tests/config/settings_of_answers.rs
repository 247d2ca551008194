//! Settings of what a refused request is answered.

use crate::bench::{Bench, shown};
use crate::support::*;

fn refused(bench: &Bench) -> String {
    let request = bench.client.get("/me").header(bearer("no.token.atall"));
    let (status, body) = answer(request.dispatch());
    let keys: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    format!("{} {}", status.code, keys.join(" "))
}

#[test]
fn error_message_key_names_the_member_of_the_text() {
    shown("error_message_key = \"detail\"", ["401 code msg", "401 code detail"], refused);
}

#[test]
fn invalid_token_status_is_for_bad_tokens_alone() {
    shown("invalid_token_status = 422", ["401 code msg", "422 code msg"], refused);
    shown("invalid_token_status = 422", ["401", "401"], |bench| {
        bench.client.get("/me").dispatch().status().code.to_string()
    });
    shown(
        "invalid_token_status = 422",
        ["401 wrong_token_type", "422 wrong_token_type"],
        |bench| {
            let (status, code) =
                code(bench.client.get("/renew").header(bearer(&sign(&claims()))).dispatch());
            format!("{status} {code}")
        },
    );
    shown("invalid_token_status = 422", ["401", "401"], |bench| {
        let expired = sign(&with(serde_json::json!({"exp": START})));
        let request = bench.client.get("/me").header(bearer(&expired));
        request.dispatch().status().code.to_string()
    });
}
