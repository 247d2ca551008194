//! The manager: how it comes to an application, and what it is to several.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::support::app::{launch, said};
use crate::support::log_capture::{install, logged};
use crate::support::*;
use rocket::fairing::AdHoc;
use rocket::http::Status;
use rocket::local::blocking::Client;
use rocket::response::content::RawHtml;
use rocket::{Build, Request, Rocket};
use rocket_jwt_extended::{
    AccessToken, Claims, Cookies, CurrentUser, Error, Headers, In, JsonBody, Jwt, LoadUser,
    Locations, NoClaims, Optional, QueryString, Rejection, Token,
};
use serde_json::json;

#[get("/me")]
fn me(token: AccessToken<Claims>) -> String {
    format!("{} {}", token.identity(), token.claims["from"])
}

fn labelled(label: &'static str) -> rocket_jwt_extended::JwtFairing {
    Jwt::fairing()
        .clock(clock_at_start())
        .additional_claims(move |_| Claims::from_iter([("from".to_string(), label.into())]))
}

fn issue(client: &Client) -> String {
    jwt(client).access_token("ada").encode().unwrap()
}

#[test]
fn the_fairing_is_attached_in_a_factory_as_well_as_at_launch() {
    install();
    fn factory(toml: &str) -> Rocket<Build> {
        rocket::custom(figment(toml)).attach(labelled("factory")).mount("/", routes![me])
    }
    // In a stage, as applications of several parts do, and after the routes.
    let stage = AdHoc::on_ignite("auth", |rocket| async { rocket.attach(labelled("stage")) });
    let staged = rocket::custom(figment("")).mount("/", routes![me]).attach(stage);
    for (rocket, label) in
        [(factory(""), "factory"), (factory("encode_nbf = false"), "factory"), (staged, "stage")]
    {
        let client = Client::untracked(rocket).unwrap();
        let response = client.get("/me").header(Bearer(&issue(&client))).dispatch();
        assert_eq!(said(response), format!("ada \"{label}\""));
    }
}

#[test]
fn one_fairing_serves_several_applications_each_by_its_own_configuration() {
    install();
    let shared = Arc::new(labelled("shared"));
    let client = |toml: &str| {
        let rocket = rocket::custom(raw_figment(&format!("[default.jwt]\n{toml}")));
        Client::untracked(rocket.attach(shared.clone()).mount("/", routes![me])).unwrap()
    };
    let reversed: String = secret().chars().rev().collect();
    let one = client(&format!("secret_key = \"{}\"\naccess_token_expires = 60", secret()));
    let other = client(&format!("secret_key = \"{reversed}\""));
    for (own, lifetime, foreign) in [(&one, 60, &other), (&other, 900, &one)] {
        let token = issue(own);
        assert_eq!(payload(&token)["exp"], START + lifetime);
        // The hooks are the fairing's, the keys the application's.
        assert_eq!(payload(&token)["from"], "shared");
        let get = |client: &Client| said(client.get("/me").header(Bearer(&token)).dispatch());
        assert_eq!(get(own), "ada \"shared\"");
        assert_eq!(get(foreign), "401 Signature verification failed");
    }
}

#[test]
fn a_second_manager_in_one_application_fails_the_launch() {
    install();
    let rocket = rocket::custom(figment("")).attach(labelled("one")).attach(labelled("two"));
    let (client, log) = logged(|| Client::untracked(rocket));
    let error = client.expect_err("it does not launch");
    assert!(matches!(error.kind(), rocket::error::ErrorKind::FailedFairings(_)), "{error:?}");
    assert!(log.contains("`Jwt::fairing()` is attached twice: remove one"), "{log}");
}

