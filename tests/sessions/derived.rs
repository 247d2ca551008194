//! Tokens issued without a session: they have one that is derived from their `jti`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rocket_jwt_extended::jsonwebtoken::Algorithm;
use rocket_jwt_extended::{AnyToken, Claims, Error, SigningKey, VerifyingKey};
use serde_json::json;
use uuid::Uuid;

use crate::support::ask::*;
use crate::support::site::*;
use crate::support::*;

const RENEWING: &str =
    "token_location = [\"headers\", \"cookies\"]\nimplicit_refresh_within = \"14m\"\n";

/// A token without `sid`, and one that was made of it by renewal or by joining.
fn renewed(site: &Site) -> [String; 2] {
    let token = site.jwt().access_token("ada").encode().unwrap();
    site.clock.set(unix(START + 600));
    let (next, _) = site.renewed(&token).expect("it is renewed");
    [token, next]
}

fn joined(site: &Site) -> [String; 2] {
    let token = site.jwt().refresh_token("ada").encode().unwrap();
    let joined = post(&site.client, "/access", &token).into_string().unwrap();
    [token, joined]
}

#[test]
fn a_logout_of_either_ends_the_first_token_and_what_was_made_of_it() {
    for make in [renewed, joined] {
        for logged_out in [0, 1] {
            let site = Site::new(RENEWING);
            let tokens = make(&site);
            let bystander = site.jwt().access_token("ada").encode().unwrap();
            assert_eq!(payload(&tokens[0]).get("sid"), None);
            let sid = text(&tokens[1], "sid");
            assert_eq!(Uuid::parse_str(&sid).unwrap().get_version_num(), 7);
            for token in &tokens {
                assert_eq!(site.get("/any", token).0, LIVE);
            }
            assert_eq!(site.post("/logout", &tokens[logged_out]).0, LIVE);
            for token in &tokens {
                assert_eq!(site.get("/any", token), revoked(), "{logged_out}");
            }
            assert_eq!(site.get("/any", &bystander).0, LIVE);
        }
    }
}

#[test]
fn a_chain_of_renewals_is_one_session() {
    let site = Site::new(RENEWING);
    let [first, second] = renewed(&site);
    site.clock.set(unix(START + 1300));
    let (third, _) = site.renewed(&second).expect("it is renewed");
    assert_eq!(text(&third, "sid"), text(&second, "sid"));
    // The first has expired, and its logout still counts.
    assert_eq!(site.get("/me", &first), expired());
    assert_eq!(site.post("/logout", &first).0, LIVE);
    assert_eq!(site.get("/me", &third), revoked());
}

#[test]
fn the_session_is_the_same_for_whoever_derives_it() {
    let site = Site::new(RENEWING);
    for jti in [Uuid::new_v4().to_string(), "an id of somebody".into(), "é".into()] {
        let token = sign(&with(json!({ "jti": jti })));
        let joined = |site: &Site| {
            let token = post(&site.client, "/access", &token).into_string().unwrap();
            text(&token, "sid")
        };
        let sid = joined(&site);
        assert_eq!(joined(&site.beside(RENEWING)), sid);
        // It says when it began: with the token.
        let (seconds, _) = Uuid::parse_str(&sid).unwrap().get_timestamp().unwrap().to_unix();
        assert_eq!(seconds, START as u64);
    }
}

#[test]
fn theft_of_a_refresh_token_revokes_all_that_was_made_of_it_and_is_told_once() {
    for path in ["/refresh", "/look"] {
        let site = Site::new("rotation_grace = 0\n");
        let [token, joined] = joined(&site);
        let one = site.rotate(&token);
        let two = site.rotate(&one[1]);
        site.events();
        let ask = |token: &str| match path {
            "/refresh" => site.post(path, token),
            path => site.get(path, token),
        };
        assert_eq!(ask(&token), revoked());
        let told = site.told();
        assert_eq!(told, ["revoked Session", "reuse", "refused token_revoked"], "{path}");
        for token in [&token, &joined, &one[0], &one[1], &two[0], &two[1]] {
            assert_eq!(site.get("/any", token), revoked(), "{path}");
        }
        // Not even the token itself is told again.
        assert_eq!(ask(&token), revoked());
        assert!(site.told().iter().all(|event| event == "refused token_revoked"));
    }
}

