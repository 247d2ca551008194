//! A refresh token that comes again: within the grace an honest repeat, else theft.

use std::sync::{Arc, OnceLock};

use rocket::local::blocking::Client;
use rocket_jwt_extended::jsonwebtoken::Algorithm;
use rocket_jwt_extended::{
    AccessToken, AnyToken, Duration, IgnoreRevocation, Jwt, NoClaims, RefreshToken, Rejection,
    SigningKey, TokenPair,
};

use crate::support::ask::*;
use crate::support::*;

#[get("/me")]
fn me(token: AccessToken) -> String {
    token.identity().into()
}

#[get("/look")]
fn look(token: RefreshToken) -> String {
    token.identity().into()
}

#[get("/any")]
fn any(token: AnyToken) -> String {
    token.identity().into()
}

#[get("/unasked")]
fn unasked(token: IgnoreRevocation<RefreshToken>) -> String {
    token.identity().into()
}

#[post("/refresh")]
async fn refresh(jwt: &Jwt, token: RefreshToken) -> Result<TokenPair, Rejection> {
    jwt.rotate(token).await
}

struct Site {
    client: Client,
    clock: ManualClock,
}

impl Site {
    fn new(toml: &str) -> Self {
        let (client, clock) = clocked(toml, routes![me, look, any, unasked, refresh]);
        Self { client, clock }
    }

    fn login(&self) -> [String; 2] {
        let pair = jwt(&self.client).token_pair("ada").issue().unwrap();
        [pair.access_token().into(), pair.refresh_token().into()]
    }

    fn rotate(&self, token: &str) -> [String; 2] {
        pair(post(&self.client, "/refresh", token))
    }

    fn assert_revoked(&self, path: &str, token: &str) {
        let response = match path {
            "/refresh" => post(&self.client, path, token),
            path => get(&self.client, path, token),
        };
        let refusal = (401, "Token has been revoked".to_string());
        assert_eq!(msg(response), refusal, "{path}");
    }

    /// Every token of these is dead.
    fn assert_ended(&self, pairs: &[&[String; 2]]) {
        for [access, refresh] in pairs {
            self.assert_revoked("/me", access);
            self.assert_revoked("/look", refresh);
            self.assert_revoked("/refresh", refresh);
        }
    }

    fn assert_alive(&self, [access, refresh]: &[String; 2]) {
        assert_eq!(get(&self.client, "/me", access).status().code, 200);
        assert_eq!(get(&self.client, "/look", refresh).status().code, 200);
    }
}

#[test]
fn a_repeat_within_the_grace_gets_the_same_pair() {
    let site = Site::new("");
    let first = site.login();
    let second = site.rotate(&first[1]);
    // The grace is of ten seconds, the tenth included.
    for millis in [0, 1, 4_999, 5_000] {
        site.clock.advance(Duration::milliseconds(millis));
        assert_eq!(site.rotate(&first[1]), second);
        assert_eq!(get(&site.client, "/look", &first[1]).status().code, 200);
    }
    site.assert_alive(&second);
    let third = site.rotate(&second[1]);
    site.assert_alive(&third);
}

#[test]
fn a_repeat_after_the_key_was_changed_gets_the_same_ids() {
    let (slot, clock) = (Arc::new(OnceLock::<SigningKey>::new()), clock_at_start());
    let key = slot.clone();
    let fairing = Jwt::fairing().clock(clock).signing_key(move |_| key.get().cloned());
    let client = client("", fairing, routes![refresh]);
    let first = jwt(&client).token_pair("ada").issue().unwrap();
    let second = pair(post(&client, "/refresh", first.refresh_token()));
    let secret = [uuid::Uuid::new_v4().into_bytes(), uuid::Uuid::new_v4().into_bytes()].concat();
    slot.set(SigningKey::from_secret(Algorithm::HS256, &secret).unwrap()).unwrap();
    let repeated = pair(post(&client, "/refresh", first.refresh_token()));
    for (before, after) in second.iter().zip(&repeated) {
        assert_eq!(payload(before), payload(after));
        assert_ne!(before, after, "signed by another key");
    }
}

#[test]
fn a_repeat_after_the_grace_is_theft() {
    for path in ["/refresh", "/look", "/any"] {
        let site = Site::new("");
        let first = site.login();
        let another = site.login();
        let second = site.rotate(&first[1]);
        site.clock.advance(Duration::milliseconds(10_001));
        site.assert_alive(&second);
        site.assert_revoked(path, &first[1]);
        site.assert_ended(&[&first, &second]);
        site.assert_alive(&another);
    }
}