#[test]
fn a_guard_without_the_fairing_fails_the_launch_and_is_named() {
    install();
    fn refusal(routes: Vec<rocket::Route>) -> String {
        let rocket = rocket::custom(figment("")).mount("/", routes);
        let (client, log) = logged(|| Client::untracked(rocket));
        let error = client.expect_err("it does not launch");
        assert!(matches!(error.kind(), rocket::error::ErrorKind::SentinelAborts(_)), "{error:?}");
        log
    }
    #[get("/manager")]
    fn manager(jwt: &Jwt) -> String {
        format!("{jwt:?}")
    }
    for (routes, guard) in
        [(routes![me], "AccessToken<"), (routes![manager], "Jwt"), (routes![page], "CurrentUser<")]
    {
        let log = refusal(routes);
        let line = log.lines().find(|line| line.contains("without attaching `Jwt::fairing()`"));
        let line = line.unwrap_or_else(|| panic!("{log}"));
        assert!(line.contains(guard), "{line}");
        assert!(log.contains("Attach it with `rocket::build().attach(Jwt::fairing())`."), "{log}");
    }
}

#[derive(Debug, Clone)]
struct User(String);

#[rocket::async_trait]
impl LoadUser for User {
    type Claims = NoClaims;
    type Error = Infallible;

    async fn load(token: &Token<NoClaims>, _: &Request<'_>) -> Result<Option<Self>, Infallible> {
        Ok(Some(Self(token.identity().to_uppercase())))
    }
}

#[get("/page")]
fn page(user: Optional<CurrentUser<User>>) -> RawHtml<String> {
    let name = user.as_ref().map_or("anonymous", |user| user.0.as_str());
    RawHtml(format!("<p>{name}</p>"))
}

#[test]
fn the_user_comes_into_a_page_through_the_route_that_makes_its_context() {
    install();
    let (client, _) = clocked("", routes![page]);
    let anonymous = client.get("/page").dispatch();
    assert_eq!(anonymous.into_string().as_deref(), Some("<p>anonymous</p>"));
    let known = client.get("/page").header(Bearer(&sign(&claims()))).dispatch();
    assert_eq!(known.into_string().as_deref(), Some("<p>ADA</p>"));
}

#[get("/peek?<token>")]
fn peek(jwt: &Jwt, token: &str) -> Result<String, Rejection> {
    Ok(jwt.decode::<NoClaims>(token)?.identity().into())
}

#[get("/status?<token>")]
fn status(jwt: &Jwt, token: &str) -> Result<String, Status> {
    Ok(jwt.decode::<NoClaims>(token)?.identity().into())
}

#[get("/own?<token>")]
fn own(jwt: &Jwt, token: &str) -> Result<String, Error> {
    Ok(jwt.decode::<NoClaims>(token)?.identity().into())
}

#[test]
fn a_refusal_outside_any_guard_is_answered_as_one_inside() {
    install();
    let (client, clock) = clocked("invalid_token_status = 422", routes![peek, status]);
    let token = sign(&claims());
    let ask = |route: &str, token: &str| {
        let response = client.get(format!("/{route}?token={token}")).dispatch();
        let challenge = response.headers().get_one("WWW-Authenticate").map(ToString::to_string);
        (answer(response), challenge)
    };
    assert_eq!(ask("peek", &token).0.0, Status::Ok);
    let invalid = Some("Bearer error=\"invalid_token\"".to_string());
    let ((code, body), challenge) = ask("peek", "nonsense");
    assert_eq!(code, Status::UnprocessableEntity);
    assert_eq!(body, json!({"msg": "Not enough segments", "code": "token_invalid"}));
    assert_eq!(challenge, invalid);
    clock.set(unix(START + 900));
    let ((code, body), challenge) = ask("peek", &token);
    assert_eq!(code, Status::Unauthorized);
    assert_eq!(body, json!({"msg": "Token has expired", "code": "token_expired"}));
    assert_eq!(challenge, invalid);
    // Where only the status is passed on, the status is right all the same.
    assert_eq!(ask("status", &token).0.0, Status::Unauthorized);
    assert_eq!(ask("status", "nonsense").0.0, Status::UnprocessableEntity);
}