#[test]
fn theft_is_found_when_the_hook_signs_with_another_key_by_then() {
    let secret = [*Uuid::new_v4().as_bytes(), *Uuid::new_v4().as_bytes()].concat();
    let hooked = SigningKey::from_secret(Algorithm::HS256, &secret).unwrap();
    let verifies = VerifyingKey::from_secret(Algorithm::HS256, &secret).unwrap();
    let is_on = Arc::new(AtomicBool::new(false));
    let [signs, names] = [is_on.clone(), is_on.clone()];
    let site = Site::with("rotation_grace = 0\n", |fairing| {
        fairing
            .signing_key(move |_| signs.load(Ordering::SeqCst).then(|| hooked.clone()))
            .additional_headers(move |_| match names.load(Ordering::SeqCst) {
                true => Claims::from_iter([("kid".to_string(), "new".into())]),
                false => Claims::new(),
            })
            .verifying_key(move |header, _| {
                (header.kid.as_deref() == Some("new")).then(|| verifies.clone())
            })
    });
    let token = site.jwt().refresh_token("ada").encode().unwrap();
    is_on.store(true, Ordering::SeqCst);
    let pair = site.rotate(&token);
    assert_eq!(part(&pair[1], 0)["kid"], "new");
    let next = site.rotate(&pair[1]);
    site.events();
    assert_eq!(site.post("/refresh", &token), revoked());
    assert_eq!(site.told().iter().filter(|event| *event == "reuse").count(), 1);
    for token in [&pair[0], &pair[1], &next[0], &next[1]] {
        assert_eq!(site.get("/any", token), revoked());
    }
}

#[test]
fn a_repeated_exchange_gets_the_same_pair_whatever_key_signs_it() {
    let secret = [*Uuid::new_v4().as_bytes(), *Uuid::new_v4().as_bytes()].concat();
    let hooked = SigningKey::from_secret(Algorithm::HS256, &secret).unwrap();
    let is_on = Arc::new(AtomicBool::new(false));
    let signs = is_on.clone();
    let site = Site::with("", |fairing| {
        fairing.signing_key(move |_| signs.load(Ordering::SeqCst).then(|| hooked.clone()))
    });
    let token = site.jwt().refresh_token("ada").encode().unwrap();
    let first = site.rotate(&token);
    is_on.store(true, Ordering::SeqCst);
    let again = site.rotate(&token);
    for (one, other) in first.iter().zip(&again) {
        assert_eq!(payload(one), payload(other));
        assert_ne!(one, other, "another key has signed it");
    }
}

#[test]
fn a_token_with_neither_sid_nor_jti_has_no_session() {
    let site = Site::new(RENEWING);
    let access = sign(&without(&["jti"]));
    let mut claims = without(&["jti"]);
    claims["type"] = "refresh".into();
    let refresh = sign(&claims);
    for token in [&access, &refresh] {
        assert_eq!(site.get("/any", token).0, LIVE);
        let token = run(site.jwt().verify::<AnyToken>(token)).unwrap();
        let result = run(site.jwt().revoke_session(&token));
        assert!(matches!(result, Err(Error::NoTokenId)), "{result:?}");
        let result = site.jwt().access_token("ada").session(&token).encode();
        assert!(matches!(result, Err(Error::Session(_))), "{result:?}");
    }
    assert_eq!(site.post("/refresh", &refresh), (401, "token_invalid".into()));
    site.clock.set(unix(START + 600));
    assert_eq!(site.renewed(&access), None);
    assert_eq!(site.told().iter().filter(|event| event.starts_with("issued")).count(), 0);
}

#[test]
fn a_token_that_outlives_the_configured_lifetimes_lends_no_session() {
    let site = Site::new("refresh_token_expires = \"1h\"\n");
    let long = sign(&with(json!({ "exp": START + 3601 })));
    let token = site.accepted(&long);
    let joins = || site.jwt().access_token("ada").session(&token).encode();
    assert!(matches!(joins(), Err(Error::Session(_))));
    site.clock.set(unix(START + 1));
    assert!(joins().is_ok());
}