#[test]
fn a_repeat_after_the_successor_was_used_is_theft_within_the_grace_too() {
    for path in ["/refresh", "/look"] {
        let site = Site::new("");
        let first = site.login();
        let second = site.rotate(&first[1]);
        let third = site.rotate(&second[1]);
        site.assert_alive(&third);
        site.assert_revoked(path, &first[1]);
        site.assert_ended(&[&first, &second, &third]);
    }
}

#[test]
fn a_grandparent_is_theft_whatever_the_grace() {
    let site = Site::new("rotation_grace = \"1h\"");
    let first = site.login();
    let second = site.rotate(&first[1]);
    let third = site.rotate(&second[1]);
    // The parent may be repeated: its successor is unused.
    assert_eq!(site.rotate(&second[1]), third);
    site.assert_revoked("/refresh", &first[1]);
    site.assert_ended(&[&first, &second, &third]);
}

#[test]
fn without_a_grace_any_repeat_is_theft() {
    for path in ["/refresh", "/look", "/any"] {
        let site = Site::new("rotation_grace = \"0s\"");
        let first = site.login();
        let second = site.rotate(&first[1]);
        site.assert_revoked(path, &first[1]);
        site.assert_ended(&[&first, &second]);
    }
}

#[test]
fn access_tokens_of_a_stolen_session_die_with_it() {
    let site = Site::new("");
    let first = site.login();
    let mut accesses = vec![first[0].clone()];
    let mut last = first.clone();
    for _ in 0..5 {
        site.clock.advance(Duration::seconds(20));
        last = site.rotate(&last[1]);
        accesses.push(last[0].clone());
    }
    accesses.iter().for_each(|access| {
        assert_eq!(get(&site.client, "/me", access).status().code, 200);
    });
    // So does one that joined it.
    let jwt = jwt(&site.client);
    let token = rocket::execute(jwt.verify::<RefreshToken>(&last[1])).unwrap();
    accesses.push(jwt.access_token("ada").session(&token).encode().unwrap());
    site.assert_revoked("/refresh", &first[1]);
    accesses.iter().for_each(|access| site.assert_revoked("/me", access));
}

#[test]
fn a_logout_is_not_undone_by_the_grace() {
    let site = Site::new("");
    let first = site.login();
    let second = site.rotate(&first[1]);
    let jwt = jwt(&site.client);
    let token = jwt.decode::<NoClaims>(&second[0]).unwrap();
    rocket::execute(jwt.revoke_session(&token)).unwrap();
    site.assert_ended(&[&first, &second]);

    let first = site.login();
    let second = site.rotate(&first[1]);
    rocket::execute(jwt.revoke_all("ada")).unwrap();
    site.assert_ended(&[&first, &second]);

    // A successor revoked by itself is not handed out again either.
    let first = site.login();
    let second = site.rotate(&first[1]);
    let token = jwt.decode::<NoClaims>(&second[1]).unwrap();
    rocket::execute(jwt.revoke(&token)).unwrap();
    site.assert_revoked("/refresh", &first[1]);
}

#[test]
fn theft_outlives_pruning_for_as_long_as_the_tokens_live() {
    let site = Site::new("");
    let first = site.login();
    let second = site.rotate(&first[1]);
    let jwt = jwt(&site.client);
    // The session's row stays until the last of its refresh tokens has expired.
    site.clock.advance(Duration::days(30) - Duration::SECOND);
    rocket::execute(jwt.prune()).unwrap();
    site.assert_revoked("/refresh", &first[1]);
    site.assert_revoked("/look", &second[1]);
    // The session's end stays until the last of its tokens has.
    site.clock.advance(Duration::SECOND);
    rocket::execute(jwt.prune()).unwrap();
    let expired = (401, "Token has expired".to_string());
    assert_eq!(msg(get(&site.client, "/look", &second[1])), expired);
}

#[test]
fn a_guard_that_does_not_ask_the_blocklist_detects_nothing() {
    let site = Site::new("");
    let first = site.login();
    let second = site.rotate(&first[1]);
    site.clock.advance(Duration::minutes(1));
    assert_eq!(get(&site.client, "/unasked", &first[1]).status().code, 200);
    site.assert_alive(&second);
}
