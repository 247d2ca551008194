//! However many guards a request meets, a token is verified once and the blocklist asked once.

use crate::support::common::*;
use crate::support::count::Count;
use crate::support::store_stub::StoreStub;
use crate::support::users::User;
use crate::support::*;
use std::sync::Arc;

use rocket::http::ContentType;
use rocket::local::blocking::{Client, LocalRequest};
use rocket::serde::json::Json;
use rocket_jwt_extended::{
    AccessToken, AnyToken, Claims, Cookies, CurrentUser, Fresh, Headers, IgnoreRevocation, In, Jwt,
    Optional, OrForward, RefreshToken, Rejection, WithBody,
};
use serde_json::json;

#[get("/many")]
#[allow(clippy::too_many_arguments)]
fn many(
    one: AccessToken,
    _two: AccessToken<Claims>,
    _three: Fresh,
    _four: Optional<Fresh<CurrentUser<User>>>,
    _five: AnyToken,
    _six: IgnoreRevocation<AccessToken>,
    _seven: OrForward<AccessToken>,
    _eight: In<Headers>,
    _nine: Result<RefreshToken, Rejection>,
) -> String {
    one.identity().into()
}

#[post("/body", data = "<body>")]
fn body(
    token: AccessToken,
    user: CurrentUser<User>,
    body: WithBody<Fresh, Json<Claims>>,
) -> String {
    format!("{} {} {}", token.identity(), user.name, body.body.len())
}

#[get("/first", rank = 1)]
fn first(token: OrForward<In<Cookies>>) -> String {
    format!("first {}", token.identity())
}

#[get("/first", rank = 2)]
fn second(token: AccessToken) -> String {
    format!("second {}", token.identity())
}

#[get("/two")]
fn two(header: In<Headers>, cookie: In<Cookies>, any: In<(Headers, Cookies)>) -> String {
    format!("{} {} {}", header.identity(), cookie.identity(), any.identity())
}

#[get("/results")]
fn results(
    one: Result<AccessToken, Rejection>,
    two: Result<Fresh, Rejection>,
    three: Result<IgnoreRevocation<AccessToken>, Rejection>,
    four: Result<CurrentUser<User>, Rejection>,
) -> String {
    let all = [one.err(), two.err(), three.err(), four.err()];
    let codes: Vec<_> = all.iter().map(|r| r.as_ref().map_or("-", |r| r.code())).collect();
    codes.join(" ")
}

#[get("/unasked")]
fn unasked(token: IgnoreRevocation<AccessToken>) -> String {
    token.identity().into()
}

struct App {
    client: Client,
    verified: Count,
    store: Arc<StoreStub>,
    accepted: Count,
}

impl App {
    fn new() -> Self {
        let (verified, store, accepted) =
            (Count::default(), Arc::<StoreStub>::default(), Count::default());
        let (v, a) = (verified.clone(), accepted.clone());
        let fairing = Jwt::fairing()
            .clock(clock_at_start())
            .blocklist(store.clone())
            .verifying_key(move |_, _| {
                v.up();
                None
            })
            .verify_claims(move |_| {
                a.up();
                true
            });
        let routes = routes![many, body, first, second, two, results, unasked];
        let toml = "token_location = [\"headers\", \"cookies\"]";
        Self { client: client(toml, fairing, routes), verified, store, accepted }
    }

    /// The answer, and how often a token was verified, the blocklist asked, the hook called.
    fn ask(&self, request: LocalRequest<'_>) -> (String, [usize; 3]) {
        let (_, text) = said(request.dispatch());
        (text, [self.verified.take(), self.store.take_lookups(), self.accepted.take()])
    }
}

fn fresh() -> String {
    sign(&with(json!({"fresh": true})))
}

#[test]
fn nine_guards_are_one_verification_and_one_question() {
    let app = App::new();
    let request = app.client.get("/many").header(Bearer(&fresh()));
    assert_eq!(app.ask(request), ("ada".into(), [1, 1, 1]));
    // Nothing is remembered from one request to the next.
    let request = app.client.get("/many").header(Bearer(&fresh()));
    assert_eq!(app.ask(request), ("ada".into(), [1, 1, 1]));
}

#[test]
fn a_data_guard_shares_with_the_request_guards() {
    let app = App::new();
    let request = app.client.post("/body").header(Bearer(&fresh())).header(ContentType::JSON);
    assert_eq!(app.ask(request.body(r#"{"a": 1}"#)), ("ada ada 1".into(), [1, 1, 1]));
}

#[test]
fn a_route_that_is_forwarded_to_shares_with_the_one_before() {
    let app = App::new();
    let request = app.client.get("/first").header(Bearer(&fresh()));
    assert_eq!(app.ask(request), ("second ada".into(), [1, 1, 1]));
    let request = app.client.get("/first").cookie(in_cookie(&fresh()));
    assert_eq!(app.ask(request), ("first ada".into(), [1, 1, 1]));
}

#[test]
fn a_head_request_is_answered_by_the_get_route_with_one_verification() {
    let app = App::new();
    let request = app.client.head("/many").header(Bearer(&fresh()));
    assert_eq!(app.ask(request), ("".into(), [1, 1, 1]));
    let response = app.client.head("/many").dispatch();
    assert_eq!(response.status().code, 401);
    assert_eq!(response.headers().get_one("WWW-Authenticate"), Some("Bearer"));
}

#[test]
fn two_tokens_are_two_verifications() {
    let app = App::new();
    let bob = sign(&with(json!({"sub": "bob"})));
    let request = app.client.get("/two").header(Bearer(&fresh())).cookie(in_cookie(&bob));
    assert_eq!(app.ask(request), ("ada bob ada".into(), [2, 2, 2]));
    let same = fresh();
    let request = app.client.get("/two").header(Bearer(&same)).cookie(in_cookie(&same));
    assert_eq!(app.ask(request), ("ada ada ada".into(), [1, 1, 1]));
}

#[test]
fn a_refusal_is_found_once_as_well_and_each_guard_has_its_own() {
    let app = App::new();
    let ask = |token: &str| app.ask(app.client.get("/results").header(Bearer(token)));
    let stale = sign(&claims());
    assert_eq!(ask(&stale), ("- fresh_token_required - -".into(), [1, 1, 1]));
    let expired = sign(&with(json!({"exp": START})));
    assert_eq!(ask(&expired), (["token_expired"; 4].join(" "), [1, 0, 0]));
    let forged = format!("{}A", access());
    assert_eq!(ask(&forged).1, [1, 0, 0]);
    let unknown = sign(&with(json!({"sub": "eve"})));
    let text = "- fresh_token_required - user_not_found";
    assert_eq!(ask(&unknown), (text.into(), [1, 1, 1]));

    let revoked = access();
    let token = jwt(&app.client).decode::<Claims>(&revoked).unwrap();
    wait(jwt(&app.client).revoke(&token)).unwrap();
    app.verified.take();
    let text = "token_revoked fresh_token_required - token_revoked";
    assert_eq!(ask(&revoked), (text.into(), [1, 1, 1]));
}

#[test]
fn the_blocklist_is_not_asked_where_revocation_is_ignored_or_nothing_was_sent() {
    let app = App::new();
    let request = app.client.get("/unasked").header(Bearer(&fresh()));
    assert_eq!(app.ask(request), ("ada".into(), [1, 0, 1]));
    assert_eq!(app.ask(app.client.get("/unasked")).1, [0, 0, 0]);
    let wrong_type = app.client.get("/unasked").header(Bearer(&refresh()));
    assert_eq!(app.ask(wrong_type).1, [1, 0, 0]);
}
