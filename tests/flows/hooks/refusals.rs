//! What a refused request is answered with: by default, and by an application's own hook.

use std::sync::{Arc, Mutex};

use rocket::http::{ContentType, Method, Status};
use rocket::local::blocking::Client;
use rocket_jwt_extended::{
    AccessToken, Claims, Error, Fresh, Jwt, JwtFairing, NoClaims, Reason, RefreshToken, Rejection,
};
use serde_json::{Value, json};

use crate::support::ask::*;
use crate::support::*;

#[get("/me")]
fn me(token: AccessToken) -> String {
    token.identity().into()
}

#[post("/me")]
fn change(token: AccessToken) -> String {
    token.identity().into()
}

#[get("/fresh")]
fn fresh(token: Fresh) -> String {
    token.identity().into()
}

#[get("/refresh")]
fn refresh(token: RefreshToken) -> String {
    token.identity().into()
}

#[get("/numbers")]
fn numbers(token: AccessToken<Vec<u8>>) -> String {
    token.identity().into()
}

/// A route that is no guard's: the refusal is its own answer.
#[post("/introspect", data = "<token>")]
fn introspect(jwt: &Jwt, token: &str) -> Result<String, Rejection> {
    Ok(jwt.decode::<NoClaims>(token)?.identity().into())
}

/// The same where other things can fail, too.
#[post("/forget", data = "<token>")]
async fn forget(jwt: &Jwt, token: &str) -> Result<(), Error> {
    let token = jwt.decode::<NoClaims>(token)?;
    jwt.revoke(&token).await
}

fn site(toml: &str, fairing: JwtFairing) -> (Client, ManualClock) {
    let clock = clock_at_start();
    let routes = routes![me, change, fresh, refresh, numbers, introspect, forget];
    let toml = format!("invalid_token_status = 422\n{toml}");
    (client(&toml, fairing.clock(clock.clone()), routes), clock)
}

/// One request for each kind of refusal: its path, its token, and what is answered.
fn refusals(client: &Client) -> Vec<(&'static str, String, u16, &'static str, &'static str)> {
    let jwt = jwt(client);
    let access = jwt.access_token("ada").encode().unwrap();
    let revoked = jwt.access_token("ada").encode().unwrap();
    let token = jwt.decode::<NoClaims>(&revoked).unwrap();
    rocket::execute(jwt.revoke(&token)).unwrap();
    let barred = jwt.access_token("barred").encode().unwrap();
    let expired = jwt.access_token("ada").expires_in(-rocket_jwt_extended::Duration::SECOND);
    let expired = expired.encode().unwrap();
    let cut = format!("{}.A", access.rsplit_once('.').unwrap().0);
    vec![
        ("/me", String::new(), 401, "token_missing", "Missing Authorization Header"),
        ("/me", cut, 422, "token_invalid", "Invalid crypto padding"),
        ("/me", "a.b".into(), 422, "token_invalid", "Not enough segments"),
        ("/numbers", access.clone(), 422, "token_invalid", "Claims are not of the expected form"),
        ("/refresh", access.clone(), 422, "wrong_token_type", "Only refresh tokens are allowed"),
        ("/me", expired, 401, "token_expired", "Token has expired"),
        ("/fresh", access, 401, "fresh_token_required", "Fresh token required"),
        ("/me", revoked, 401, "token_revoked", "Token has been revoked"),
        ("/me", barred, 400, "claims_rejected", "User claims verification failed"),
    ]
}

fn barring() -> JwtFairing {
    Jwt::fairing().verify_claims(|token| token.identity() != "barred")
}

#[test]
fn every_refusal_is_json_with_a_text_and_a_code() {
    let (client, _) = site("", barring());
    for (path, token, status, code, text) in refusals(&client) {
        let response = get(&client, path, &token);
        assert_eq!(response.status().code, status, "{code}");
        assert_eq!(response.content_type(), Some(ContentType::JSON), "{code}");
        let body: Value = response.into_json().unwrap();
        assert_eq!(body, json!({"msg": text, "code": code}));
    }
}

#[test]
fn the_texts_key_is_configured() {
    let (client, _) = site("error_message_key = \"error\"", Jwt::fairing());
    let (_, body) = answer(get(&client, "/me", ""));
    assert_eq!(body, json!({"error": "Missing Authorization Header", "code": "token_missing"}));
}

#[test]
fn a_challenge_goes_with_each_refusal_that_calls_for_one() {
    let (client, _) = site("", barring());
    for (path, token, _, code, _) in refusals(&client) {
        let response = get(&client, path, &token);
        let challenge: Vec<_> = response.headers().get("WWW-Authenticate").collect();
        let expected = match code {
            "token_missing" => vec!["Bearer"],
            "claims_rejected" => vec![],
            _ => vec!["Bearer error=\"invalid_token\""],
        };
        assert_eq!(challenge, expected, "{code}");
    }
    let token = jwt(&client).access_token("ada").encode().unwrap();
    assert!(!get(&client, "/me", &token).headers().contains("WWW-Authenticate"));
}

