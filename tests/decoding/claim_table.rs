//! Every registered claim × absent, null, every wrong type, huge, negative, fractional.

use crate::support::app::{App, GOOD, token_with};
use crate::support::*;
use serde_json::json;

/// What is no number.
const NO_NUMBER: [&str; 11] = [
    "null",
    "\"\"",
    "\"abc\"",
    "\"1800000900\"",
    "\"1800000900.5\"",
    "true",
    "false",
    "[]",
    "[1800000900]",
    "{}",
    "{\"n\":1800000900}",
];

/// Numbers that are no dates: negative, or so large that they are no seconds.
const NO_DATE: [&str; 12] = [
    "-1",
    "-0.5",
    "-1800000900",
    "253402300800",
    // Milliseconds, of 2027, and microseconds.
    "1800000900000",
    "1800000900000000",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "1e20",
    "1e308",
];

/// Asserts what `Jwt::decode()` and the access guard say to each value of a claim.
fn assert_table(app: &App, claim: &str, table: &[(Option<&str>, &str, &str)]) {
    for (value, decoded, guarded) in table {
        let token = token_with(claim, *value);
        assert_eq!(app.decode(&token), *decoded, "{claim}: {value:?}, decoded");
        assert_eq!(app.guard("access", &token), *guarded, "{claim}: {value:?}, guarded");
    }
}

fn assert_all_refused(app: &App, claim: &str, values: &[&str], text: &str) {
    let table: Vec<_> = values.iter().map(|value| (Some(*value), text, text)).collect();
    assert_table(app, claim, &table);
}

#[test]
fn exp_is_a_number_of_seconds() {
    let app = App::new("");
    let missing = "Missing claim: exp";
    let expired = "Token has expired";
    let text = "Expiration Time claim (exp) must be an integer.";
    assert_all_refused(&app, "exp", &NO_NUMBER, text);
    let text = "Expiration Time claim (exp) is out of range: seconds since 1970 are expected.";
    assert_all_refused(&app, "exp", &NO_DATE, text);
    assert_table(
        &app,
        "exp",
        &[
            (None, missing, missing),
            (Some("0"), expired, expired),
            (Some("-0"), expired, expired),
            (Some("1.5"), expired, expired),
            (Some("1799999999.999"), expired, expired),
            (Some("1800000000"), expired, expired),
            (Some("1800000000.0"), expired, expired),
            (Some("1800000000.001"), GOOD, GOOD),
            (Some("1800000000.4"), GOOD, GOOD),
            (Some("1800000001"), GOOD, GOOD),
            (Some("18000000009e-1"), GOOD, GOOD),
            (Some("253402300799"), GOOD, GOOD),
        ],
    );
}

#[test]
fn nbf_and_iat_are_numbers_of_seconds_and_may_be_absent() {
    let app = App::new("");
    for (claim, name) in [("nbf", "Not Before"), ("iat", "Issued At")] {
        let text = format!("{name} claim ({claim}) must be an integer.");
        assert_all_refused(&app, claim, &NO_NUMBER, &text);
        let seconds = "is out of range: seconds since 1970 are expected.";
        let text = format!("{name} claim ({claim}) {seconds}");
        assert_all_refused(&app, claim, &NO_DATE, &text);
        let early = &format!("The token is not yet valid ({claim})");
        assert_table(
            &app,
            claim,
            &[
                (None, GOOD, GOOD),
                (Some("0"), GOOD, GOOD),
                (Some("-0"), GOOD, GOOD),
                (Some("1.5"), GOOD, GOOD),
                (Some("1800000000"), GOOD, GOOD),
                (Some("1800000000.0"), GOOD, GOOD),
                (Some("1800000000.001"), early, early),
                (Some("1800000001"), early, early),
                (Some("253402300799"), early, early),
            ],
        );
    }
}

