//! Which guard lets in which type of token: the full matrix.

use crate::support::common::*;
use crate::support::users::NotBob;
use crate::support::*;
use rocket::local::blocking::Client;
use rocket_jwt_extended::{
    AccessToken, AnyToken, Fresh, Headers, IgnoreRevocation, In, RefreshToken, Require, TokenType,
};
use serde_json::{Value, json};

fn app() -> Client {
    let routes = vec![
        at::<AccessToken>("/access"),
        at::<Fresh>("/access/fresh"),
        at::<In<Headers>>("/access/in"),
        at::<IgnoreRevocation<AccessToken>>("/access/ignore"),
        at::<Require<NotBob, AccessToken>>("/access/require"),
        at::<RefreshToken>("/refresh"),
        at::<Fresh<RefreshToken>>("/refresh/fresh"),
        at::<In<Headers, RefreshToken>>("/refresh/in"),
        at::<IgnoreRevocation<RefreshToken>>("/refresh/ignore"),
        at::<Require<NotBob, RefreshToken>>("/refresh/require"),
        at::<AnyToken>("/any"),
        at::<Fresh<AnyToken>>("/any/fresh"),
        at::<In<Headers, AnyToken>>("/any/in"),
        at::<IgnoreRevocation<AnyToken>>("/any/ignore"),
        at::<Require<NotBob, AnyToken>>("/any/require"),
    ];
    clocked(FLASK, routes).0
}

fn ask(client: &Client, kind: &str, token: &str) -> (u16, String) {
    let answers: Vec<_> = ["", "/fresh", "/in", "/ignore", "/require"]
        .into_iter()
        .map(|guard| said(client.get(format!("/{kind}{guard}")).header(Bearer(token)).dispatch()))
        .collect();
    assert!(answers.iter().all(|answer| answer == &answers[0]), "{kind}: {answers:?}");
    answers[0].clone()
}

fn of_type(value: Value) -> String {
    sign(&with(json!({"type": value, "fresh": true})))
}

const NOT_ACCESS: &str = "Only non-refresh tokens are allowed";
const NOT_REFRESH: &str = "Only refresh tokens are allowed";

#[test]
fn every_guard_lets_in_its_own_type_and_no_other() {
    let client = app();
    let mut untyped = with(json!({"fresh": true}));
    untyped.as_object_mut().unwrap().remove("type");
    for (token, access, refresh, any) in [
        (of_type(json!("access")), "ada", NOT_REFRESH, "ada"),
        (of_type(json!("refresh")), NOT_ACCESS, "ada", "ada"),
        // As Flask-JWT-Extended's own tokens of old have none.
        (sign(&untyped), "ada", NOT_REFRESH, "ada"),
        (of_type(json!("")), NOT_ACCESS, NOT_REFRESH, NOT_ACCESS),
        (of_type(json!("Access")), NOT_ACCESS, NOT_REFRESH, NOT_ACCESS),
        (of_type(json!("REFRESH")), NOT_ACCESS, NOT_REFRESH, NOT_ACCESS),
        (of_type(json!("access ")), NOT_ACCESS, NOT_REFRESH, NOT_ACCESS),
        (of_type(json!("csrf")), NOT_ACCESS, NOT_REFRESH, NOT_ACCESS),
        (of_type(json!("websocket")), NOT_ACCESS, NOT_REFRESH, NOT_ACCESS),
    ] {
        for (kind, text) in [("access", access), ("refresh", refresh), ("any", any)] {
            let status = if text == "ada" { 200 } else { 422 };
            assert_eq!(ask(&client, kind, &token), (status, text.into()), "{}", payload(&token));
        }
    }
}

#[test]
fn a_type_that_is_no_text_is_refused_everywhere() {
    let client = app();
    for odd in [json!(null), json!(1), json!(true), json!(["access"]), json!({"access": 1})] {
        for kind in ["access", "refresh", "any"] {
            let refused = (422, "Invalid claim format in token".to_string());
            assert_eq!(ask(&client, kind, &of_type(odd.clone())), refused, "{kind} {odd}");
        }
    }
}

#[test]
fn other_signed_tokens_are_of_no_use_here() {
    // A CSRF value, a DPoP proof and a link, even if they are signed with the same key.
    let client = app();
    let own = sign(&claims());
    let csrf = payload(&own)["csrf"].as_str().unwrap().to_string();
    assert_eq!(ask(&client, "access", &csrf), (422, "Not enough segments".into()));
    let proof = json!({"htm": "GET", "htu": "https://example.org/", "iat": START, "jti": "x"});
    let text = (422, "Missing claim: sub".to_string());
    assert_eq!(ask(&client, "access", &sign(&proof)), text);
    let link = json!({"sub": "ada", "type": "password-reset", "exp": START + 60});
    for kind in ["access", "refresh", "any"] {
        assert_eq!(ask(&client, kind, &sign(&link)).0, 422, "{kind}");
    }
}

#[test]
fn the_type_shows_by_its_name() {
    let (client, _) = clocked("", vec![]);
    let shown = |value| {
        let token = jwt(&client).decode::<rocket_jwt_extended::NoClaims>(&of_type(value)).unwrap();
        (token.token_type(), token.token_type().to_string())
    };
    assert_eq!(shown(json!("access")), (TokenType::Access, "access".into()));
    assert_eq!(shown(json!("refresh")), (TokenType::Refresh, "refresh".into()));
    assert_eq!(shown(json!("other")), (TokenType::Other, "other".into()));
    assert_eq!(shown(json!("Access")), (TokenType::Other, "other".into()));
}
