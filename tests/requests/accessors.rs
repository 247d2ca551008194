//! What a route learns of the token that let the request in.

use crate::support::common::*;
use crate::support::users::{Profile, User};
use crate::support::*;
use rocket::http::ContentType;
use rocket::local::blocking::Client;
use rocket::serde::json::Json;
use rocket::time::OffsetDateTime;
use rocket_jwt_extended::{
    AccessToken, Claims, CurrentUser, Location, NoClaims, Optional, Token, WithBody,
};
use serde_json::{Value, json};

/// Everything that can be read off a token, as JSON.
fn read<C>(token: &Token<C>) -> Value {
    let seconds = |time: Option<OffsetDateTime>| time.map(OffsetDateTime::unix_timestamp);
    json!({
        "identity": token.identity(), "number": token.parse_identity::<u32>().ok(),
        "jti": token.jti(), "sid": token.session_id(), "type": token.token_type().to_string(),
        "fresh": token.is_fresh(), "iat": seconds(token.issued_at()),
        "nbf": seconds(token.not_before()), "exp": seconds(token.expires_at()),
        "iss": token.issuer(), "aud": token.audience(), "csrf": token.csrf(),
        "kid": token.header().kid, "typ": token.header().typ,
        "location": token.location().map(|location| location.to_string()),
        "length": token.encoded().len(),
    })
}

#[get("/")]
fn all(token: AccessToken) -> Json<Value> {
    Json(read(&token))
}

#[get("/claims")]
fn claims_of(token: AccessToken<Claims>) -> Json<Claims> {
    Json(token.claims.clone())
}

#[get("/profile")]
fn profile(token: AccessToken<Profile>) -> String {
    token.into_inner().claims.role
}

#[get("/optional")]
fn optional(
    token: Optional<AccessToken<Claims>>,
    user: Optional<CurrentUser<User>>,
) -> Json<Value> {
    let token = token.token();
    Json(json!([
        token.map(|token| token.claims.clone()),
        token.map(|token| token.header().typ.clone()),
        token.map(|token| token.identity()),
        token.and_then(|token| token.location()).is_some(),
        user.as_ref().map(|user| user.name.clone()),
    ]))
}

#[post("/location", data = "<body>")]
fn location(body: WithBody) -> String {
    body.token.location().map(|location| location.to_string()).unwrap_or_default()
}

fn app(toml: &str) -> Client {
    clocked(toml, routes![all, claims_of, profile, optional, location]).0
}

fn ask(client: &Client, uri: &'static str, token: &str) -> Value {
    answer(client.get(uri).header(Bearer(token)).dispatch()).1
}

#[test]
fn everything_that_stands_in_a_token_is_at_hand() {
    let full = json!({
        "sub": "17", "jti": "j", "sid": "s", "type": "access", "fresh": true, "iat": START - 1,
        "nbf": START - 2, "exp": START + 60, "iss": "us", "aud": ["me", "you"], "csrf": "c",
    });
    let token = sign_text(r#"{"alg":"HS256","typ":"at+jwt","kid":"k"}"#, &full.to_string());
    let expected = json!({
        "identity": "17", "number": 17, "jti": "j", "sid": "s", "type": "access", "fresh": true,
        "iat": START - 1, "nbf": START - 2, "exp": START + 60, "iss": "us", "aud": ["me", "you"],
        "csrf": "c", "kid": "k", "typ": "at+jwt", "location": "headers", "length": token.len(),
    });
    assert_eq!(ask(&app(""), "/", &token), expected);
}

#[test]
fn what_does_not_stand_there_is_none() {
    let token = sign_text(r#"{"alg":"HS256"}"#, &json!({"sub": "ada"}).to_string());
    let expected = json!({
        "identity": "ada", "number": null, "jti": null, "sid": null, "type": "access",
        "fresh": false, "iat": null, "nbf": null, "exp": null, "iss": null, "aud": [],
        "csrf": null, "kid": null, "typ": null, "location": "headers", "length": token.len(),
    });
    let client = app("required_claims = []\naccess_token_expires = false");
    assert_eq!(ask(&client, "/", &token), expected);
}

#[test]
fn claims_are_the_whole_payload_or_what_a_type_of_ones_own_reads() {
    let client = app("");
    let claims = with(json!({"role": "cook", "more": {"a": [1, null]}}));
    assert_eq!(ask(&client, "/claims", &sign(&claims)), claims);
    assert_eq!(ask(&client, "/profile", &sign(&claims)), json!("cook"));
    let refused = ask(&client, "/profile", &sign(&with(json!({"role": ["cook"]}))));
    let text = "Claims are not of the expected form";
    assert_eq!(refused, json!({"msg": text, "code": "token_invalid"}));
}

#[test]
fn without_an_optional_token_there_is_nothing_to_read() {
    let client = app("");
    let (status, body) = answer(client.get("/optional").dispatch());
    assert_eq!((status.code, body), (200, json!([null, null, null, false, null])));
    let claims = claims();
    let expected = json!([claims, "JWT", "ada", true, "ada"]);
    assert_eq!(ask(&client, "/optional", &sign(&claims)), expected);
}

#[test]
fn a_place_shows_by_the_name_it_is_configured_by() {
    let client = app("token_location = [\"json\", \"query_string\", \"cookies\", \"headers\"]");
    let body = format!(r#"{{"access_token": "{}"}}"#, access());
    let request = client.post("/location").header(ContentType::JSON).body(body);
    assert_eq!(said(request.dispatch()), let_in("json"));
    let uri = format!("/location?jwt={}", access());
    assert_eq!(said(client.post(uri).dispatch()), let_in("query_string"));
    let request = client.post("/location").cookie(in_cookie(&access())).header(csrf_header());
    assert_eq!(said(request.dispatch()), let_in("cookies"));
    let request = client.post("/location").header(Bearer(&access()));
    assert_eq!(said(request.dispatch()), let_in("headers"));

    let jwt = jwt(&client);
    assert_eq!(jwt.decode::<NoClaims>(&access()).unwrap().location(), None);
    let verified = wait(jwt.verify::<AccessToken>(&access())).unwrap();
    assert_eq!(verified.location(), None);
    assert_eq!(Location::QueryString.to_string(), "query_string");
}

#[test]
fn another_identity_claim_is_followed() {
    let client = app("identity_claim = \"uid\"");
    let token = sign(&with(json!({"uid": "17", "sub": "ignored"})));
    let read = ask(&client, "/", &token);
    assert_eq!((&read["identity"], &read["number"]), (&json!("17"), &json!(17)));
    let own = jwt(&client).access_token("18").encode().unwrap();
    assert_eq!(ask(&client, "/", &own)["identity"], "18");
    let missing = json!({"msg": "Missing claim: uid", "code": "token_invalid"});
    assert_eq!(ask(&client, "/", &access()), missing);
}
