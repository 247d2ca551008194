//! Loading the application's user.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rocket::Request;
use rocket::local::blocking::Client;
use rocket::serde::Serialize;
use rocket_jwt_extended::{
    AccessToken, Claims, CurrentUser, Fresh, Jwt, LoadUser, NoClaims, Optional, Permission,
    RefreshToken, Require, Token,
};
use serde_json::{Value, json};

use crate::support::ask::*;
use crate::support::*;

#[derive(Serialize)]
#[serde(crate = "rocket::serde")]
struct User {
    name: String,
}

/// How often a user was looked for.
#[derive(Default)]
struct Lookups(AtomicUsize);

#[rocket::async_trait]
impl LoadUser for User {
    type Claims = NoClaims;
    type Error = &'static str;

    async fn load(
        token: &Token<NoClaims>,
        request: &Request<'_>,
    ) -> Result<Option<Self>, &'static str> {
        request.rocket().state::<Arc<Lookups>>().unwrap().0.fetch_add(1, Ordering::SeqCst);
        // As a database would.
        rocket::tokio::task::yield_now().await;
        match token.identity() {
            "nobody" => Ok(None),
            "broken" => Err("the database is away"),
            name => Ok(Some(User { name: name.to_uppercase() })),
        }
    }
}

/// A user that takes no room: whatever the application calls a user is one.
struct Zero;

#[rocket::async_trait]
impl LoadUser for Zero {
    type Claims = Claims;
    type Error = std::convert::Infallible;

    async fn load(token: &Token<Claims>, _: &Request<'_>) -> Result<Option<Self>, Self::Error> {
        Ok(token.claims.contains_key("zero").then_some(Zero))
    }
}

struct Never;

impl Permission for Never {
    type Claims = NoClaims;

    fn permits(_: &Token<NoClaims>) -> bool {
        false
    }
}

#[get("/me")]
fn me(user: CurrentUser<User>) -> String {
    format!("{} by {}", user.name, user.guard.identity())
}

#[get("/zero")]
fn zero(_user: CurrentUser<Zero>) -> &'static str {
    "zero"
}

#[get("/refresh")]
fn refresh(user: CurrentUser<User, RefreshToken>) -> String {
    user.name.clone()
}

#[get("/fresh")]
fn fresh(user: Fresh<CurrentUser<User>>) -> String {
    user.name.clone()
}

#[get("/never")]
fn never(user: Require<Never, CurrentUser<User>>) -> String {
    user.name.clone()
}

/// What a template is given: the route's own, and the user.
#[get("/page")]
fn page(user: Optional<CurrentUser<User>>) -> Value {
    let user = user.as_ref().map(|user| &**user);
    json!({"title": "a page", "user": user})
}

fn site() -> (Client, Arc<Lookups>) {
    let lookups: Arc<Lookups> = Arc::default();
    let rocket = app("", Jwt::fairing(), routes![me, zero, refresh, fresh, never, page]);
    let client = Client::untracked(rocket.manage(lookups.clone())).unwrap();
    (client, lookups)
}

#[test]
fn a_user_is_loaded_by_its_token() {
    let (client, _) = site();
    let token = jwt(&client).access_token("ada").encode().unwrap();
    assert_eq!(get(&client, "/me", &token).into_string().unwrap(), "ADA by ada");
    let token = jwt(&client).refresh_token("ada").encode().unwrap();
    assert_eq!(get(&client, "/refresh", &token).into_string().unwrap(), "ADA");
}

#[test]
fn a_user_may_be_of_any_type_and_only_none_is_nobody() {
    let (client, _) = site();
    let builder = jwt(&client).access_token("ada").claims(&json!({"zero": false}));
    let token = builder.encode().unwrap();
    assert_eq!(get(&client, "/zero", &token).into_string().unwrap(), "zero");
    let token = jwt(&client).access_token("ada").encode().unwrap();
    assert_eq!(code(get(&client, "/zero", &token)), (401, "user_not_found".into()));
}

#[test]
fn who_is_not_there_is_refused_without_being_named() {
    let (client, _) = site();
    let token = jwt(&client).access_token("nobody").encode().unwrap();
    let (status, body) = answer(get(&client, "/me", &token));
    assert_eq!(status.code, 401);
    assert_eq!(body, json!({"msg": "Error loading the user", "code": "user_not_found"}));
    // Optional is for those who send no token.
    assert_eq!(code(get(&client, "/page", &token)), (401, "user_not_found".into()));
}

#[test]
fn a_user_store_out_of_reach_is_503_and_its_error_is_not_told() {
    let (client, _) = site();
    let token = jwt(&client).access_token("broken").encode().unwrap();
    for path in ["/me", "/page"] {
        let (status, body) = answer(get(&client, path, &token));
        assert_eq!(status.code, 503);
        let expected = json!({"msg": "Token store is unavailable", "code": "store_unavailable"});
        assert_eq!(body, expected);
    }
}

#[test]
fn no_user_is_looked_for_by_a_token_that_is_refused() {
    let (client, lookups) = site();
    let jwt = jwt(&client);
    let refresh = jwt.refresh_token("ada").encode().unwrap();
    let stale = jwt.access_token("ada").encode().unwrap();
    let revoked = jwt.access_token("ada").encode().unwrap();
    let token = jwt.decode::<NoClaims>(&revoked).unwrap();
    rocket::execute(jwt.revoke(&token)).unwrap();
    let requests = [("/me", ""), ("/page", ""), ("/me", "x"), ("/me", &refresh), ("/me", &revoked)];
    for (path, token) in requests.into_iter().chain([("/fresh", stale.as_str())]) {
        let status = get(&client, path, token).status().code;
        assert_eq!(status, if path == "/page" { 200 } else { 401 }, "{path} {token}");
    }
    assert_eq!(lookups.0.load(Ordering::SeqCst), 0);
}

#[test]
fn users_come_before_permissions() {
    let (client, lookups) = site();
    for (name, status) in [("ada", 403), ("nobody", 401)] {
        let token = jwt(&client).access_token(name).encode().unwrap();
        assert_eq!(get(&client, "/never", &token).status().code, status);
    }
    assert_eq!(lookups.0.load(Ordering::SeqCst), 2);
}

#[test]
fn a_user_goes_into_a_templates_context_and_none_for_guests() {
    let (client, _) = site();
    let token = jwt(&client).access_token("ada").encode().unwrap();
    let (_, body) = answer(get(&client, "/page", &token));
    assert_eq!(body, json!({"title": "a page", "user": {"name": "ADA"}}));
    let (_, body) = answer(get(&client, "/page", ""));
    assert_eq!(body, json!({"title": "a page", "user": null}));
}

#[test]
fn a_wrapped_token_is_still_at_hand() {
    #[get("/deep")]
    fn deep(user: Fresh<CurrentUser<User, Require<Always, AccessToken>>>) -> String {
        let user: CurrentUser<User, _> = user.into_inner();
        format!("{} {}", user.guard.token_type(), user.into_inner().name)
    }

    struct Always;

    impl Permission for Always {
        type Claims = NoClaims;

        fn permits(_: &Token<NoClaims>) -> bool {
            true
        }
    }

    let rocket = app("", Jwt::fairing(), routes![deep]).manage(Arc::new(Lookups::default()));
    let client = Client::untracked(rocket).unwrap();
    let token = jwt(&client).access_token("ada").fresh().encode().unwrap();
    assert_eq!(get(&client, "/deep", &token).into_string().unwrap(), "access ADA");
}
