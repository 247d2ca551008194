//! Pairs: two tokens of one login, and the answer that hands them out.

use crate::support::*;
use rocket::http::Status;
use rocket::serde::json::serde_json::json;
use rocket_jwt_extended::{
    AccessToken, AllowExpired, AnyToken, Duration, Error, IgnoreRevocation, Jwt, NoClaims,
    TokenPair,
};

#[post("/login")]
fn login(jwt: &Jwt) -> Result<TokenPair, Error> {
    jwt.token_pair("ada").fresh().issue()
}

#[post("/endless")]
fn endless(jwt: &Jwt) -> Result<TokenPair, Error> {
    jwt.token_pair("ada").never_expires().issue()
}

#[post("/nobody")]
fn nobody(jwt: &Jwt) -> Result<TokenPair, Error> {
    jwt.token_pair("").issue()
}

#[test]
fn a_pair_is_answered_as_oauth_has_it_and_no_cache_keeps_it() {
    let (client, _) = clocked("access_token_expires = 300", routes![login]);
    let response = client.post("/login").dispatch();
    let header = |name| response.headers().get(name).map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(header("Content-Type"), ["application/json"]);
    assert_eq!(header("Cache-Control"), ["no-store"]);
    assert_eq!(header("Pragma"), ["no-cache"]);
    let (status, body) = answer(response);
    assert_eq!(status, Status::Ok);
    assert_eq!(body.as_object().unwrap().len(), 4);
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(300)));
    for (name, kind) in [("access_token", "access"), ("refresh_token", "refresh")] {
        let token = body[name].as_str().unwrap();
        let read = jwt(&client).decode::<NoClaims>(token).unwrap();
        assert_eq!((read.identity(), read.token_type().to_string().as_str()), ("ada", kind));
    }
}

#[test]
fn a_pair_without_end_has_no_expires_in() {
    let lines = "access_token_expires = false\nrefresh_token_expires = false";
    let (client, _) = clocked(lines, routes![endless]);
    let (_, body) = answer(client.post("/endless").dispatch());
    let keys: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["access_token", "refresh_token", "token_type"]);
}

#[test]
fn a_pair_that_cannot_be_made_tells_the_client_nothing() {
    let (client, _) = clocked("", routes![nobody]);
    let response = client.post("/nobody").dispatch();
    assert_eq!(response.status(), Status::InternalServerError);
    assert!(!response.into_string().unwrap().contains("identity"));
}

#[test]
fn what_the_builder_asks_for_concerns_the_access_token_or_both_as_is_written() {
    let (client, _) = clocked("", routes![]);
    let later = rocket::time::OffsetDateTime::from_unix_timestamp(START + 5).unwrap();
    let pair = jwt(&client)
        .token_pair("ada")
        .fresh()
        .expires_in(Duration::minutes(1))
        .refresh_expires_in(Duration::minutes(2))
        .token_id("first")
        .claims(&json!({"role": "admin"}))
        .audience("api")
        .issuer("me")
        .not_before(later)
        .header("kid", "k")
        .issue()
        .unwrap();
    let [access, refresh] = [pair.access_token(), pair.refresh_token()].map(payload);
    assert_eq!((&access["fresh"], &refresh["fresh"]), (&json!(true), &json!(false)));
    assert_eq!((&access["exp"], &refresh["exp"]), (&json!(START + 60), &json!(START + 120)));
    assert_eq!(access["jti"], "first");
    assert_ne!(refresh["jti"], "first");
    for claims in [access, refresh] {
        assert_eq!([&claims["role"], &claims["aud"], &claims["iss"]], ["admin", "api", "me"]);
        assert_eq!((&claims["nbf"], &claims["iat"]), (&json!(START + 5), &json!(START)));
    }
    for token in [pair.access_token(), pair.refresh_token()] {
        assert_eq!(part(token, 0)["kid"], "k");
    }
}

