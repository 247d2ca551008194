//! The header of a token.

use crate::support::*;
use rocket_jwt_extended::{Claims, Error, Jwt, NoClaims};
use serde_json::{Value, json};

fn object(value: Value) -> Claims {
    match value {
        Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}

#[test]
fn a_header_has_the_algorithm_and_the_type() {
    let (client, _) = clocked("", routes![]);
    for token in [
        jwt(&client).access_token("ada").encode().unwrap(),
        jwt(&client).refresh_token("ada").encode().unwrap(),
    ] {
        assert_eq!(part(&token, 0), json!({"alg": "HS256", "typ": "JWT"}));
    }
}

#[test]
fn headers_of_the_hook_give_way_to_the_builders() {
    let fairing = Jwt::fairing().additional_headers(|identity| {
        object(json!({"kid": identity, "own": "hook", "another": [1]}))
    });
    let client = client("", fairing, routes![]);
    let jwt = jwt(&client);
    let token =
        jwt.access_token("ada").header("own", "builder").header("more", 5).encode().unwrap();
    let expected = json!({
        "alg": "HS256", "typ": "JWT", "kid": "ada", "own": "builder", "another": [1], "more": 5,
    });
    assert_eq!(part(&token, 0), expected);
    let pair = jwt.token_pair("bob").header("own", "pair").issue().unwrap();
    for token in [pair.access_token(), pair.refresh_token()] {
        let header = part(token, 0);
        assert_eq!([&header["kid"], &header["own"]], ["bob", "pair"]);
    }
    let read = jwt.decode::<NoClaims>(&token).unwrap();
    assert_eq!(read.header().kid.as_deref(), Some("ada"));
    assert_eq!(read.header().typ.as_deref(), Some("JWT"));
}

#[test]
fn typ_and_kid_are_free_and_typ_can_be_left_out() {
    let (client, _) = clocked("", routes![]);
    let jwt = jwt(&client);
    let token =
        jwt.access_token("ada").header("typ", "at+jwt").header("kid", "k1").encode().unwrap();
    assert_eq!(part(&token, 0), json!({"alg": "HS256", "typ": "at+jwt", "kid": "k1"}));
    let token = jwt.access_token("ada").header("typ", ()).encode().unwrap();
    assert_eq!(part(&token, 0), json!({"alg": "HS256"}));
    assert_eq!(jwt.decode::<NoClaims>(&token).unwrap().header().typ, None);
    for name in ["typ", "kid", "cty"] {
        for value in [json!(5), json!(["x"]), json!({})] {
            let error = jwt.access_token("ada").header(name, value).encode().unwrap_err();
            assert_eq!(error.to_string(), format!("the header `{name}` must be a string"));
        }
    }
}

#[test]
fn a_header_that_could_lead_a_verifier_astray_is_an_error() {
    let (client, _) = clocked("", routes![]);
    let jwt = jwt(&client);
    for name in ["alg", "crit", "b64", "jwk", "jku", "x5c", "x5u", "zip", "enc"] {
        for value in [json!("HS512"), json!(null), json!([])] {
            let error = jwt.access_token("ada").header(name, &value).encode().unwrap_err();
            assert!(matches!(&error, Error::ReservedHeader(is) if is == name), "{error:?}");
            assert_eq!(error.to_string(), format!("the header name `{name}` is reserved"));
            assert!(jwt.token_pair("ada").header(name, &value).issue().is_err());
        }
    }
}

#[test]
fn a_hook_cannot_write_them_either() {
    for name in ["alg", "crit", "jku"] {
        let header = object(json!({ name: "none" }));
        let fairing = Jwt::fairing().additional_headers(move |_| header.clone());
        let client = client("", fairing, routes![]);
        let error = jwt(&client).access_token("ada").encode().unwrap_err();
        assert!(matches!(error, Error::ReservedHeader(is) if is == name));
    }
}
