//! Guards nest in any order, and mean the same in any.

// It is the nesting that is tested.
#![allow(clippy::type_complexity)]

use crate::support::common::*;
use crate::support::users::{NotBob, User};
use crate::support::*;
use rocket::Route;
use rocket::local::blocking::Client;
use rocket_jwt_extended::{
    AcceptedTypes, AccessToken, AnyToken, Claims, Cookies, CurrentUser, Fresh, Headers,
    IgnoreRevocation, In, Location, NoClaims, Optional, QueryString, RefreshToken, Require,
    TokenGuard,
};
use serde_json::{Value, json};

/// All five changes to an access token's policy, in six of their orders.
fn everything() -> Vec<Route> {
    vec![
        at::<Fresh<In<Cookies, IgnoreRevocation<Require<NotBob, CurrentUser<User>>>>>>("/0"),
        at::<In<Cookies, Fresh<Require<NotBob, IgnoreRevocation<CurrentUser<User>>>>>>("/1"),
        at::<CurrentUser<User, Require<NotBob, In<Cookies, Fresh<IgnoreRevocation<AccessToken>>>>>>(
            "/2",
        ),
        at::<Require<NotBob, Fresh<CurrentUser<User, IgnoreRevocation<In<Cookies>>>>>>("/3"),
        at::<IgnoreRevocation<CurrentUser<User, In<Cookies, Fresh<Require<NotBob, AccessToken>>>>>>(
            "/4",
        ),
        at::<In<Cookies, Require<NotBob, CurrentUser<User, Fresh<IgnoreRevocation<AccessToken>>>>>>(
            "/5",
        ),
    ]
}

fn app() -> Client {
    clocked(FLASK, everything()).0
}

/// The one answer of all six.
fn ask(client: &Client, token: &str) -> (u16, String) {
    let answers: Vec<_> = (0..6)
        .map(|n| said(client.get(format!("/{n}")).cookie(in_cookie(token)).dispatch()))
        .collect();
    assert!(answers.iter().all(|answer| answer == &answers[0]), "{answers:?}");
    answers[0].clone()
}

fn fresh(changes: Value) -> String {
    let mut claims = with(changes);
    claims["fresh"] = true.into();
    sign(&claims)
}

#[test]
fn in_every_order_all_wrappers_hold() {
    let client = app();
    assert_eq!(ask(&client, &fresh(json!({}))), let_in("ada"));
    assert_eq!(ask(&client, &access()), (401, "Fresh token required".into()));
    assert_eq!(ask(&client, &fresh(json!({"sub": "bob"}))), (403, "Insufficient scope".into()));
    assert_eq!(ask(&client, &fresh(json!({"sub": "eve"}))), (401, "Error loading the user".into()));
    assert_eq!(ask(&client, &fresh(json!({"exp": START}))), (401, "Token has expired".into()));
    let wrong = (422, "Only non-refresh tokens are allowed".to_string());
    assert_eq!(ask(&client, &fresh(json!({"type": "refresh"}))), wrong);
    let revoked = fresh(json!({}));
    let token = jwt(&client).decode::<NoClaims>(&revoked).unwrap();
    wait(jwt(&client).revoke(&token)).unwrap();
    assert_eq!(ask(&client, &revoked), let_in("ada"), "revocation is ignored");
    for n in 0..6 {
        let response = client.get(format!("/{n}")).header(Bearer(&fresh(json!({})))).dispatch();
        assert_eq!(said(response), (401, "Missing cookie \"access_token_cookie\"".into()));
    }
}

#[test]
fn a_policy_is_the_inner_one_with_one_change() {
    fn policy<G: TokenGuard>() -> (AcceptedTypes, bool, bool, Option<&'static [Location]>) {
        let policy = G::POLICY;
        (policy.kind(), policy.needs_fresh(), policy.asks_blocklist(), policy.locations())
    }
    use Location::{Cookies as C, Headers as H, QueryString as Q};
    assert_eq!(policy::<AccessToken>(), (AcceptedTypes::Access, false, true, None));
    assert_eq!(policy::<RefreshToken>(), (AcceptedTypes::Refresh, false, true, None));
    assert_eq!(policy::<AnyToken>(), (AcceptedTypes::Any, false, true, None));
    assert_eq!(policy::<Fresh<AnyToken>>(), (AcceptedTypes::Any, true, true, None));
    assert_eq!(policy::<Fresh<Fresh>>(), (AcceptedTypes::Access, true, true, None));
    assert_eq!(
        policy::<IgnoreRevocation<RefreshToken>>(),
        (AcceptedTypes::Refresh, false, false, None)
    );
    assert_eq!(policy::<Require<NotBob, Fresh>>(), policy::<Fresh>());
    assert_eq!(policy::<CurrentUser<User, Fresh>>(), policy::<Fresh>());
    let places = policy::<In<(Cookies, Headers), Fresh>>();
    assert_eq!(places, (AcceptedTypes::Access, true, true, Some(&[C, H][..])));
    // Of two places named, the outer one counts.
    assert_eq!(policy::<In<QueryString, Fresh<In<Headers>>>>().3, Some(&[Q][..]));
}

#[get("/deref")]
fn deref(token: Fresh<In<(Headers, Cookies), IgnoreRevocation<AccessToken<Claims>>>>) -> String {
    // Methods and claims of the token are reached through any nesting.
    let sub = token.claims["sub"].clone();
    let by_trait = token.token().identity().to_string();
    let inner = token.into_inner().into_inner().into_inner().into_inner();
    format!("{sub} {by_trait} {}", inner.identity())
}

#[get("/optional")]
fn optional(user: Optional<Fresh<CurrentUser<User>>>) -> String {
    let by_token = user.token().map(|token| token.identity().to_string());
    let user = user.into_inner().map(|user| user.into_inner().into_inner());
    format!("{by_token:?} {user:?}")
}

#[get("/require")]
fn require(user: Require<NotBob, CurrentUser<User>>) -> String {
    // The user, and through it the token.
    format!("{} {} {}", user.name, user.guard.identity(), user.token().identity())
}

#[test]
fn what_is_inside_is_reached_through_any_nesting() {
    let (client, _) = clocked(FLASK, routes![deref, optional, require]);
    let ask =
        |uri: &'static str| said(client.get(uri).header(Bearer(&fresh(json!({})))).dispatch());
    assert_eq!(ask("/deref"), let_in("\"ada\" ada ada"));
    assert_eq!(ask("/optional"), let_in("Some(\"ada\") Some(User { name: \"ada\" })"));
    assert_eq!(ask("/require"), let_in("ada ada ada"));
    assert_eq!(said(client.get("/optional").dispatch()), let_in("None None"));
}

#[test]
fn without_a_request_a_nested_guard_checks_the_same() {
    let (client, _) = clocked(FLASK, vec![]);
    let jwt = jwt(&client);
    type Guard = Fresh<Require<NotBob, IgnoreRevocation<AccessToken<NoClaims>>>>;
    let verify = |token: &str| {
        let result = wait(jwt.verify::<Guard>(token));
        result.map(|token| token.identity().to_string()).map_err(|r| r.code())
    };
    assert_eq!(verify(&fresh(json!({}))), Ok("ada".into()));
    assert_eq!(verify(&access()), Err("fresh_token_required"));
    assert_eq!(verify(&fresh(json!({"sub": "bob"}))), Err("insufficient_scope"));
    assert_eq!(verify(&fresh(json!({"type": "refresh"}))), Err("wrong_token_type"));
    assert_eq!(verify(&fresh(json!({"exp": START}))), Err("token_expired"));
    assert_eq!(verify(""), Err("token_invalid"));
}
