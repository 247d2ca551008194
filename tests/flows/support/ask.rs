//! Asking an application, in a line.

use rocket::http::{Method, Status};
use rocket::local::blocking::{Client, LocalRequest, LocalResponse};
use serde_json::Value;

use crate::support::*;

/// Sends a token in the header, or none if it is empty.
pub fn ask<'c>(client: &'c Client, method: Method, path: &str, token: &str) -> LocalResponse<'c> {
    let request = client.req(method, path.to_string());
    match token {
        "" => request.dispatch(),
        token => request.header(Bearer(token)).dispatch(),
    }
}

pub fn get<'c>(client: &'c Client, path: &str, token: &str) -> LocalResponse<'c> {
    ask(client, Method::Get, path, token)
}

pub fn post<'c>(client: &'c Client, path: &str, token: &str) -> LocalResponse<'c> {
    ask(client, Method::Post, path, token)
}

/// The access and the refresh token of an answer with a pair.
pub fn pair(response: LocalResponse<'_>) -> [String; 2] {
    let (status, body) = answer(response);
    assert_eq!(status, Status::Ok, "{body}");
    ["access_token", "refresh_token"].map(|key| body[key].as_str().unwrap().to_string())
}

/// A member of a token's payload as text.
pub fn text(token: &str, claim: &str) -> String {
    payload(token)[claim].as_str().unwrap_or_else(|| panic!("no text `{claim}`")).to_string()
}

/// The lines `Set-Cookie` of an answer, by the cookie's name.
pub fn set_cookies(response: &LocalResponse<'_>) -> Vec<(String, String)> {
    response
        .headers()
        .get("Set-Cookie")
        .map(|line| (line.split('=').next().unwrap().to_string(), line.to_string()))
        .collect()
}

/// The one line `Set-Cookie` of that name: its value, and its attributes in alphabetical order. Lines
/// that clear other scopes come before it.
pub fn set_cookie(response: &LocalResponse<'_>, name: &str) -> (String, Vec<String>) {
    let lines = set_cookies(response);
    let mut lines = lines.iter().filter(|(other, _)| other == name).rev();
    let (_, line) = lines.next().unwrap_or_else(|| panic!("`{name}` is not set"));
    let cleared = format!("{name}=; Path=");
    assert!(lines.all(|(_, line)| line.starts_with(&cleared)), "`{name}` is set twice");
    let mut parts = line.split("; ").map(ToString::to_string);
    let value = parts.next().unwrap().split_once('=').unwrap().1.to_string();
    let mut attributes: Vec<_> = parts.collect();
    attributes.sort();
    (value, attributes)
}

/// The names of the cookies that an answer sets or unsets.
pub fn names_set(response: &LocalResponse<'_>) -> Vec<String> {
    let mut names: Vec<_> = set_cookies(response).into_iter().map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    names
}

/// A request with a token in the access cookie, and its CSRF value in the header.
pub fn by_cookie<'c>(request: LocalRequest<'c>, token: &str) -> LocalRequest<'c> {
    let csrf = payload(token)["csrf"].as_str().unwrap_or_default().to_string();
    request
        .cookie(("access_token_cookie", token.to_string()))
        .header(rocket::http::Header::new("X-CSRF-TOKEN", csrf))
}

/// The members of a JSON answer, by name.
pub fn members(body: &Value) -> Vec<&str> {
    body.as_object().unwrap().keys().map(String::as_str).collect()
}
