//! `Require`, and guards of the application's own around those of the crate.

use crate::support::common::*;
use crate::support::users::{Admin, Member, NotBob, Profile};
use crate::support::*;
use rocket::http::Status;
use rocket::local::blocking::Client;
use rocket::request::{FromRequest, Outcome};
use rocket::{Ignite, Request, Rocket, Sentinel};
use rocket_jwt_extended::{
    AccessToken, CurrentUser, Fresh, Jwt, NoClaims, Optional, Rejection, Require,
};
use serde_json::{Value, json};

type Admins = Require<Admin, AccessToken<Profile>>;

#[get("/")]
fn admin(token: Admins) -> String {
    token.claims.role.clone()
}
#[get("/fresh")]
fn fresh(token: Fresh<Admins>) -> String {
    token.claims.role.clone()
}
#[get("/member")]
fn member(user: Require<Admin, CurrentUser<Member>>) -> String {
    user.0.role.clone()
}
#[get("/optional")]
fn optional(token: Optional<Admins>) -> String {
    token.token().map_or("nobody", |token| token.claims.role.as_str()).into()
}
#[get("/two")]
fn two(
    token: AccessToken<Profile>,
    _not_bob: Require<NotBob, AccessToken>,
    _admin: Admins,
) -> String {
    token.identity().into()
}

/// An application's own guard, made of one of the crate's.
struct Owner(u64);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Owner {
    type Error = Option<Rejection>;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        match request.guard::<AccessToken>().await {
            Outcome::Success(token) => match token.parse_identity() {
                Ok(id) => Outcome::Success(Owner(id)),
                Err(_) => Outcome::Error((Status::Forbidden, None)),
            },
            Outcome::Error((status, rejection)) => Outcome::Error((status, Some(rejection))),
            Outcome::Forward(status) => Outcome::Forward(status),
        }
    }
}

impl Sentinel for Owner {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        AccessToken::<NoClaims>::abort(rocket)
    }
}

#[get("/owner")]
fn owner(owner: Owner) -> String {
    owner.0.to_string()
}

fn app() -> Client {
    clocked(FLASK, routes![admin, fresh, member, optional, two, owner]).0
}

fn ask(client: &Client, uri: &'static str, claims: Value) -> (u16, String) {
    said(client.get(uri).header(Bearer(&sign(&with(claims)))).dispatch())
}

#[test]
fn who_has_the_permission_is_let_in_and_who_has_not_is_403() {
    let client = app();
    let refused = (403, "Insufficient scope".to_string());
    for uri in ["/", "/member", "/optional"] {
        assert_eq!(ask(&client, uri, json!({"role": "admin"})), let_in("admin"), "{uri}");
        assert_eq!(ask(&client, uri, json!({"role": "cook"})), refused, "{uri}");
        assert_eq!(ask(&client, uri, json!({"role": "Admin"})), refused, "{uri}");
    }
    let response = client.get("/").header(Bearer(&sign(&with(json!({"role": "cook"}))))).dispatch();
    let challenge = "Bearer error=\"insufficient_scope\"";
    assert_eq!(response.headers().get_one("WWW-Authenticate"), Some(challenge));
    assert_eq!(said(client.get("/optional").dispatch()), let_in("nobody"));
}

#[test]
fn every_other_check_comes_before_the_permission() {
    let client = app();
    let cook = |changes: Value| {
        let mut claims = with(changes);
        claims["role"] = "cook".into();
        claims
    };
    assert_eq!(ask(&client, "/", cook(json!({"exp": START}))), (401, "Token has expired".into()));
    assert_eq!(ask(&client, "/fresh", cook(json!({}))), (401, "Fresh token required".into()));
    let form = (422, "Claims are not of the expected form".to_string());
    assert_eq!(ask(&client, "/", json!({})), form);
    assert_eq!(ask(&client, "/", json!({"role": 5})), form);
    let refused = (403, "Insufficient scope".to_string());
    assert_eq!(ask(&client, "/fresh", cook(json!({"fresh": true}))), refused);
}

#[test]
fn several_permissions_must_all_hold() {
    let client = app();
    let refused = (403, "Insufficient scope".to_string());
    for (name, role, expected) in [
        ("ada", "admin", let_in("ada")),
        ("ada", "cook", refused.clone()),
        ("bob", "admin", refused.clone()),
        ("bob", "cook", refused),
    ] {
        let claims = json!({"sub": name, "role": role});
        assert_eq!(ask(&client, "/two", claims), expected, "{name} {role}");
    }
}

#[test]
fn a_guard_of_the_applications_own_is_built_on_the_crates() {
    let client = app();
    assert_eq!(ask(&client, "/owner", json!({"sub": "17"})), let_in("17"));
    assert_eq!(ask(&client, "/owner", json!({"sub": "ada"})).0, 403);
    assert_eq!(ask(&client, "/owner", json!({"sub": "17", "exp": START})).0, 401);
    let missing = (401, "Missing Authorization Header".to_string());
    assert_eq!(said(client.get("/owner").dispatch()), missing);
}

#[test]
fn the_application_words_its_own_refusal() {
    let fairing = Jwt::fairing().clock(clock_at_start()).on_rejection(|rejection, _| {
        let text = match rejection.code() {
            "insufficient_scope" => "Admins only!".to_string(),
            _ => rejection.to_string(),
        };
        (rejection.status(), json!({"msg": text}))
    });
    let client = client("", fairing, routes![admin]);
    assert_eq!(ask(&client, "/", json!({"role": "admin"})), let_in("admin"));
    let response = client.get("/").header(Bearer(&sign(&with(json!({"role": "cook"}))))).dispatch();
    assert_eq!(answer(response), (Status::Forbidden, json!({"msg": "Admins only!"})));
}
