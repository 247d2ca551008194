//! The claims that every token has.

use std::collections::BTreeSet;

use crate::support::*;
use rocket_jwt_extended::{Duration, Error, NoClaims, TokenType};
use serde_json::Value;
use uuid::{Uuid, Version};

fn names(claims: &Value) -> String {
    claims
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn a_token_has_the_claims_of_its_type_and_no_others() {
    let (client, _) = clocked("", routes![]);
    let jwt = jwt(&client);
    for (token, kind) in [
        (jwt.access_token("ada").encode().unwrap(), "access"),
        (jwt.refresh_token("ada").encode().unwrap(), "refresh"),
    ] {
        let claims = payload(&token);
        assert_eq!(names(&claims), "csrf exp fresh iat jti nbf sub type");
        assert_eq!(claims["sub"], "ada");
        assert_eq!(claims["type"], kind);
        assert_eq!(claims["fresh"], false);
        assert_eq!([&claims["iat"], &claims["nbf"]], [START, START]);
    }
}

#[test]
fn a_pair_also_has_a_session() {
    let (client, _) = clocked("", routes![]);
    let pair = jwt(&client).token_pair("ada").issue().unwrap();
    let [access, refresh] = [pair.access_token(), pair.refresh_token()].map(payload);
    for claims in [&access, &refresh] {
        assert_eq!(names(claims), "csrf exp fresh iat jti nbf sid sub type");
    }
    assert_eq!(access["sid"], refresh["sid"]);
    assert_eq!((&access["type"], &refresh["type"]), (&"access".into(), &"refresh".into()));
    assert_ne!(access["jti"], refresh["jti"]);
    assert_ne!(access["csrf"], refresh["csrf"]);
    let next = jwt(&client).token_pair("ada").issue().unwrap();
    assert_ne!(payload(next.access_token())["sid"], access["sid"]);
}

#[test]
fn ids_are_of_the_kind_that_tells_the_millisecond_and_csrf_values_of_the_random_kind() {
    let (client, clock) = clocked("", routes![]);
    clock.advance(Duration::milliseconds(123));
    let pair = jwt(&client).token_pair("ada").issue().unwrap();
    let claims = payload(pair.access_token());
    for name in ["jti", "sid"] {
        let id: Uuid = claims[name].as_str().unwrap().parse().unwrap();
        assert_eq!(id.get_version(), Some(Version::SortRand), "{name}");
        let (seconds, nanos) = id.get_timestamp().unwrap().to_unix();
        assert_eq!((seconds, nanos), (START as u64, 123_000_000), "{name}");
    }
    let csrf: Uuid = claims["csrf"].as_str().unwrap().parse().unwrap();
    assert_eq!(csrf.get_version(), Some(Version::Random));
    // The times that others read are whole seconds.
    assert_eq!([&claims["iat"], &claims["nbf"]], [START, START]);
    assert_eq!(claims["exp"], START + 900);
}

#[test]
fn no_two_tokens_share_an_id_or_a_csrf_value() {
    let (client, _) = clocked("", routes![]);
    let mut seen = BTreeSet::new();
    for _ in 0..500 {
        let claims = payload(&jwt(&client).access_token("ada").encode().unwrap());
        for name in ["jti", "csrf"] {
            assert!(seen.insert(claims[name].to_string()), "{name} comes again");
        }
    }
}

#[test]
fn what_is_issued_is_what_is_read() {
    let (client, _) =
        clocked("encode_issuer = \"me\"\nencode_audience = [\"a\", \"b\"]", routes![]);
    let jwt = jwt(&client);
    let pair = jwt.token_pair("ada").fresh().issue().unwrap();
    let token = jwt.decode::<NoClaims>(pair.access_token()).unwrap();
    let claims = payload(pair.access_token());
    assert_eq!(token.identity(), "ada");
    assert_eq!(token.jti(), claims["jti"].as_str());
    assert_eq!(token.session_id(), claims["sid"].as_str());
    assert_eq!(token.csrf(), claims["csrf"].as_str());
    assert_eq!(
        (token.token_type(), token.token_type().to_string()),
        (TokenType::Access, "access".into())
    );
    assert!(token.is_fresh());
    let seconds = |time: Option<rocket::time::OffsetDateTime>| time.map(|t| t.unix_timestamp());
    assert_eq!(seconds(token.issued_at()), Some(START));
    assert_eq!(seconds(token.not_before()), Some(START));
    assert_eq!(seconds(token.expires_at()), Some(START + 900));
    assert_eq!(token.issuer(), Some("me"));
    assert_eq!(token.audience(), ["a", "b"]);
    assert_eq!(token.location(), None);
    assert_eq!(token.encoded(), pair.access_token());
    let refresh = jwt.decode::<NoClaims>(pair.refresh_token()).unwrap();
    assert_eq!(refresh.token_type(), TokenType::Refresh);
    assert!(!refresh.is_fresh());
}

#[test]
fn settings_leave_claims_out_or_put_them_elsewhere() {
    for (lines, expected) in [
        ("cookie_csrf_protect = false", "exp fresh iat jti nbf sub type"),
        ("encode_nbf = false", "csrf exp fresh iat jti sub type"),
        ("access_token_expires = false", "csrf fresh iat jti nbf sub type"),
        ("identity_claim = \"user\"", "csrf exp fresh iat jti nbf type user"),
        ("encode_issuer = \"me\"", "csrf exp fresh iat iss jti nbf sub type"),
        ("encode_audience = \"me\"", "aud csrf exp fresh iat jti nbf sub type"),
    ] {
        let (client, _) = clocked(lines, routes![]);
        let claims = payload(&jwt(&client).access_token("ada").encode().unwrap());
        assert_eq!(names(&claims), expected, "{lines}");
    }
}

#[test]
fn an_empty_id_is_an_error() {
    let (client, _) = clocked("", routes![]);
    let jwt = jwt(&client);
    for error in [
        jwt.access_token("ada").token_id("").encode().unwrap_err(),
        jwt.refresh_token("ada").token_id(String::new()).encode().unwrap_err(),
        jwt.token_pair("ada").token_id("").issue().unwrap_err(),
    ] {
        assert!(matches!(error, Error::EmptyTokenId), "{error:?}");
        assert_eq!(error.to_string(), "the `jti` is empty");
    }
}

#[test]
fn the_builder_has_the_last_word_on_audience_issuer_id_and_first_moment() {
    let (client, clock) = clocked("encode_issuer = \"me\"\nencode_audience = \"api\"", routes![]);
    let jwt = jwt(&client);
    let later = rocket::time::OffsetDateTime::from_unix_timestamp(START + 60).unwrap();
    let token = jwt
        .access_token("ada")
        .audience(["shop", "bank"])
        .issuer("you")
        .token_id("the-first")
        .not_before(later + Duration::milliseconds(999))
        .encode()
        .unwrap();
    let claims = payload(&token);
    assert_eq!(claims["aud"], serde_json::json!(["shop", "bank"]));
    assert_eq!(claims["iss"], "you");
    assert_eq!(claims["jti"], "the-first");
    assert_eq!(claims["nbf"], START + 60);
    let refusal = jwt.decode::<NoClaims>(&token).unwrap_err();
    assert_eq!(refusal.to_string(), "The token is not yet valid (nbf)");
    clock.set(unix(START + 60));
    assert_eq!(jwt.decode::<NoClaims>(&token).unwrap().jti(), Some("the-first"));
    // One audience is written as a string, however it was given.
    for token in [
        jwt.access_token("ada").audience("one").encode(),
        jwt.access_token("ada").audience(vec!["one"]).encode(),
        jwt.access_token("ada").audience(vec!["one".to_string()]).encode(),
    ] {
        assert_eq!(payload(&token.unwrap())["aud"], "one");
    }
}
