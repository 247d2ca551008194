//! A resource server: tokens are issued elsewhere, and only verified here.

use rocket::local::blocking::Client;
use rocket::serde::Deserialize;
use rocket_jwt_extended::jsonwebtoken::Algorithm;
use rocket_jwt_extended::{
    AccessToken, Error, Jwt, JwtFairing, Permission, Require, Token, VerifyingKey,
};
use serde_json::json;

use crate::support::ask::*;
use crate::support::pem::{self, Kind};
use crate::support::*;

#[derive(Deserialize)]
#[serde(crate = "rocket::serde")]
struct Groups {
    groups: Vec<String>,
}

struct Staff;

impl Permission for Staff {
    type Claims = Groups;

    fn permits(token: &Token<Groups>) -> bool {
        token.claims.groups.iter().any(|group| group == "staff")
    }
}

#[get("/staff")]
fn staff(token: Require<Staff, AccessToken<Groups>>) -> String {
    token.identity().into()
}

const ISSUER: &str = "https://issuer.example";

/// Outside debug, with an expected issuer and these lines more.
fn server(toml: &str, fairing: JwtFairing) -> Client {
    let toml =
        format!("[release.jwt]\nalgorithm = \"ES256\"\ndecode_issuer = \"{ISSUER}\"\n{toml}");
    let rocket = rocket::custom(raw_figment(&toml).select("release")).attach(fairing);
    Client::untracked(rocket.mount("/", routes![staff])).expect("it launches")
}

/// What the issuer signs for a member of these groups.
fn issued(key: &str, issuer: &str, groups: &[&str]) -> String {
    let toml = format!("private_key = \"\"\"{key}\"\"\"\nencode_issuer = \"{issuer}\"");
    let client = server(&toml, Jwt::fairing());
    let builder = jwt(&client).access_token("ada").claims(&json!({"groups": groups}));
    builder.header("kid", "2026").encode().unwrap()
}

fn check(server: &Client, good: &str, other: &str) {
    let token = issued(good, ISSUER, &["users", "staff"]);
    assert_eq!(get(server, "/staff", &token).into_string().unwrap(), "ada");
    let token = issued(good, ISSUER, &["users"]);
    assert_eq!(code(get(server, "/staff", &token)), (403, "insufficient_scope".into()));
    let token = issued(good, "https://evil.example", &["staff"]);
    assert_eq!(msg(get(server, "/staff", &token)), (401, "Invalid issuer".into()));
    let token = issued(other, ISSUER, &["staff"]);
    assert_eq!(msg(get(server, "/staff", &token)).1, "Signature verification failed");
    assert!(matches!(jwt(server).access_token("ada").encode(), Err(Error::NoSigningKey)));
}

#[test]
fn with_the_issuers_public_key_it_verifies_and_checks_the_group_and_issues_nothing() {
    let (good, other) = (pem::pair(Kind::P256), pem::pair(Kind::AnotherP256));
    let server = server(&format!("public_key = \"\"\"{}\"\"\"", good.public), Jwt::fairing());
    check(&server, &good.private, &other.private);
}

#[test]
fn a_hook_gives_the_issuers_key_by_its_kid() {
    let (good, other) = (pem::pair(Kind::P256), pem::pair(Kind::AnotherP256));
    let key = VerifyingKey::from_pem(Algorithm::ES256, good.public.as_bytes()).unwrap();
    let fairing = Jwt::fairing()
        .verifying_key(move |header, _| (header.kid.as_deref()? == "2026").then(|| key.clone()));
    let server = server("", fairing);
    check(&server, &good.private, &other.private);
}
