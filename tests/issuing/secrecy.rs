//! What is shown of keys and tokens: nothing.

use std::sync::{Arc, Mutex};

use crate::support::pem::{Kind, pair};
use crate::support::*;
use rocket_jwt_extended::jsonwebtoken::Algorithm;
use rocket_jwt_extended::{Claims, Error, Jwt, NoClaims, SigningKey, VerifyingKey};

#[test]
fn no_debug_output_shows_a_key() {
    let secret = secret().as_bytes();
    let pem = pair(Kind::P256);
    let shown = [
        format!("{:?}", SigningKey::from_secret(Algorithm::HS256, secret).unwrap()),
        format!("{:?}", VerifyingKey::from_secret(Algorithm::HS256, secret).unwrap()),
        format!("{:?}", SigningKey::from_pem(Algorithm::ES256, pem.private.as_bytes()).unwrap()),
        format!("{:?}", VerifyingKey::from_pem(Algorithm::ES256, pem.public.as_bytes()).unwrap()),
    ];
    assert_eq!(
        shown,
        [
            "SigningKey { algorithm: HS256, .. }",
            "VerifyingKey { algorithm: HS256, .. }",
            "SigningKey { algorithm: ES256, .. }",
            "VerifyingKey { algorithm: ES256, .. }",
        ]
    );
}

#[test]
fn no_debug_output_shows_a_token_or_what_it_holds() {
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = events.clone();
    let fairing = Jwt::fairing()
        .clock(clock_at_start())
        .on_event(move |event| seen.lock().unwrap().push(format!("{event:?}")));
    let client = client("", fairing, routes![]);
    let jwt = jwt(&client);
    let claims = serde_json::json!({"note": "a-private-note"});
    let pair = jwt.token_pair("ada").claims(&claims).issue().unwrap();
    let token = jwt.decode::<Claims>(pair.access_token()).unwrap();
    let csrf = token.csrf().unwrap().to_string();
    let refused = format!("{}x", pair.access_token());
    let refusal = jwt.decode::<NoClaims>(&refused).unwrap_err();
    let after_signature = jwt
        .decode::<NoClaims>(&sign(&with(serde_json::json!({"note": "a-private-note", "exp": 1}))));
    let after_signature = after_signature.unwrap_err();
    assert!(after_signature.token().is_some());

    let mut shown = events.lock().unwrap().clone();
    shown.push(format!("{pair:?} {token:?} {jwt:?}"));
    shown.push(format!("{refusal:?} {refusal} {after_signature:?} {after_signature}"));
    let error = Error::from(after_signature);
    shown.push(format!("{error:?} {error}"));
    let parts = [pair.access_token(), pair.refresh_token()].into_iter().flat_map(|t| t.split('.'));
    for shown in &shown {
        for hidden in parts.clone().skip(1).filter(|part| part.len() > 40) {
            assert!(!shown.contains(hidden), "{shown}");
        }
        for hidden in ["a-private-note", &csrf, secret()] {
            assert!(!shown.contains(hidden), "{hidden} is in {shown}");
        }
    }
    assert_eq!(shown.len(), 5, "two tokens were issued, and three lines shown: {shown:?}");
}
