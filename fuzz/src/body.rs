//! Tokens and CSRF values in bodies. An input's first line is the content type, the rest the body.

use rocket::http::{ContentType, Cookie, Header};
use rocket::local::blocking::Client;

use super::application::{CSRF, ask, client, tokens};
use super::token::members;

thread_local! {
    static CLIENT: Client = client("token_location = [\"cookies\", \"json\"]\ncsrf_check_form = true");
}

const PATHS: [&str; 3] = ["/unit", "/json", "/form"];

pub fn run(input: &[u8]) -> bool {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (content_type, body) = input.split_at(end);
    let content_type = String::from_utf8_lossy(content_type).into_owned();
    let body = with_tokens(body.get(1..).unwrap_or_default());
    let send = |path: &'static str, cookie: Option<&str>| {
        CLIENT.with(|client| {
            let header = Header::new("Content-Type", content_type.clone());
            let mut request = client.post(path).header(header).body(&body);
            if let Some(token) = cookie {
                request = request.cookie(Cookie::new("access_token_cookie", token.to_string()));
            }
            ask(request).is_let_in()
        })
    };

    // Without a cookie, the only possible token is the one in the JSON.
    let by_json = PATHS.map(|path| send(path, None));
    let is_json = content_type.to_ascii_lowercase().contains("json");
    assert!(is_json || by_json == [false; 3], "{content_type}");
    // Members that are not read may have an invalid value, such as a number out of range.
    if let Some(members) = members(&body) {
        let mut sent = members.iter().filter(|(name, _)| name == "access_token");
        let has_token = matches!((sent.next(), sent.next()),
            (Some((_, value)), None) if *value == tokens().access);
        assert!(has_token || by_json == [false; 3], "{members:?}");
        // Rocket's limit for JSON is 1 MiB.
        if content_type == "application/json" && body.len() < 1 << 20 {
            assert_eq!(by_json[0], has_token, "{members:?}");
        }
    }

    // With a cookie, a form needs the CSRF value.
    let by_form = PATHS.map(|path| send(path, Some(&tokens().access)));
    let kind = ContentType::parse_flexible(&content_type);
    if kind.as_ref().is_some_and(|kind| kind.is_form()) && body.len() < 32 << 10 {
        let fields = form_urlencoded::parse(&body).filter(|(name, _)| name == "csrf_token");
        let is_proven = fields.map(|(_, value)| value).collect::<Vec<_>>() == [CSRF];
        assert_eq!(by_form[0], is_proven, "{}", String::from_utf8_lossy(&body));
    } else if by_form.contains(&true) && !by_json.contains(&true) {
        let text = String::from_utf8_lossy(&body);
        assert!(text.contains("csrf_token") && text.contains(CSRF), "{content_type} {text}");
    }

    // No body makes an invalid token valid.
    let forged = tokens().expand(b"$FORGED");
    assert_eq!(PATHS.map(|path| send(path, Some(&forged)) && !by_json.contains(&true)), [false; 3]);
    by_json.contains(&true) || by_form.contains(&true)
}

/// The bytes, with placeholders replaced if they are text.
fn with_tokens(body: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(body) {
        Ok(_) => tokens().expand(body).into_bytes(),
        Err(_) => body.to_vec(),
    }
}
