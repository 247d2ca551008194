//! Every reason a request is refused for: status, code, text, challenge.

use crate::support::refused_requests::{bare, cases, claimed, fairing, routes};
use crate::support::*;
use rocket::http::ContentType;
use rocket::local::blocking::Client;
use rocket_jwt_extended::{AccessToken, Claims, Error, Jwt, Reason, Rejection, danger};
use serde_json::json;

use crate::support::common::*;

fn app(toml: &str) -> Client {
    Client::untracked(bare(toml, fairing()).mount("/", routes())).unwrap()
}

#[test]
fn every_refusal_is_answered_as_the_table_says() {
    for (toml, invalid, key, scheme) in [
        ("", 401, "msg", "Bearer"),
        (FLASK, 422, "msg", "Bearer"),
        ("invalid_token_status = 400\nerror_message_key = \"error\"", 400, "error", "Bearer"),
    ] {
        let client = app(toml);
        for case in cases() {
            let name = case.name;
            let response = case.send(&client, "").dispatch();
            assert_eq!(response.status().code, case.status.unwrap_or(invalid), "{name}");
            assert_eq!(response.content_type(), Some(ContentType::JSON), "{name}");
            let challenge: Vec<_> = response.headers().get("WWW-Authenticate").collect();
            let expected = case.challenge.map(|rest| format!("{scheme}{rest}"));
            assert_eq!(challenge, expected.iter().collect::<Vec<_>>(), "{name}");
            assert_eq!(answer(response).1, case.body(key), "{name}");
        }
    }
}

#[test]
fn a_good_token_is_let_in_by_the_same_application() {
    let client = app("");
    for (uri, changes) in [
        ("/access", json!({})),
        ("/refresh", json!({"type": "refresh"})),
        ("/fresh", json!({"fresh": true})),
        ("/user", json!({})),
        ("/admin", json!({"role": "admin"})),
    ] {
        let response = client.get(uri).header(Bearer(&sign(&claimed(changes)))).dispatch();
        assert_eq!(response.headers().get_one("WWW-Authenticate"), None, "{uri}");
        assert_eq!(said(response), let_in("ada"), "{uri}");
    }
}

#[test]
fn a_text_tells_which_check_failed_and_nothing_of_what_was_sent() {
    let client = app("");
    for name in ["exp", "iat", "nbf", "iss", "aud", "sub", "jti", "type", "sid", "role", "fresh"] {
        let telling = "a-telling-value";
        for value in [json!(telling), json!([telling]), json!({telling: 1})] {
            for uri in ["/access", "/profile", "/fresh", "/user", "/admin", "/refresh"] {
                let token = sign(&claimed(json!({name: value})));
                let response = client.get(uri).header(Bearer(&token)).dispatch();
                let (_, body) = answer(response);
                let let_in = body == "a-telling-value";
                assert!(let_in || !body.to_string().contains("telling"), "{uri} {name} {body}");
            }
        }
    }
    for header in [
        r#"{"alg":"a-telling-value"}"#,
        r#"{"alg":"HS256","kid":["a-telling-value"]}"#,
        r#"{"alg":"HS256","typ":["a-telling-value"]}"#,
        r#"{"alg":"HS256","a-telling-value":1,"a-telling-value":1}"#,
        r#"a-telling-value"#,
    ] {
        let token = sign_text(header, "{}");
        let (status, text) = said(client.get("/access").header(Bearer(&token)).dispatch());
        assert_eq!(status, 401);
        assert!(!text.contains("telling"), "{header} {text}");
    }
}

#[test]
fn the_refusal_of_a_head_request_has_status_and_challenge() {
    let client = app("");
    let response = client.head("/access").dispatch();
    assert_eq!(response.status().code, 401);
    assert_eq!(response.headers().get_one("WWW-Authenticate"), Some("Bearer"));
    assert_eq!(response.into_string().unwrap_or_default(), "");
}

#[test]
fn in_rust_a_refusal_is_exact_and_has_the_token_once_its_signature_held() {
    let (client, _) = clocked(FLASK, vec![]);
    let verify = |token: &str| wait(jwt(&client).verify::<AccessToken>(token)).unwrap_err();
    let expired = sign(&with(json!({"exp": START, "sub": "bob"})));
    let rejection = verify(&expired);
    assert_eq!(rejection.reason(), &Reason::Expired);
    assert_eq!((rejection.status().code, rejection.code()), (401, "token_expired"));
    assert_eq!(rejection.to_string(), "Token has expired");
    let token = rejection.token().unwrap();
    assert_eq!((token.identity(), token.claims["exp"].as_i64()), ("bob", Some(START)));
    assert_eq!(token.header().typ.as_deref(), Some("JWT"));

    let claim = verify(&sign(&with(json!({"iat": START + 1}))));
    assert_eq!(claim.reason(), &Reason::InvalidClaim("The token is not yet valid (iat)"));
    assert!(claim.token().is_some());
    let forged = verify(&format!("{}.{}", expired.rsplit_once('.').unwrap().0, "A".repeat(43)));
    assert_eq!(forged.reason(), &Reason::BadSignature);
    assert!(forged.token().is_none(), "nothing vouches for it");
    assert_eq!((forged.status().code, forged.code()), (422, "token_invalid"));
    for token in ["", "x", "a.b.c", &sign_text("{}", "{}"), &sign_text(r#"{"alg":"HS256"}"#, "x")] {
        assert!(verify(token).token().is_none(), "{token}");
    }

    // Equal is what failed in the same way for the same token.
    assert_eq!(verify(&expired), verify(&expired));
    assert_eq!(verify("x"), verify("y"));
    assert_ne!(verify(&expired), verify(&sign(&with(json!({"exp": START, "sub": "eve"})))));
    assert_ne!(verify("x"), verify("a.b.c"));
    assert_eq!(rejection.clone(), rejection);
}

#[get("/look/<token>")]
fn look(token: &str) -> Result<String, Rejection> {
    let claims: Claims = danger::unverified_claims(token)?;
    Ok(format!("{:?} {}", danger::unverified_header(token)?.alg, claims.len()))
}

#[get("/look/<token>/error")]
fn look_or_fail(token: &str) -> Result<String, Error> {
    Ok(format!("{:?}", danger::unverified_header(token)?.alg))
}

#[get("/decode/<token>")]
fn decode(jwt: &Jwt, token: &str) -> Result<String, Rejection> {
    Ok(jwt.decode::<Claims>(token)?.identity().into())
}

#[test]
fn a_route_answers_for_a_token_it_read_itself_with_the_configured_status() {
    for (toml, status) in [("", 401), (FLASK, 422), ("invalid_token_status = 400", 400)] {
        let hooked = Jwt::fairing().on_rejection(|rejection, _| (rejection.status(), "hooked"));
        for fairing in [Jwt::fairing(), hooked] {
            let client = client(toml, fairing, routes![look, look_or_fail, decode]);
            for uri in ["/look/nonsense", "/look/nonsense/error", "/decode/nonsense"] {
                let response = client.get(uri).dispatch();
                assert_eq!(response.status().code, status, "{uri}");
                let challenge = response.headers().get_one("WWW-Authenticate");
                assert_eq!(challenge, Some("Bearer error=\"invalid_token\""), "{uri}");
            }
        }
    }
    // Without a configuration, as in a test of a function.
    assert_eq!(danger::unverified_header("nonsense").unwrap_err().status().code, 401);
}
