//! Where a token is not renewed: refusals, logouts, tokens that came another way.

use rocket::http::{CookieJar, Status};
use rocket::local::blocking::Client;
use rocket_jwt_extended::{
    AccessToken, AnyToken, Error, Fresh, IgnoreRevocation, Jwt, NoClaims, RefreshToken, Rejection,
    TokenPair,
};
use serde_json::json;

use super::implicit_refresh::COOKIES;
use crate::support::ask::*;
use crate::support::*;

#[get("/me")]
fn me(token: AccessToken) -> String {
    token.identity().into()
}

#[get("/fresh")]
fn fresh(_token: AccessToken, token: Fresh) -> String {
    token.identity().into()
}

#[get("/handled")]
fn handled(_token: AccessToken, fresh: Result<Fresh, Rejection>) -> String {
    fresh.is_ok().to_string()
}

#[get("/refresh-only")]
fn refresh_only(token: RefreshToken) -> String {
    token.identity().into()
}

#[get("/any")]
fn any(token: AnyToken) -> String {
    token.identity().into()
}

#[get("/unasked")]
fn unasked(token: IgnoreRevocation<AccessToken>) -> String {
    token.identity().into()
}

#[post("/logout")]
fn logout(jwt: &Jwt, jar: &CookieJar<'_>, _token: AccessToken) {
    jwt.cookies(jar).unset();
}

#[post("/logout/access")]
fn logout_access(jwt: &Jwt, jar: &CookieJar<'_>, _token: AccessToken) {
    jwt.cookies(jar).unset_access();
}

#[post("/revoke")]
async fn revoke(jwt: &Jwt, token: AccessToken) -> Result<(), Error> {
    jwt.revoke(&token).await
}

#[post("/revoke/session")]
async fn revoke_session(jwt: &Jwt, token: AccessToken) -> Result<(), Error> {
    jwt.revoke_session(&token).await
}

#[post("/revoke/all")]
async fn revoke_all(jwt: &Jwt, token: AccessToken) -> Result<(), Error> {
    jwt.revoke_all(token.identity()).await
}

#[post("/switch")]
fn switch(jwt: &Jwt, jar: &CookieJar<'_>, _token: AccessToken) -> Result<(), Error> {
    let other = jwt.access_token("alan").encode()?;
    jwt.cookies(jar).set_access(&other)
}

#[get("/open")]
fn open() -> &'static str {
    "open"
}

#[get("/broken")]
fn broken(_token: AccessToken) -> Status {
    Status::InternalServerError
}

fn site(toml: &str) -> (Client, ManualClock) {
    let routes = routes![
        me,
        fresh,
        handled,
        refresh_only,
        any,
        unasked,
        logout,
        logout_access,
        revoke,
        revoke_session,
        revoke_all,
        switch,
        open,
        broken
    ];
    clocked(&format!("{COOKIES}{toml}"), routes)
}

/// A site a minute before the end of a pair's access token.
fn near_the_end(toml: &str) -> (Client, TokenPair) {
    let (client, clock) = site(toml);
    let pair = jwt(&client).token_pair("ada").issue().unwrap();
    clock.set(unix(START + 840));
    (client, pair)
}

#[test]
fn a_refusal_renews_nothing_even_if_another_guard_let_the_token_in() {
    let (client, pair) = near_the_end("");
    let token = pair.access_token();
    assert_eq!(names_set(&by_cookie(client.get("/me"), token).dispatch()).len(), 2);
    for (path, status) in [("/fresh", 401), ("/handled", 200), ("/refresh-only", 401)] {
        let response = by_cookie(client.get(path), token).dispatch();
        assert_eq!(response.status().code, status, "{path}");
        assert_eq!(names_set(&response).len(), 0, "{path}");
    }
    // Without its CSRF value, too.
    let request = client.post("/revoke").cookie(("access_token_cookie", token.to_string()));
    let response = request.dispatch();
    assert_eq!(names_set(&response).len(), 0);
    assert_eq!(code(response), (401, "csrf_missing".into()));
}

#[test]
fn a_logout_is_not_undone_by_its_own_answer() {
    for path in ["/logout", "/logout/access"] {
        let (client, pair) = near_the_end("");
        let response = by_cookie(client.post(path), pair.access_token()).dispatch();
        assert_eq!(response.status().code, 200);
        let (value, attributes) = set_cookie(&response, "access_token_cookie");
        assert_eq!(value, "");
        assert!(attributes.contains(&"Max-Age=0".to_string()), "{attributes:?}");
        assert_eq!(set_cookie(&response, "csrf_access_token").0, "");
    }
}

