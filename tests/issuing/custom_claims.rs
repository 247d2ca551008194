//! The application's own claims: how they add up, and which names they cannot have.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::support::*;
use rocket::serde::{Deserialize, Serialize};
use rocket::time::OffsetDateTime;
use rocket_jwt_extended::{Claims, Error, Identity, Jwt, NoClaims};
use serde_json::{Value, json};

fn object(value: Value) -> Claims {
    match value {
        Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}

struct User;

impl Identity for User {
    fn identity(&self) -> Cow<'_, str> {
        "ada".into()
    }

    fn claims(&self) -> Claims {
        object(json!({"b": "user", "c": "user", "d": "user"}))
    }
}

#[test]
fn claims_of_the_hook_give_way_to_those_of_the_user_and_those_to_the_builders() {
    let fairing = Jwt::fairing().clock(clock_at_start()).additional_claims(|identity| {
        object(json!({"a": identity, "b": "hook", "c": "hook", "d": "hook"}))
    });
    let client = client("", fairing, routes![]);
    let jwt = jwt(&client);
    let builder = jwt.access_token(User).claims(&json!({"c": "first", "d": "first"}));
    let token = builder.claims(&json!({"d": "last", "e": "last"})).encode().unwrap();
    let claims = payload(&token);
    let own: Vec<_> = ["a", "b", "c", "d", "e"].iter().map(|name| claims[name].clone()).collect();
    assert_eq!(own, ["ada", "user", "first", "last", "last"]);

    // Both tokens of a pair have them, and refresh tokens alone too.
    let pair = jwt.token_pair(User).claims(&json!({"d": "pair"})).issue().unwrap();
    let alone = jwt.refresh_token(User).claims(&json!({"d": "pair"})).encode().unwrap();
    for token in [pair.access_token(), pair.refresh_token(), &alone] {
        let claims = payload(token);
        assert_eq!([&claims["a"], &claims["b"], &claims["d"]], ["ada", "user", "pair"]);
    }
}

const REGISTERED: [&str; 11] =
    ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "type", "fresh", "csrf", "sid"];

#[test]
fn a_registered_name_is_an_error_and_never_an_override() {
    let (client, _) = clocked("", routes![]);
    let jwt = jwt(&client);
    for name in REGISTERED {
        for value in [json!("refresh"), json!(null), json!(4_000_000_000_u64), json!(true)] {
            let claims = json!({ name: value });
            let error = jwt.access_token("ada").claims(&claims).encode().unwrap_err();
            assert!(matches!(&error, Error::ReservedClaim(is) if is == name), "{error:?}");
            assert_eq!(error.to_string(), format!("the claim name `{name}` is reserved"));
            assert!(jwt.refresh_token("ada").claims(&claims).encode().is_err());
            assert!(jwt.token_pair("ada").claims(&claims).issue().is_err());
        }
    }
}

#[test]
fn the_identity_claim_is_registered_and_so_is_sub_beside_it() {
    let (client, _) = clocked("identity_claim = \"user\"", routes![]);
    for name in ["user", "sub"] {
        let error = jwt(&client).access_token("ada").claims(&json!({ name: "bob" })).encode();
        assert!(matches!(error.unwrap_err(), Error::ReservedClaim(is) if is == name));
    }
}

#[test]
fn a_registered_name_from_the_hook_or_the_user_is_an_error_too() {
    struct Admin;
    impl Identity for Admin {
        fn identity(&self) -> Cow<'_, str> {
            "ada".into()
        }
        fn claims(&self) -> Claims {
            object(json!({"type": "refresh"}))
        }
    }
    let (client, _) = clocked("", routes![]);
    let error = jwt(&client).access_token(Admin).encode().unwrap_err();
    assert!(matches!(error, Error::ReservedClaim(name) if name == "type"));
    let fairing = Jwt::fairing().additional_claims(|_| object(json!({"exp": null})));
    let client = crate::support::client("", fairing, routes![]);
    let error = jwt(&client).access_token("ada").encode().unwrap_err();
    assert!(matches!(error, Error::ReservedClaim(name) if name == "exp"));
}

