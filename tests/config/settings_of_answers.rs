//! Settings of what a refused request is answered.

use crate::support::app::{App, shown};
use crate::support::*;

fn refused(app: &App) -> String {
    let request = app.client.get("/me").header(Bearer("no.token.atall"));
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
    shown("invalid_token_status = 422", ["401", "401"], |app| {
        app.client.get("/me").dispatch().status().code.to_string()
    });
    shown("invalid_token_status = 422", ["401 wrong_token_type", "422 wrong_token_type"], |app| {
        let (status, code) =
            code(app.client.get("/renew").header(Bearer(&sign(&claims()))).dispatch());
        format!("{status} {code}")
    });
    shown("invalid_token_status = 422", ["401", "401"], |app| {
        let expired = sign(&with(serde_json::json!({"exp": START})));
        let request = app.client.get("/me").header(Bearer(&expired));
        request.dispatch().status().code.to_string()
    });
}