#[test]
fn a_token_revoked_on_the_way_is_not_renewed() {
    for path in ["/revoke", "/revoke/session", "/revoke/all"] {
        let (client, pair) = near_the_end("");
        let response = by_cookie(client.post(path), pair.access_token()).dispatch();
        assert_eq!(response.status().code, 200, "{path}");
        assert_eq!(names_set(&response).len(), 0, "{path}");
    }
}

#[test]
fn a_revoked_token_that_a_guard_lets_in_all_the_same_is_not_renewed() {
    let (client, pair) = near_the_end("");
    let jwt = jwt(&client);
    let token = jwt.decode::<NoClaims>(pair.access_token()).unwrap();
    rocket::execute(jwt.revoke_session(&token)).unwrap();
    let response = by_cookie(client.get("/unasked"), pair.access_token()).dispatch();
    assert_eq!(response.status().code, 200);
    assert_eq!(names_set(&response).len(), 0);
}

#[test]
fn an_answer_that_sets_these_cookies_itself_is_left_alone() {
    let (client, pair) = near_the_end("");
    let response = by_cookie(client.post("/switch"), pair.access_token()).dispatch();
    let (token, _) = set_cookie(&response, "access_token_cookie");
    assert_eq!(payload(&token)["sub"], "alan");
}

#[test]
fn a_token_that_came_another_way_is_not_renewed() {
    let (client, pair) = near_the_end("");
    let response = get(&client, "/me", pair.access_token());
    assert_eq!((response.status().code, names_set(&response).len()), (200, 0));
    // Both: the header decides where it comes first.
    let (client, pair) = near_the_end("");
    let request =
        client.get("/open").cookie(("access_token_cookie", pair.access_token().to_string()));
    let response = request.dispatch();
    assert_eq!((response.status().code, names_set(&response).len()), (200, 0));
}

#[test]
fn a_refresh_token_is_not_renewed() {
    // Its cookie's token is near its end as well.
    let (client, clock) = site("");
    let token = jwt(&client).refresh_token("ada").encode().unwrap();
    clock.set(unix(START + 30 * 86_400 - 60));
    for path in ["/refresh-only", "/any"] {
        let request = client.get(path).cookie(("refresh_token_cookie", token.clone()));
        let response = request.dispatch();
        assert_eq!((response.status().code, names_set(&response).len()), (200, 0), "{path}");
    }
}

#[test]
fn a_token_without_end_is_not_renewed() {
    let (client, _) = site("access_token_expires = false");
    let token = jwt(&client).access_token("ada").encode().unwrap();
    assert_eq!(payload(&token).get("exp"), None);
    let response = by_cookie(client.get("/me"), &token).dispatch();
    assert_eq!((response.status().code, names_set(&response).len()), (200, 0));
}

#[test]
fn without_the_setting_nothing_is_renewed() {
    let (client, clock) = clocked("token_location = \"cookies\"", routes![me]);
    let token = jwt(&client).access_token("ada").encode().unwrap();
    clock.set(unix(START + 899));
    let response = by_cookie(client.get("/me"), &token).dispatch();
    assert_eq!((response.status().code, names_set(&response).len()), (200, 0));
}

#[test]
fn a_route_that_failed_for_another_reason_does_not_cost_the_session() {
    let (client, pair) = near_the_end("");
    let response = by_cookie(client.get("/broken"), pair.access_token()).dispatch();
    assert_eq!(response.status().code, 500);
    assert_eq!(names_set(&response).len(), 2);
}

#[test]
fn a_token_that_can_not_be_made_is_no_reason_to_fail() {
    // The hook is wrong about a claim; nothing else of the answer is.
    let clock = clock_at_start();
    let fairing = Jwt::fairing().clock(clock.clone()).additional_claims(|_| {
        rocket_jwt_extended::Claims::from_iter([("exp".to_string(), json!(1))])
    });
    let client = client(COOKIES, fairing, routes![me]);
    let token = sign(&claims());
    clock.set(unix(START + 840));
    let response = by_cookie(client.get("/me"), &token).dispatch();
    assert_eq!((response.status().code, names_set(&response).len()), (200, 0));
    assert_eq!(response.into_string().unwrap(), "ada");
}