#[test]
fn a_token_made_alone_has_no_session_unless_it_joins_one() {
    let (client, _) = clocked("", routes![]);
    let jwt = jwt(&client);
    assert!(payload(&jwt.access_token("ada").encode().unwrap())["sid"].is_null());
    let pair = jwt.token_pair("ada").issue().unwrap();
    let verify = |token: &str| rocket::execute(jwt.verify::<AnyToken>(token)).unwrap();
    let refresh = verify(pair.refresh_token());
    let joined = payload(&jwt.access_token("ada").session(&refresh).encode().unwrap());
    assert_eq!(joined["sid"].as_str(), refresh.session_id());
    assert!(refresh.session_id().is_some());
    // A token without `sid` has a session derived from its `jti`.
    let [alone, other] = [(); 2].map(|()| verify(&jwt.access_token("ada").encode().unwrap()));
    let joined = |token| {
        let joined = jwt.access_token("ada").session(token).encode().unwrap();
        (payload(&joined)["sid"].as_str().unwrap().to_string(), joined)
    };
    let [(sid, first), (same, second), (another, third)] = [&alone, &alone, &other].map(joined);
    assert!(sid == same && sid != another);
    rocket::execute(jwt.revoke_session(&alone)).unwrap();
    for (token, is_live) in [(first, false), (second, false), (third, true)] {
        let result = rocket::execute(jwt.verify::<AccessToken>(&token));
        assert_eq!(result.is_ok(), is_live);
    }
    // Its end would leave the store before this token expires.
    let long = jwt.access_token("ada").expires_in(Duration::days(40)).encode().unwrap();
    let refused = jwt.access_token("ada").session(&verify(&long)).encode();
    assert!(matches!(refused, Err(Error::Session(_))));
}

#[test]
fn only_an_access_token_joins_a_session_and_only_that_of_a_live_token() {
    let (client, clock) = clocked("", routes![]);
    let jwt = jwt(&client);
    let pair = jwt.token_pair("ada").issue().unwrap();
    let verified = rocket::execute(jwt.verify::<AccessToken>(pair.access_token())).unwrap();
    let is_refused = |result: Result<String, Error>| match result {
        Err(Error::Session(_)) => (),
        other => panic!("{:?}", other.map(|_| "a token")),
    };
    is_refused(jwt.refresh_token("ada").session(&verified).encode());
    let issued = jwt.token_pair("ada").session(&verified).issue();
    is_refused(issued.map(|pair| pair.access_token().into()));

    let decoded = jwt.decode::<NoClaims>(pair.access_token()).unwrap();
    let unasked = rocket::execute(jwt.verify::<IgnoreRevocation<AccessToken>>(pair.access_token()));
    for token in [decoded, unasked.unwrap()] {
        is_refused(jwt.access_token("ada").session(&token).encode());
        is_refused(jwt.access_token("ada").session(&token.clone()).encode());
    }
    assert!(jwt.access_token("ada").session(&verified.clone()).encode().is_ok());

    clock.advance(Duration::minutes(15));
    is_refused(jwt.access_token("ada").session(&verified).encode());
    let expired = jwt.verify::<AllowExpired<AccessToken>>(pair.access_token());
    let expired = rocket::execute(expired).unwrap();
    is_refused(jwt.access_token("ada").session(&expired).encode());
}

#[test]
fn a_pair_tells_the_csrf_value_of_its_access_token_and_its_session() {
    let (client, _) = clocked("", vec![]);
    let pair = jwt(&client).token_pair("ada").issue().unwrap();
    let [access, refresh] = [pair.access_token(), pair.refresh_token()].map(payload);
    assert_eq!(pair.csrf(), access["csrf"].as_str());
    assert_ne!(pair.csrf(), refresh["csrf"].as_str());
    assert!(pair.session_id().is_some());
    assert_eq!([pair.session_id(); 2], [access["sid"].as_str(), refresh["sid"].as_str()]);

    let (client, _) = clocked("cookie_csrf_protect = false", vec![]);
    assert_eq!(jwt(&client).token_pair("ada").issue().unwrap().csrf(), None);
}
