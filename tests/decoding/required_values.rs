//! `required_claims` with values: what keeps an issuer's other tokens out.

use crate::support::app::{App, GOOD};
use crate::support::*;
use serde_json::{Value, json};

fn said(app: &App, changes: Value) -> String {
    app.decode(&sign(&with(changes)))
}

#[test]
fn an_issuers_other_tokens_are_no_access_tokens() {
    // As an identity provider writes them: the payload's `typ`, and who asked for it.
    let app = App::new("required_claims = { typ = \"Bearer\", azp = [\"web\", \"app\"] }");
    let issued = |typ: &str, azp: &str| json!({"typ": typ, "azp": azp, "type": "access"});
    assert_eq!(said(&app, issued("Bearer", "web")), GOOD);
    assert_eq!(said(&app, issued("Bearer", "app")), GOOD);
    for typ in ["ID", "Refresh", "Offline", "Logout", "bearer", ""] {
        assert_eq!(said(&app, issued(typ, "web")), "Invalid claim: typ", "{typ}");
        let token = sign(&with(issued(typ, "web")));
        assert_eq!(app.guard("access", &token), "Invalid claim: typ", "{typ}");
    }
    assert_eq!(said(&app, issued("Bearer", "evil")), "Invalid claim: azp");
    assert_eq!(said(&app, json!({"azp": "web"})), "Missing claim: typ");
    assert_eq!(said(&app, json!({"typ": "Bearer"})), "Missing claim: azp");
    // A logout token says what it is in its header (OpenID Connect Back-Channel Logout 1.0 §2.4).
    let logout = with(issued("Bearer", "web")).to_string();
    let logout = sign_text(r#"{"alg":"HS256","typ":"logout+jwt"}"#, &logout);
    assert_eq!(app.guard("access", &logout), "The specified typ value is not allowed");
}

#[test]
fn a_claim_that_is_a_list_fits_if_one_of_its_members_does() {
    let app = App::new("required_claims = { groups = [\"staff\", \"board\"] }");
    for groups in [json!(["users", "staff"]), json!("board"), json!(["board"])] {
        assert_eq!(said(&app, json!({"groups": groups})), GOOD, "{groups}");
    }
    for groups in [
        json!([]),
        json!(["users"]),
        json!("Staff"),
        json!([["staff"]]),
        json!({"staff": true}),
        json!(null),
        json!(5),
        json!("staff,board"),
    ] {
        assert_eq!(said(&app, json!({"groups": groups})), "Invalid claim: groups", "{groups}");
    }
}

#[test]
fn values_are_compared_by_their_type() {
    let lines = "required_claims = { level = [1, 2], verified = true, off = false }";
    let app = App::new(lines);
    let good = json!({"level": 2, "verified": true, "off": false});
    assert_eq!(said(&app, good.clone()), GOOD);
    for (name, value) in [
        ("level", json!("2")),
        ("level", json!(3)),
        ("level", json!(2.5)),
        ("level", json!(true)),
        ("verified", json!(false)),
        ("verified", json!("true")),
        ("verified", json!(1)),
        ("off", json!(true)),
        ("off", json!(null)),
    ] {
        let mut claims = good.clone();
        claims[name] = value.clone();
        assert_eq!(said(&app, claims), format!("Invalid claim: {name}"), "{value}");
    }
}

#[test]
fn a_value_is_found_however_the_payload_is_written() {
    let app = App::new("required_claims = { typ = \"Be arer\\\"\" }");
    let rest = claims().to_string();
    for (member, expected) in [
        (r#""typ":"Be arer\"""#, GOOD),
        (r#" "\u0074yp" : "Be\u0020arer\"" "#, GOOD),
        (r#""a":{"typ":"Be arer\""},"typ":"ID""#, "Invalid claim: typ"),
        (r#""a":"\"typ\":\"Be arer\"","typ":"ID""#, "Invalid claim: typ"),
        (r#""a":{"typ":"Be arer\""}"#, "Missing claim: typ"),
        (r#""typ":"ID","typ":"Be arer\"""#, "Invalid payload string"),
    ] {
        let payload = format!("{{{member},{}", &rest[1..]);
        let token = sign_text(r#"{"alg":"HS256","typ":"JWT"}"#, &payload);
        assert_eq!(app.decode(&token), expected, "{member}");
    }
}

#[test]
fn exp_stays_required_unless_it_is_switched_off() {
    let without_exp = |lines: &str| {
        let mut claims = without(&["exp"]);
        claims["typ"] = "Bearer".into();
        App::new(lines).decode(&sign(&claims))
    };
    let missing = "Missing claim: exp";
    assert_eq!(without_exp("required_claims = { typ = \"Bearer\" }"), missing);
    assert_eq!(without_exp("required_claims = { typ = \"Bearer\", exp = true }"), missing);
    assert_eq!(without_exp("required_claims = {}"), missing);
    assert_eq!(without_exp("required_claims = { typ = \"Bearer\", exp = false }"), GOOD);
    assert_eq!(without_exp("required_claims = { jti = true, exp = false }"), GOOD);
    let token = sign(&without(&["jti"]));
    assert_eq!(App::new("required_claims = { jti = true }").decode(&token), "Missing claim: jti");
}
