//! Own claims of any form: the payload has what `serde_json` makes of them, whichever way it was
//! written.

use std::borrow::Cow;
use std::fmt;

use crate::support::*;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rocket::serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use rocket::serde::ser::{Serialize, SerializeMap, Serializer};
use rocket_jwt_extended::{Claims, Error, Identity, Jwt};
use serde_json::Value;

/// What can be serialized. An object may have a name twice.
#[derive(Debug, Clone)]
enum Any {
    Null,
    Bool(bool),
    U64(u64),
    I64(i64),
    U128(u128),
    F32(f32),
    F64(f64),
    Text(String),
    List(Vec<Any>),
    Object(Vec<(String, Any)>),
}

impl Serialize for Any {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => to.serialize_unit(),
            Self::Bool(value) => to.serialize_bool(*value),
            Self::U64(value) => to.serialize_u64(*value),
            Self::I64(value) => to.serialize_i64(*value),
            Self::U128(value) => to.serialize_u128(*value),
            Self::F32(value) => to.serialize_f32(*value),
            Self::F64(value) => to.serialize_f64(*value),
            Self::Text(text) => to.serialize_str(text),
            Self::List(items) => to.collect_seq(items),
            Self::Object(members) => {
                let mut map = to.serialize_map(None)?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-e]",
        2 => "[a-z_]{1,12}",
        1 => any::<String>(),
        1 => "[\"\\\\/\u{0}-\u{1f}\u{7f}\u{fc}\u{1f980}$]{0,3}",
        1 => prop::sample::select(vec![
            "sub", "exp", "type", "csrf", "us\"er", "Sub", "sub\0", "", "$", "$ref",
        ])
        .prop_map(String::from),
    ]
}

fn values() -> impl Strategy<Value = Any> {
    let one = prop_oneof![
        Just(Any::Null),
        any::<bool>().prop_map(Any::Bool),
        any::<u64>().prop_map(Any::U64),
        (0..2_000_000_000_u64).prop_map(Any::U64),
        any::<i64>().prop_map(Any::I64),
        (-9..9_i64).prop_map(Any::I64),
        Just(Any::U128(u128::MAX)),
        Just(Any::U128(7)),
        any::<f32>().prop_map(Any::F32),
        prop::num::f64::ANY.prop_map(Any::F64),
        "[a-z ]{0,9}".prop_map(Any::Text),
        any::<String>().prop_map(Any::Text),
        "[\"\\\\\u{0}-\u{1f}]{1,3}".prop_map(Any::Text),
    ];
    one.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Any::List),
            vec((names(), inner), 0..5).prop_map(Any::Object),
        ]
    })
}

fn objects() -> impl Strategy<Value = Any> {
    vec((names(), values()), 0..20).prop_map(Any::Object)
}

struct User {
    identity: String,
    claims: Claims,
}

impl Identity for User {
    fn identity(&self) -> Cow<'_, str> {
        self.identity.as_str().into()
    }

    fn claims(&self) -> Claims {
        self.claims.clone()
    }
}

/// An object's members, as often as they are written.
struct Written(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Written;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Written, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Written(members))
            }
        }
        from.deserialize_map(Members)
    }
}

const REGISTERED: [&str; 11] =
    ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "type", "fresh", "csrf", "sid"];

/// What the own claims of a token are to be, or the error.
fn expected(user: &User, given: &[Any], identity_claim: &str) -> Result<Claims, String> {
    let mut claims = Claims::new();
    for given in given {
        match serde_json::to_value(given) {
            Ok(Value::Object(object)) => claims.extend(object),
            Ok(other) => panic!("{other} is no object"),
            Err(error) => return Err(format!("Serialize(\"claims can't be written: {error}\")")),
        }
    }
    if user.identity.is_empty() {
        return Err("EmptyIdentity".into());
    }
    let mut own = Claims::new();
    for (name, value) in user.claims.iter().chain(&claims) {
        if REGISTERED.contains(&name.as_str()) || name == identity_claim {
            return Err(format!("{:?}", Error::ReservedClaim(name.clone())));
        }
        own.insert(name.clone(), value.clone());
    }
    // As it reads when it was written once.
    Ok(serde_json::from_str(&serde_json::to_string(&own).unwrap()).unwrap())
}

fn check(jwt: &Jwt, user: &User, given: &[Any], identity_claim: &str) {
    let builder = given.iter().fold(jwt.access_token(user), |builder, one| builder.claims(one));
    let expected = expected(user, given, identity_claim);
    let (token, mut expected) = match (builder.encode(), expected) {
        (Ok(token), Ok(expected)) => (token, expected),
        (Err(error), Err(expected)) => return assert_eq!(format!("{error:?}"), expected),
        (Err(Error::TooLong), Ok(_)) => return,
        (found, expected) => panic!("{found:?} where {expected:?} was expected"),
    };
    let json = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let Written(members) = serde_json::from_slice(&json).unwrap();
    for (name, value) in &members {
        let registered = REGISTERED.contains(&name.as_str()) || name == identity_claim;
        assert!(registered || expected.remove(name).as_ref() == Some(value), "{name}");
    }
    assert!(expected.is_empty(), "{expected:?} is missing");
    let mut all: Vec<_> = members.iter().map(|(name, _)| name).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), members.len(), "a name twice");
    let identity = members.iter().find(|(name, _)| name == identity_claim);
    assert_eq!(identity.unwrap().1, user.identity.as_str());
}

#[test]
fn a_payload_has_what_serde_json_makes_of_the_claims() {
    let (sub, _) = clocked("", routes![]);
    let (user, _) = clocked("identity_claim = \"us\\\"er\"", routes![]);
    let own = prop_oneof![
        3 => Just(Claims::new()),
        1 => objects().prop_map(|claims| match serde_json::to_value(claims) {
            Ok(Value::Object(claims)) => claims,
            _ => Claims::new(),
        }),
    ];
    let given = prop_oneof![3 => vec(objects(), 1..2), 1 => vec(objects(), 0..4)];
    let cases = ProptestConfig::with_cases(1500);
    let identity = prop_oneof![4 => any::<String>(), 1 => "[\"\\\\\u{0}-\u{1f}]{1,3}"];
    TestRunner::new(cases)
        .run(&(identity, own, given), |(identity, claims, given)| {
            let subject = User { identity, claims };
            check(jwt(&sub), &subject, &given, "sub");
            check(jwt(&user), &subject, &given, "us\"er");
            Ok(())
        })
        .unwrap();
}

#[test]
fn claims_that_are_deep_or_many_or_of_private_names_are_written_too() {
    let (client, _) = clocked("", routes![]);
    let ada = User { identity: "ada".into(), claims: Claims::new() };
    for levels in [1, 30, 31, 32, 33, 100] {
        let deep = (0..levels).fold(Any::U64(1), |deep, _| Any::List(vec![deep]));
        check(jwt(&client), &ada, &[Any::Object(vec![("deep".into(), deep)])], "sub");
    }
    for count in [15, 16, 17, 200] {
        let many = (0..count).map(|at| (format!("name{at}"), Any::I64(-at))).collect();
        check(jwt(&client), &ada, &[Any::Object(many)], "sub");
    }
    for name in ["$serde_json::private::Number", "$serde_json::private::RawValue"] {
        let private = Any::Object(vec![(name.into(), Any::Text("1".into()))]);
        check(jwt(&client), &ada, &[private], "sub");
    }
}