#[test]
fn a_number_that_is_none_of_json_is_no_payload() {
    let app = App::new("");
    for value in
        ["1e400", "NaN", "Infinity", "-Infinity", "0x10", "01", "1.", ".5", "+1", "undefined"]
    {
        for claim in ["exp", "nbf", "iat", "fresh", "own"] {
            let token = token_with(claim, Some(value));
            assert_eq!(app.decode(&token), "Invalid payload string", "{claim}: {value}");
        }
    }
}

const NO_TEXT: [&str; 10] =
    ["null", "0", "5", "1.5", "true", "false", "[]", "[\"ada\"]", "{}", "{\"a\":\"ada\"}"];

#[test]
fn sub_is_a_text_that_is_not_empty() {
    let app = App::new("");
    assert_all_refused(&app, "sub", &NO_TEXT, "Subject must be a string");
    let missing = "Missing claim: sub";
    let empty = "Subject must not be empty";
    let table = [
        (None, missing, missing),
        (Some("\"\""), empty, empty),
        (Some("\"ada\""), GOOD, GOOD),
        (Some("\"5\""), GOOD, GOOD),
    ];
    assert_table(&app, "sub", &table);
}

#[test]
fn without_verify_sub_the_identity_is_the_json_text_of_sub() {
    let app = App::new("verify_sub = false");
    for (value, identity) in [
        ("5", "5"),
        ("\"5\"", "5"),
        ("1.5", "1.5"),
        ("true", "true"),
        ("null", "null"),
        ("[]", "[]"),
        ("[1, \"a\"]", "[1,\"a\"]"),
        ("{}", "{}"),
        ("{ \"a\" :\n[1 , \"a b\" ] }", "{\"a\":[1,\"a b\"]}"),
        ("1.50", "1.50"),
        ("1e2", "1e2"),
        ("-0", "-0"),
        ("2171161118529429953562495896400227545", "2171161118529429953562495896400227545"),
        ("2171161118529429953562495896400227546", "2171161118529429953562495896400227546"),
        ("9007199254740993.0", "9007199254740993.0"),
        ("[2171161118529429953562495896400227545]", "[2171161118529429953562495896400227545]"),
        ("\"ada\"", "ada"),
    ] {
        let token = token_with("sub", Some(value));
        let read = app.jwt().decode::<rocket_jwt_extended::NoClaims>(&token);
        assert_eq!(read.unwrap().identity(), identity, "{value}");
        assert_eq!(app.guard("access", &token), GOOD, "{value}");
    }
    let missing = "Missing claim: sub";
    let empty = "Subject must not be empty";
    assert_table(&app, "sub", &[(None, missing, missing), (Some("\"\""), empty, empty)]);
}

