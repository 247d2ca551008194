//! Tokens in cookies. An input is lines of `Cookie` headers; a line that begins with `X-CSRF-TOKEN:` is
//! such a header instead.

use rocket::http::{Cookie, Header, Method, RawStr};
use rocket::local::blocking::{Client, LocalRequest};

use super::application::{CSRF, ask, client, tokens};

thread_local! {
    static CLIENT: Client = client("token_location = [\"cookies\"]");
}

pub fn run(input: &[u8]) -> bool {
    let text = tokens().expand(input);
    let (mut cookies, mut proofs) = (Vec::new(), Vec::new());
    for line in text.split('\n') {
        match line.strip_prefix("X-CSRF-TOKEN:") {
            Some(value) => proofs.push(value.trim()),
            None => cookies.push(line),
        }
    }
    CLIENT.with(|client| {
        let send = |method, path| {
            let mut request = with_cookies(client.req(method, path), &cookies);
            for proof in &proofs {
                request.add_header(Header::new("X-CSRF-TOKEN", proof.to_string()));
            }
            ask(request).is_let_in()
        };
        let has_access = value(&cookies, "access_token_cookie") == Some(tokens().access.clone());
        let has_refresh = value(&cookies, "refresh_token_cookie") == Some(tokens().refresh.clone());
        // A safe method needs no CSRF value.
        assert_eq!(send(Method::Get, "/access"), has_access, "{cookies:?}");
        assert_eq!(send(Method::Get, "/refresh"), has_refresh, "{cookies:?}");
        let proofs: Vec<&str> = proofs.iter().copied().filter(|proof| !proof.is_empty()).collect();
        let is_proven = has_access && proofs == [CSRF];
        assert_eq!(send(Method::Post, "/access"), is_proven, "{cookies:?} {proofs:?}");
        send(Method::Get, "/many");
        is_proven
    })
}

/// The value of the cookie with exactly this name. Two different values count as no value.
fn value(cookies: &[&str], name: &str) -> Option<String> {
    let pairs = cookies.iter().flat_map(|line| line.split(';'));
    let mut values = pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(sent, _)| sent.trim() == name)
        .map(|(_, value)| value.trim());
    let first = values.next()?;
    let decoded = RawStr::new(first).percent_decode_lossy().into_owned();
    values.all(|value| value == first).then_some(decoded)
}

/// The request with these header lines, and with the cookie jar that Rocket makes from them.
fn with_cookies<'c>(request: LocalRequest<'c>, lines: &[&str]) -> LocalRequest<'c> {
    lines.iter().fold(request, |mut request, line| {
        request.add_header(Header::new("Cookie", line.to_string()));
        let pairs = line.split(';').map(|pair| pair.trim().to_string());
        pairs
            .filter_map(|pair| Cookie::parse_encoded(pair).ok())
            .fold(request, LocalRequest::cookie)
    })
}
