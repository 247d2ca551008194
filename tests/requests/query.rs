//! A token in the query string.

use crate::support::common::*;
use crate::support::*;
use rocket::http::Method;
use rocket::local::blocking::{Client, LocalResponse};
use rocket_jwt_extended::{AccessToken, In, Optional, QueryString};

#[get("/")]
fn get(token: AccessToken) -> String {
    token.identity().into()
}
#[post("/")]
fn post(token: AccessToken) -> String {
    token.identity().into()
}
#[put("/")]
fn put(token: AccessToken) -> String {
    token.identity().into()
}
#[patch("/")]
fn patch(token: AccessToken) -> String {
    token.identity().into()
}
#[delete("/")]
fn delete(token: AccessToken) -> String {
    token.identity().into()
}
#[get("/in")]
fn in_query(token: In<QueryString>) -> String {
    token.identity().into()
}
#[get("/optional")]
fn optional(token: Optional) -> String {
    token.token().map_or("nobody", |token| token.identity()).into()
}

fn app(toml: &str) -> Client {
    let toml = format!("{FLASK}{toml}");
    clocked(&toml, routes![get, post, put, patch, delete, in_query, optional]).0
}

const HERE: &str = "token_location = [\"query_string\"]\n";

fn ask(client: &Client, uri: &str) -> (u16, String) {
    said(client.get(uri.to_string()).dispatch())
}

fn is_not_stored(response: &LocalResponse<'_>) -> bool {
    response.headers().get("Cache-Control").eq(["no-store"])
}

#[test]
fn a_token_is_found_there_with_any_method_and_needs_no_csrf_value() {
    let client = app(HERE);
    let uri = format!("/?a=b&jwt={}", access());
    for method in [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete] {
        assert_eq!(said(client.req(method, &*uri).dispatch()), let_in("ada"), "{method}");
    }
}

#[test]
fn the_query_string_is_not_looked_at_unless_configured_or_asked_for() {
    let client = app("");
    let token = access();
    let missing = (401, "Missing Authorization Header".to_string());
    assert_eq!(ask(&client, &format!("/?jwt={token}")), missing);
    assert_eq!(ask(&client, &format!("/in?jwt={token}")), let_in("ada"));
}

#[test]
fn an_answer_to_a_token_in_the_query_string_is_not_to_be_stored() {
    let client = app(HERE);
    let dispatch = |uri: String| client.get(uri).dispatch();
    assert!(is_not_stored(&dispatch(format!("/?jwt={}", access()))));
    assert!(is_not_stored(&dispatch("/?jwt=bad".into())));
    assert!(!is_not_stored(&dispatch("/".into())));
    assert!(!is_not_stored(&dispatch("/optional".into())));
}

#[test]
fn without_a_value_no_token_was_sent() {
    let client = app(HERE);
    let missing = (401, "Missing 'jwt' query parameter".to_string());
    let token = access();
    for query in [
        "".to_string(),
        "?".into(),
        "?jwt".into(),
        "?jwt=".into(),
        "?a=b".into(),
        "?&&=&".into(),
        format!("?JWT={token}"),
        format!("?jwt[]={token}"),
        format!("?jwt.a={token}"),
        format!("?xjwt={token}"),
        format!("?.jwt={token}"),
        format!("?[jwt]={token}"),
        format!("?{token}"),
        format!("?a=jwt={token}"),
    ] {
        assert_eq!(ask(&client, &format!("/{query}")), missing, "{query}");
        assert_eq!(ask(&client, &format!("/optional{query}")), let_in("nobody"), "{query}");
    }
}

#[test]
fn name_and_value_may_be_percent_encoded() {
    let client = app(HERE);
    let token = access().replace('.', "%2E");
    assert_eq!(ask(&client, &format!("/?jwt={token}")), let_in("ada"));
    assert_eq!(ask(&client, &format!("/?%6Awt={token}")), let_in("ada"));
}

#[test]
fn the_parameter_must_not_come_twice() {
    let client = app(HERE);
    let token = access();
    let refused = (422, "More than one token was sent".to_string());
    for query in [
        format!("jwt={token}&jwt={token}"),
        format!("jwt={token}&jwt=x"),
        format!("jwt=&jwt={token}"),
        format!("jwt={token}&a=b&jwt="),
        format!("jwt={token}&%6awt=x"),
        "jwt&jwt".into(),
    ] {
        assert_eq!(ask(&client, &format!("/?{query}")), refused, "{query}");
        assert_eq!(ask(&client, &format!("/optional?{query}")), refused, "{query}");
    }
}

#[test]
fn a_prefix_must_stand_before_the_token() {
    let client = app(&format!("{HERE}query_string_value_prefix = \"bearer \""));
    let token = access();
    let bad = "Invalid value for query parameter 'jwt'. \
               Expected the value to start with 'bearer '";
    for (value, expected) in [
        (format!("bearer%20{token}"), let_in("ada")),
        (format!("bearer+{token}"), let_in("ada")),
        (token.clone(), (422, bad.into())),
        (format!("Bearer%20{token}"), (422, bad.into())),
        (format!("bearer{token}"), (422, bad.into())),
        ("bearer".into(), (422, bad.into())),
        ("bearer%20".into(), (422, "Not enough segments".into())),
        (format!("bearer%20%20{token}"), (422, "Invalid header padding".into())),
    ] {
        assert_eq!(ask(&client, &format!("/?jwt={value}")), expected, "{value}");
        assert_eq!(ask(&client, &format!("/optional?jwt={value}")), expected, "{value}");
    }
    let missing = (401, "Missing 'jwt' query parameter".to_string());
    assert_eq!(ask(&client, "/?jwt="), missing);
    assert_eq!(ask(&client, "/optional?jwt="), let_in("nobody"));
}

#[test]
fn another_name_takes_the_place_of_jwt() {
    let client = app(&format!("{HERE}query_string_name = \"Foo\""));
    let token = access();
    let missing = (401, "Missing 'Foo' query parameter".to_string());
    assert_eq!(ask(&client, &format!("/?Foo={token}")), let_in("ada"));
    assert_eq!(ask(&client, &format!("/?jwt={token}")), missing);
    assert_eq!(ask(&client, &format!("/?foo={token}")), missing);
}