#[test]
fn the_identity_claim_is_required_by_its_own_name_and_sub_is_a_text_all_the_same() {
    let app = App::new("identity_claim = \"user\"");
    let missing = "Missing claim: user";
    let no_text = "Subject must be a string";
    let empty = "Subject must not be empty";
    // The usual token has a `sub`.
    let table =
        [(None, missing, missing), (Some("\"ada\""), GOOD, GOOD), (Some("\"\""), empty, empty)];
    assert_table(&app, "user", &table);
    assert_all_refused(&app, "user", &NO_TEXT, no_text);
    let user = |sub: &str| {
        sign_text(
            r#"{"alg":"HS256"}"#,
            &format!(r#"{{"user":"ada","sub":{sub},"exp":{}}}"#, START + 9),
        )
    };
    assert_eq!(app.decode(&user("5")), no_text);
    assert_eq!(app.decode(&user("\"\"")), GOOD);
}

#[test]
fn jti_iss_type_and_sid_are_texts_or_absent() {
    let app = App::new("");
    for (claim, text) in [
        ("jti", "JWT ID must be a string"),
        ("iss", "Issuer must be a string"),
        ("type", "Invalid claim format in token"),
        ("sid", "Invalid claim format in token"),
    ] {
        assert_all_refused(&app, claim, &NO_TEXT, text);
        assert_table(&app, claim, &[(None, GOOD, GOOD)]);
    }
    for claim in ["jti", "iss", "sid"] {
        assert_table(&app, claim, &[(Some("\"x\""), GOOD, GOOD), (Some("\" \""), GOOD, GOOD)]);
    }
    assert_table(&app, "iss", &[(Some("\"\""), GOOD, GOOD)]);
}

/// One entry for the empty id would revoke all tokens that have it.
#[test]
fn an_id_is_not_empty() {
    let app = App::new("");
    for (claim, empty) in
        [("jti", "JWT ID must not be empty"), ("sid", "Session ID must not be empty")]
    {
        assert_table(&app, claim, &[(Some("\"\""), empty, empty)]);
    }
}

#[test]
fn aud_is_a_text_or_a_list_of_texts_and_is_not_looked_at_unless_configured() {
    let app = App::new("");
    let text = "Invalid claim format in token";
    let bad =
        ["null", "5", "true", "{}", "[5]", "[\"a\",5]", "[null]", "[[\"a\"]]", "{\"a\":\"b\"}"];
    assert_all_refused(&app, "aud", &bad, text);
    let table =
        [None, Some("\"a\""), Some("\"\""), Some("[]"), Some("[\"a\"]"), Some("[\"a\",\"b\"]")]
            .map(|value| (value, GOOD, GOOD));
    assert_table(&app, "aud", &table);
}

#[test]
fn type_is_one_of_two_words_for_guards_and_access_where_it_is_absent() {
    let app = App::new("");
    let no = "Only non-refresh tokens are allowed";
    let again = "Only refresh tokens are allowed";
    for (value, access, refresh, any) in [
        (None, GOOD, again, GOOD),
        (Some("\"access\""), GOOD, again, GOOD),
        (Some("\"refresh\""), no, GOOD, GOOD),
        (Some("\"Access\""), no, again, no),
        (Some("\"REFRESH\""), no, again, no),
        (Some("\"access \""), no, again, no),
        (Some("\"app\""), no, again, no),
        (Some("\"\""), no, again, no),
    ] {
        let token = token_with("type", value);
        assert_eq!(app.decode(&token), GOOD, "{value:?}");
        assert_eq!(app.guard("access", &token), access, "{value:?}");
        assert_eq!(app.guard("refresh", &token), refresh, "{value:?}");
        assert_eq!(app.guard("any", &token), any, "{value:?}");
    }
}

#[test]
fn fresh_is_true_or_a_moment_to_come_and_anything_else_is_stale_and_no_fault() {
    let app = App::new("");
    let stale = "Fresh token required";
    for (value, expected) in [
        (Some("true"), GOOD),
        (Some("1800000001"), GOOD),
        (Some("1800000000.5"), GOOD),
        (Some("253402300799"), GOOD),
        (None, stale),
        (Some("false"), stale),
        (Some("null"), stale),
        (Some("0"), stale),
        (Some("1"), stale),
        (Some("-1"), stale),
        (Some("1800000000"), stale),
        (Some("1e308"), stale),
        (Some("18446744073709551615"), stale),
        (Some("\"true\""), stale),
        (Some("\"1800000001\""), stale),
        (Some("\"\""), stale),
        (Some("[]"), stale),
        (Some("[true]"), stale),
        (Some("{}"), stale),
    ] {
        let token = token_with("fresh", value);
        assert_eq!(app.decode(&token), GOOD, "{value:?}");
        assert_eq!(app.guard("access", &token), GOOD, "{value:?}");
        assert_eq!(app.guard("fresh", &token), expected, "{value:?}");
    }
}

#[test]
fn csrf_of_any_type_is_no_fault_where_it_is_not_asked_for_and_no_match_where_it_is() {
    let app = App::new("");
    let decoder = |value: &'static str| {
        let jwt = app.jwt();
        move |token: &str| {
            let read = jwt.decoder().csrf(value).decode::<rocket_jwt_extended::NoClaims>(token);
            read.map_or_else(|refusal| refusal.to_string(), |_| GOOD.into())
        }
    };
    let mismatch = "CSRF double submit tokens do not match";
    for value in ["null", "5", "true", "[]", "{}", "[\"5\"]", "\"\"", "\"another\""] {
        let token = token_with("csrf", Some(value));
        assert_eq!(app.decode(&token), GOOD, "{value}");
        for sent in ["5", "null", "true", "[]", "{}", "the-csrf-value"] {
            assert_eq!(decoder(sent)(&token), mismatch, "{value} {sent}");
        }
    }
    let token = token_with("csrf", None);
    assert_eq!(app.decode(&token), GOOD);
    assert_eq!(decoder("the-csrf-value")(&token), "Missing claim: csrf");
}

