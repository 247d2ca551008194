//! Which methods need a CSRF value: those configured, judged by what the route sees.

use crate::support::common::*;
use crate::support::*;
use rocket::http::{ContentType, Method};
use rocket::local::blocking::Client;
use rocket_jwt_extended::{AccessToken, WithBody};

#[get("/")]
fn get(token: AccessToken) -> String {
    format!("get {}", token.identity())
}
#[post("/")]
fn post(token: AccessToken) -> String {
    format!("post {}", token.identity())
}
#[put("/")]
fn put(token: AccessToken) -> String {
    format!("put {}", token.identity())
}
#[patch("/")]
fn patch(token: AccessToken) -> String {
    format!("patch {}", token.identity())
}
#[delete("/")]
fn delete(token: AccessToken) -> String {
    format!("delete {}", token.identity())
}
#[put("/form", data = "<form>")]
fn form(form: WithBody<AccessToken, &[u8]>) -> String {
    format!("put {} {}", form.token.identity(), form.body.len())
}

fn app(toml: &str) -> Client {
    let toml = format!("token_location = \"cookies\"\n{toml}");
    clocked(&toml, routes![get, post, put, patch, delete, form]).0
}

fn missing() -> (u16, String) {
    (401, "Missing CSRF token".into())
}

fn ok(text: &str) -> (u16, String) {
    (200, text.into())
}

#[test]
fn only_the_configured_methods_need_a_value() {
    let client = app("csrf_methods = [\"GET\"]");
    let ask = |method| said(client.req(method, "/").cookie(in_cookie(&access())).dispatch());
    assert_eq!(ask(Method::Post), ok("post ada"));
    assert_eq!(ask(Method::Delete), ok("delete ada"));
    assert_eq!(ask(Method::Get), missing());
    // A HEAD is answered by the GET route, and is not a way around it.
    assert_eq!(ask(Method::Head).0, 401);
    let request = client.get("/").cookie(in_cookie(&access())).header(csrf_header());
    assert_eq!(said(request.dispatch()), ok("get ada"));
}

#[test]
fn switched_off_no_method_needs_a_value_and_tokens_have_none() {
    let client = app("cookie_csrf_protect = false");
    for method in [Method::Post, Method::Put, Method::Patch, Method::Delete] {
        let response = client.req(method, "/").cookie(in_cookie(&access())).dispatch();
        assert_eq!(response.status().code, 200, "{method}");
    }
    let own = jwt(&client).access_token("ada").encode().unwrap();
    assert!(payload(&own).get("csrf").is_none());
    assert_eq!(said(client.post("/").cookie(in_cookie(&own)).dispatch()), ok("post ada"));
}

#[test]
fn a_form_that_rewrites_its_method_is_judged_by_the_method_of_the_route() {
    // Another site can post such a form without asking first, so that PUT is no less dangerous.
    let client = app("");
    let submit = |body: &str, proof: bool| {
        let mut request = client.post("/").cookie(in_cookie(&access())).header(ContentType::Form);
        if proof {
            request = request.header(csrf_header());
        }
        said(request.body(body).dispatch())
    };
    for (body, text) in [
        ("_method=put", "put ada"),
        ("_method=PUT", "put ada"),
        ("_method=patch&a=b", "patch ada"),
        ("_method=delete", "delete ada"),
        ("_method=post", "post ada"),
        ("_method=nonsense", "post ada"),
        ("a=b&_method=put", "post ada"),
    ] {
        assert_eq!(submit(body, false), missing(), "{body}");
        assert_eq!(submit(body, true), ok(text), "{body}");
    }
    // What a link could do as well.
    assert_eq!(submit("_method=get", false), ok("get ada"));
}

#[test]
fn a_rewritten_form_is_guarded_where_only_the_rewritten_method_is() {
    let client = app("csrf_methods = [\"PUT\"]");
    let submit = |body: &str| {
        let request = client.post("/").cookie(in_cookie(&access())).header(ContentType::Form);
        said(request.body(body).dispatch())
    };
    assert_eq!(submit("_method=put"), missing());
    assert_eq!(submit("a=b"), ok("post ada"));
    let direct = client.put("/").cookie(in_cookie(&access())).dispatch();
    assert_eq!(said(direct), missing());
}

#[test]
fn a_rewritten_form_may_bring_its_value_in_a_field() {
    let client = app("csrf_check_form = true");
    let submit = |body: &str| {
        let request = client.post("/form").cookie(in_cookie(&access())).header(ContentType::Form);
        said(request.body(body).dispatch())
    };
    assert_eq!(submit("_method=put&csrf_token=the-csrf-value"), ok("put ada 37"));
    assert_eq!(submit("_method=put"), missing());
    let mismatch = (401, "CSRF double submit tokens do not match".to_string());
    assert_eq!(submit("_method=put&csrf_token=x"), mismatch);
}