#[test]
fn claims_are_written_as_serde_writes_them() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(crate = "rocket::serde")]
    struct Own {
        #[serde(rename = "from")]
        address: std::net::IpAddr,
        since: (i32, u8),
        tags: Vec<String>,
        note: Option<String>,
        rate: f64,
    }
    let own = Own {
        address: [127, 0, 0, 1].into(),
        since: (2022, 8),
        tags: vec!["a".into(), "b".into()],
        note: None,
        rate: 0.5,
    };
    let (client, _) = clocked("", routes![]);
    let token = jwt(&client).access_token("ada").claims(&own).encode().unwrap();
    let claims = payload(&token);
    assert_eq!(claims["from"], "127.0.0.1");
    assert_eq!(claims["since"], json!([2022, 8]));
    assert_eq!(claims["note"], json!(null));
    assert_eq!(jwt(&client).decode::<Own>(&token).unwrap().claims, own);
}

#[test]
fn what_cannot_be_written_is_an_error_when_the_token_is_made() {
    struct Failing;
    impl Serialize for Failing {
        fn serialize<S: rocket::serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(rocket::serde::ser::Error::custom("no way"))
        }
    }
    let (client, _) = clocked("", routes![]);
    let jwt = jwt(&client);
    let text = |error: Error| match error {
        Error::Serialize(text) => text,
        other => panic!("{other:?}"),
    };
    let failed = jwt.access_token("ada").claims(&Failing).encode().unwrap_err();
    assert_eq!(text(failed), "claims can't be written: no way");
    let keys = HashMap::from([((1, 2), 3)]);
    let failed = jwt.access_token("ada").claims(&keys).encode().unwrap_err();
    assert_eq!(text(failed), "claims can't be written: key must be a string");
    for no_object in [json!([1]), json!("text"), json!(1), json!(true)] {
        let failed = jwt.token_pair("ada").claims(&no_object).issue().unwrap_err();
        assert_eq!(text(failed), "claims are no object");
    }
    let failed = jwt.access_token("ada").header("own", Failing).encode().unwrap_err();
    assert_eq!(text(failed), "a header can't be written: no way");
    // A fault is not undone by what comes after it.
    let failed = jwt.access_token("ada").claims(&1).claims(&json!({"a": 1})).encode();
    assert_eq!(text(failed.unwrap_err()), "claims are no object");
}

#[test]
fn no_claims_at_all_are_no_claims() {
    let (client, _) = clocked("", routes![]);
    let token = jwt(&client).access_token("ada").claims(&()).claims(&json!({})).encode().unwrap();
    assert_eq!(payload(&token).as_object().unwrap().len(), 8);
}

#[test]
fn a_time_is_written_as_seconds_by_the_method_for_it() {
    let (client, _) = clocked("", routes![]);
    let moment = OffsetDateTime::from_unix_timestamp(START - 5).unwrap();
    let elsewhere = moment.to_offset(rocket::time::UtcOffset::from_hms(5, 30, 0).unwrap());
    for moment in [moment, elsewhere] {
        let token = jwt(&client).access_token("ada").not_before(moment).encode().unwrap();
        assert_eq!(payload(&token)["nbf"], START - 5);
        let read = jwt(&client).decode::<NoClaims>(&token).unwrap();
        assert_eq!(read.not_before(), Some(moment));
    }
}

#[test]
fn a_token_that_would_be_too_long_to_be_accepted_is_not_made() {
    let (client, _) = clocked("", routes![]);
    let jwt = jwt(&client);
    let of = |length: usize| json!({"note": "x".repeat(length)});
    // Base64 makes four bytes of three.
    let token = jwt.access_token("ada").claims(&of(11_900)).encode().unwrap();
    assert!(token.len() <= 16_384 && jwt.decode::<NoClaims>(&token).is_ok(), "{}", token.len());
    let error = jwt.access_token("ada").claims(&of(12_200)).encode().unwrap_err();
    assert!(matches!(error, Error::TooLong), "{error:?}");
    let error = jwt.access_token("ada").header("own", "x".repeat(3100)).encode().unwrap_err();
    assert!(matches!(error, Error::TooLong), "{error:?}");
}