#[test]
fn a_token_of_a_session_must_say_how_long_it_lives_and_not_live_too_long() {
    let app = App::new("required_claims = []");
    let long = "The token lives longer than is allowed";
    let endless = "The token's lifetime is not limited";
    let month = 30 * 86_400;
    for (changes, expected) in [
        (json!({"sid": "s", "exp": START + month}), GOOD),
        (json!({"sid": "s", "exp": START + month + 1}), long),
        (json!({"sid": "s", "exp": START + 900, "iat": START - month}), long),
        (json!({"exp": START + month + 1}), GOOD),
    ] {
        assert_eq!(app.decode(&sign(&with(changes.clone()))), expected, "{changes}");
    }
    for name in ["exp", "iat"] {
        let mut claims = without(&[name]);
        assert_eq!(app.decode(&sign(&claims)), GOOD);
        claims["sid"] = "s".into();
        assert_eq!(app.decode(&sign(&claims)), endless, "{name}");
    }
}

#[test]
fn a_required_claim_is_required_whatever_its_name() {
    let names = ["iat", "nbf", "jti", "iss", "aud", "type", "fresh", "csrf", "sid", "tenant"];
    for name in names {
        let app = App::new(&format!("required_claims = [\"{name}\"]"));
        let mut claims = with(json!({
            "iss": "me", "aud": "api", "sid": "s", "tenant": false,
        }));
        assert_eq!(app.decode(&sign(&claims)), GOOD, "{name}");
        claims.as_object_mut().unwrap().remove(name);
        let expected = match name {
            "iss" | "aud" => format!("Token is missing the \"{name}\" claim"),
            _ => format!("Missing claim: {name}"),
        };
        assert_eq!(app.decode(&sign(&claims)), expected);
    }
}

#[test]
fn the_least_that_is_a_token_is_an_identity_and_an_end() {
    let app = App::new("");
    let least = sign(&json!({"sub": "ada", "exp": START + 1}));
    let token = app.jwt().decode::<rocket_jwt_extended::Claims>(&least).unwrap();
    assert_eq!((token.identity(), token.jti(), token.csrf()), ("ada", None, None));
    assert_eq!((token.token_type().to_string(), token.is_fresh()), ("access".into(), false));
    assert_eq!((token.issued_at(), token.not_before()), (None, None));
    // What is filled in is not written into the claims.
    assert_eq!(token.claims.keys().collect::<Vec<_>>(), ["exp", "sub"]);
    assert_eq!(app.guard("access", &least), GOOD);
    assert_eq!(app.decode(&sign(&json!({"sub": "ada"}))), "Missing claim: exp");
    let lax = App::new("required_claims = []");
    assert_eq!(lax.decode(&sign(&json!({"sub": "ada"}))), GOOD);
    assert_eq!(lax.guard("access", &sign(&json!({"sub": "ada"}))), GOOD);
    assert_eq!(lax.decode(&sign(&json!({}))), "Missing claim: sub");
}