#[test]
fn on_rejection_replaces_every_refusal() {
    let seen: Arc<Mutex<Vec<Rejection>>> = Arc::default();
    let sink = seen.clone();
    let fairing = barring().on_rejection(move |rejection, request| {
        sink.lock().unwrap().push(rejection.clone());
        let body = json!({"why": rejection.code(), "where": request.uri().path().as_str()});
        (Status::ImATeapot, body.to_string())
    });
    let (client, _) = site("", fairing);
    for (path, token, status, code, text) in refusals(&client) {
        seen.lock().unwrap().clear();
        let (answered, body) = answer(get(&client, path, &token));
        assert_eq!(answered, Status::ImATeapot, "{code}");
        assert_eq!(body, json!({"why": code, "where": path}));

        let seen = seen.lock().unwrap();
        let [rejection] = &seen[..] else { panic!("{code}: called {} times", seen.len()) };
        assert_eq!((rejection.status().code, rejection.code()), (status, code));
        assert_eq!(rejection.to_string(), text);
    }
}

#[test]
fn a_refusal_knows_the_token_once_its_signature_held() {
    let (client, _) = site(
        "",
        barring().on_rejection(|rejection, _| {
            let token = rejection.token();
            let claims = token.map(|token| Value::Object(token.claims.clone()));
            let kind = token.map(|token| format!("{:?}", token.header().alg));
            json!({"claims": claims, "alg": kind}).to_string()
        }),
    );
    for (path, token, _, code, _) in refusals(&client) {
        let body: Value = get(&client, path, &token).into_json().unwrap();
        let known = match code {
            "token_missing" => false,
            "token_invalid" => path == "/numbers",
            _ => true,
        };
        let claims = if known { payload(&token) } else { Value::Null };
        assert_eq!(body["claims"], claims, "{code}");
        assert_eq!(body["alg"], if known { json!("HS256") } else { Value::Null });
    }
}

#[test]
fn a_refusal_has_its_cause_as_a_type() {
    let (client, _) = site("", Jwt::fairing());
    let jwt = jwt(&client);
    let cause = |token: &str| {
        let rejection = rocket::execute(jwt.verify::<AccessToken<Claims>>(token)).unwrap_err();
        rejection.reason().clone()
    };
    assert_eq!(cause("a.b"), Reason::Malformed("Not enough segments"));
    assert_eq!(cause(&sign(&without(&["sub"]))), Reason::MissingClaim("sub".into()));
    assert_eq!(cause(&sign(&with(json!({"exp": START})))), Reason::Expired);
    let forged = format!("{}.AAAA", sign(&claims()).rsplit_once('.').unwrap().0);
    assert_eq!(cause(&forged), Reason::BadSignature);
}

#[test]
fn a_route_that_answers_with_a_refusal_answers_as_guards_do() {
    let (plain, _) = site("", Jwt::fairing());
    let (hooked, _) = site(
        "",
        Jwt::fairing().on_rejection(|rejection, _| {
            (rejection.status(), format!("hooked: {}", rejection.code()))
        }),
    );
    for (client, body) in [
        (&plain, r#"{"msg":"Not enough segments","code":"token_invalid"}"#),
        (&hooked, "hooked: token_invalid"),
    ] {
        for path in ["/introspect", "/forget"] {
            let response = client.post(path).body("a.b").dispatch();
            assert_eq!(response.status().code, 422, "{path}");
            let challenge: Vec<_> = response.headers().get("WWW-Authenticate").collect();
            assert_eq!(challenge, ["Bearer error=\"invalid_token\""], "{path}");
            assert_eq!(response.into_string().unwrap(), body, "{path}");
        }
    }
}

#[test]
fn a_hook_may_answer_with_the_refusal_itself() {
    let (client, _) = site("", Jwt::fairing().on_rejection(|rejection, _| rejection.clone()));
    let body = json!({"msg": "Missing Authorization Header", "code": "token_missing"});
    assert_eq!(answer(get(&client, "/me", "")), (Status::Unauthorized, body));
    let response = client.post("/introspect").body("a.b").dispatch();
    assert_eq!(msg(response), (422, "Not enough segments".into()));
}

#[test]
fn a_refusal_by_csrf_comes_to_the_hook_as_well() {
    let fairing = Jwt::fairing().on_rejection(|rejection, _| {
        (rejection.status(), format!("{}: {rejection}", rejection.code()))
    });
    let (client, _) = site("token_location = \"cookies\"", fairing);
    let token = jwt(&client).access_token("ada").encode().unwrap();
    let request = client.req(Method::Post, "/me").cookie(("access_token_cookie", token));
    let body = Value::String("csrf_missing: Missing CSRF token".into());
    assert_eq!(answer(request.dispatch()), (Status::Unauthorized, body));
}