#[test]
fn a_refused_token_is_the_clients_fault_where_it_is_handed_on_as_an_error_too() {
    install();
    let (client, _) = clocked("", routes![own]);
    let response = client.get("/own?token=nonsense").dispatch();
    assert_eq!(
        response.headers().get_one("WWW-Authenticate"),
        Some("Bearer error=\"invalid_token\"")
    );
    let refused = json!({"msg": "Not enough segments", "code": "token_invalid"});
    assert_eq!(answer(response), (Status::Unauthorized, refused));
}

fn roles(identity: &str) -> Claims {
    Claims::from_iter([("role".to_string(), identity.to_uppercase().into())])
}

#[test]
fn a_function_given_as_a_hook_can_be_called_as_before() {
    install();
    let client = client("", Jwt::fairing().additional_claims(roles), vec![]);
    assert_eq!(payload(&issue(&client))["role"], roles("ada")["role"]);
}

#[test]
fn hooks_are_fixed_at_launch_and_the_last_one_given_counts() {
    install();
    let of = |label: &'static str| {
        move |_: &str| Claims::from_iter([("from".to_string(), label.into())])
    };
    let fairing = Jwt::fairing().additional_claims(of("first")).additional_claims(of("last"));
    // `attach` takes the fairing, so that nothing is left to hang a hook on afterwards.
    let client = client("", fairing, vec![]);
    assert_eq!(payload(&issue(&client))["from"], "last");
}

/// Whether a type is one that `In` takes, told at compile time.
struct Probe<T>(PhantomData<T>);

trait Otherwise {
    const IS_PLACE: bool = false;
}

impl<T> Otherwise for Probe<T> {}

impl<T: Locations> Probe<T> {
    const IS_PLACE: bool = true;
}

#[test]
fn a_route_can_only_name_places_there_are_and_at_least_one() {
    struct Banana;
    let places = [
        Probe::<Headers>::IS_PLACE,
        Probe::<Cookies>::IS_PLACE,
        Probe::<QueryString>::IS_PLACE,
        Probe::<JsonBody>::IS_PLACE,
        Probe::<(Cookies, Headers)>::IS_PLACE,
        Probe::<(Cookies, Headers, QueryString, JsonBody)>::IS_PLACE,
    ];
    assert_eq!(places, [true; 6]);
    let others = [
        Probe::<Banana>::IS_PLACE,
        Probe::<(Headers, Banana)>::IS_PLACE,
        Probe::<()>::IS_PLACE,
        Probe::<[Headers; 0]>::IS_PLACE,
        Probe::<&str>::IS_PLACE,
    ];
    assert_eq!(others, [false; 5]);
}

#[options("/me")]
fn options(token: AccessToken) -> String {
    token.identity().into()
}

#[test]
fn no_method_is_exempt_from_a_guard() {
    install();
    let (client, _) = clocked("", routes![options]);
    assert_eq!(said(client.options("/me").dispatch()), "401 Missing Authorization Header");
    let bad = client.options("/me").header(Bearer("nonsense")).dispatch();
    assert_eq!(said(bad), "401 Not enough segments");
    let good = client.options("/me").header(Bearer(&sign(&claims()))).dispatch();
    assert_eq!(said(good), "ada");
}

#[get("/cookie")]
fn by_cookie(token: In<Cookies>) -> String {
    token.identity().into()
}

#[test]
fn the_places_of_a_route_replace_the_configured_ones() {
    install();
    let (client, _) = clocked("token_location = \"headers\"", routes![by_cookie]);
    let token = sign(&claims());
    let by_header = client.get("/cookie").header(Bearer(&token)).dispatch();
    assert_eq!(said(by_header), "401 Missing cookie \"access_token_cookie\"");
    let by_cookie = client.get("/cookie").cookie(("access_token_cookie", token)).dispatch();
    assert_eq!(said(by_cookie), "ada");
    assert!(launch(figment("token_location = []")).is_err());
}
