//! Settings of what tokens hold and must hold.

use crate::support::app::{App, shown, shown_beside};
use crate::support::*;
use serde_json::{Value, json};

fn issued(app: &App) -> Value {
    payload(&app.jwt().access_token("ada").encode().unwrap())
}

#[test]
fn decode_audience_is_whom_tokens_must_be_for() {
    shown("decode_audience = \"api\"", ["ada", "401 Audience doesn't match"], |app| {
        app.me(&sign(&with(json!({"aud": "shop"}))))
    });
    shown("decode_audience = [\"api\", \"shop\"]", ["ada", "ada"], |app| {
        app.me(&sign(&with(json!({"aud": ["shop", "bank"]}))))
    });
}

#[test]
fn encode_audience_is_whom_tokens_are_for() {
    shown("encode_audience = \"api\"", ["null", "\"api\""], |app| issued(app)["aud"].to_string());
    shown("encode_audience = [\"api\", \"shop\"]", ["null", "[\"api\",\"shop\"]"], |app| {
        issued(app)["aud"].to_string()
    });
}

#[test]
fn decode_issuer_is_who_must_have_issued_tokens() {
    shown("decode_issuer = \"me\"", ["ada", "401 Invalid issuer"], |app| {
        app.me(&sign(&with(json!({"iss": "you"}))))
    });
    shown("decode_issuer = [\"me\", \"you\"]", ["ada", "ada"], |app| {
        app.me(&sign(&with(json!({"iss": "you"}))))
    });
}

#[test]
fn encode_issuer_is_who_issues_tokens() {
    shown("encode_issuer = \"me\"", ["null", "\"me\""], |app| issued(app)["iss"].to_string());
}

#[test]
fn decode_leeway_is_by_how_much_clocks_may_differ() {
    let expired = with(json!({"exp": START - 9}));
    let early = with(json!({"nbf": START + 9, "iat": START + 9}));
    for lines in ["decode_leeway = 10", "decode_leeway = \"10s\""] {
        shown(lines, ["401 Token has expired", "ada"], |app| app.me(&sign(&expired)));
        shown(lines, ["401 The token is not yet valid (iat)", "ada"], |app| app.me(&sign(&early)));
    }
}

#[test]
fn encode_nbf_writes_nbf_or_not() {
    shown("encode_nbf = false", [&START.to_string(), "null"], |app| issued(app)["nbf"].to_string());
}

#[test]
fn identity_claim_names_the_claim_of_the_identity() {
    shown("identity_claim = \"user\"", ["\"ada\" null", "null \"ada\""], |app| {
        let claims = issued(app);
        format!("{} {}", claims["sub"], claims["user"])
    });
    shown("identity_claim = \"user\"", ["401 Missing claim: sub", "bob"], |app| {
        let mut claims = without(&["sub"]);
        claims["user"] = "bob".into();
        app.me(&sign(&claims))
    });
}

#[test]
fn verify_sub_off_takes_an_identity_that_is_no_text() {
    shown("verify_sub = false", ["401 Subject must be a string", "123"], |app| {
        app.me(&sign(&with(json!({"sub": 123}))))
    });
}

#[test]
fn max_token_length_is_how_long_a_token_may_be() {
    let long = |letters: usize| sign(&with(json!({"note": "x".repeat(letters)})));
    shown("max_token_length = 2048", ["ada", "401 Token is too long"], |app| app.me(&long(2048)));
    shown("max_token_length = 1048576", ["401 Token is too long", "ada"], |app| {
        app.me(&long(16_384))
    });
}

#[test]
fn required_claims_are_what_a_token_must_have() {
    shown("required_claims = [\"exp\", \"tenant\"]", ["ada", "401 Missing claim: tenant"], |app| {
        app.me(&sign(&claims()))
    });
    shown("required_claims = []", ["401 Missing claim: exp", "ada"], |app| {
        app.me(&sign(&without(&["exp"])))
    });
    shown("required_claims = \"tenant\"", ["401 Missing claim: exp", "ada"], |app| {
        let mut claims = without(&["exp"]);
        claims["tenant"] = "any".into();
        app.me(&sign(&claims))
    });
    shown_beside("access_token_expires = false", "encode_nbf = true", ["ada", "ada"], |app| {
        app.me(&sign(&without(&["exp"])))
    });
}

#[test]
fn required_claims_as_a_table_says_what_a_claim_may_be() {
    shown(
        "required_claims = { tenant = [\"a\", \"b\"] }",
        ["ada", "401 Invalid claim: tenant"],
        |app| app.me(&sign(&with(json!({"tenant": "c"})))),
    );
}

#[test]
fn decode_typ_is_what_a_header_may_say_it_is() {
    shown("decode_typ = \"x+jwt\"", ["ada", "401 The specified typ value is not allowed"], |app| {
        app.me(&sign(&claims()))
    });
}

#[test]
fn a_table_of_required_claims_that_cannot_be_checked_fails_the_launch() {
    for lines in [
        "required_claims = { exp = 5 }",
        "required_claims = { exp = \"always\" }",
        "required_claims = { iat = false }",
        "required_claims = { jti = false }",
        "required_claims = { azp = [] }",
        "required_claims = { azp = 1.5 }",
        "required_claims = { azp = { a = 1 } }",
        "required_claims = { azp = [[\"a\"]] }",
        "required_claims = { \"\" = \"a\" }",
        "required_claims = [\"\"]",
        "required_claims = 5",
        "decode_typ = []",
        "decode_typ = \"a b\"",
        "decode_typ = \"application/\"",
    ] {
        assert!(!launches(lines), "{lines}");
    }
}
