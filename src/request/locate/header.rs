//! A token in a header (RFC 6750 §2.1).

use std::borrow::Cow;

use memchr::memchr;

use super::search::{Located, Search};
use crate::reason::Reason;
use crate::token::location::Location;

pub(super) fn find<'a>(search: &Search<'a, '_>) -> Result<Located<'a>, Reason> {
    let found = match plain(search) {
        Some(token) => token,
        None => general(search)?,
    };
    Ok(Located { encoded: found.into(), location: Location::Headers, proof: None })
}

/// Fast path for the single line `Bearer <token>` that nearly every client sends. Its result is the
/// same as that of `general()`.
fn plain<'a>(search: &Search<'a, '_>) -> Option<&'a str> {
    // Comparing every name is cheaper than hashing one.
    let name = search.settings.header_name.as_str();
    let mut lines = search.request.headers().iter().filter(|line| line.name == *name);
    let (Cow::Borrowed(line), None) = (lines.next()?.value, lines.next()) else { return None };
    let (scheme, token) = line.split_at_checked(search.settings.header_type.len())?;
    let token = token.strip_prefix(' ')?;
    // The smallest byte of the token. The compiler vectorizes this loop.
    let least = token.bytes().fold(u8::MAX, u8::min);
    let is_one = !token.is_empty() && least > b' ' && memchr(b',', token.as_bytes()).is_none();
    let is_ours = !scheme.is_empty() && scheme.eq_ignore_ascii_case(&search.settings.header_type);
    (is_ours && is_one).then_some(token)
}

/// Reads all lines of the header, and all comma-separated credentials in each (RFC 9110 §11.6.2).
/// Exactly one of the credentials may have our scheme.
fn general<'a>(search: &Search<'a, '_>) -> Result<&'a str, Reason> {
    let (name, scheme) = (&search.settings.header_name, &search.settings.header_type);
    let lines = || search.request.headers().get(name).filter(|line| !line.trim().is_empty());
    let missing = || Reason::Missing(format!("Missing {name} Header"));

    if scheme.is_empty() {
        let mut lines = lines();
        match (lines.next(), lines.next()) {
            (None, _) => Err(missing()),
            (Some(_), Some(_)) => Err(Reason::TwoTokens),
            (Some(line), None) => one(line.split_ascii_whitespace()).ok_or_else(|| {
                Reason::Misplaced(format!("Bad {name} header. Expected '{name}: <JWT>'"))
            }),
        }
    } else {
        let fields = || lines().flat_map(|line| line.split(',')).filter(|f| !f.trim().is_empty());
        let is_ours = |field: &&str| {
            let first = field.split_ascii_whitespace().next();
            first.is_some_and(|first| first.eq_ignore_ascii_case(scheme))
        };
        let mut ours = fields().filter(is_ours);
        match (ours.next(), ours.next()) {
            (None, _) if fields().next().is_none() => Err(missing()),
            (None, _) => Err(Reason::Missing(format!(
                "Missing '{scheme}' type in '{name}' header. Expected '{name}: {scheme} <JWT>'"
            ))),
            (Some(_), Some(_)) => Err(Reason::TwoTokens),
            (Some(field), None) => one(field.split_ascii_whitespace().skip(1)).ok_or_else(|| {
                Reason::Misplaced(format!("Bad {name} header. Expected '{name}: {scheme} <JWT>'"))
            }),
        }
    }
}

/// The only item; `None` if there are none or several.
fn one<'a>(mut items: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let item = items.next()?;
    items.next().is_none().then_some(item)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rocket::http::Header;
    use rocket::local::blocking::Client;

    use super::*;
    use crate::jwt::Jwt;
    use crate::verify::policy::AcceptedTypes;

    /// The results of `plain()` and `general()` for these lines.
    fn both(client: &Client, lines: &[String]) -> (Option<String>, Option<String>) {
        let mut request = client.get("/");
        for line in lines {
            request = request.header(Header::new("Authorization", line.clone()));
        }
        let jwt = Jwt::fetch(client.rocket()).expect("the manager");
        let search = Search {
            request: request.inner(),
            settings: jwt.settings(),
            types: AcceptedTypes::Access,
            body: None,
            holds: &|_| false,
        };
        (plain(&search).map(Into::into), general(&search).ok().map(Into::into))
    }

    #[test]
    fn what_is_plain_is_what_any_line_would_be_found_to_be() {
        let client = Client::untracked(rocket::build().attach(Jwt::fairing())).expect("a client");
        let text = |token: &str| Some(token.to_string());
        for (line, found) in [
            ("Bearer a.b.c", text("a.b.c")),
            ("bEARER a.b.c", text("a.b.c")),
            ("Bearer a.b.c,", None),
            ("Bearer a.b.c\u{a0}", text("a.b.c\u{a0}")),
            ("Bearer  a.b.c", None),
            ("Bearer\ta.b.c", None),
            ("Bearer ", None),
            ("Bearera.b.c", None),
            ("Bearée a.b.c", None),
        ] {
            assert_eq!(both(&client, &[line.into()]).0, found, "{line}");
        }
        assert_eq!(both(&client, &["Bearer a".into(), "Bearer b".into()]), (None, None));

        let line =
            prop_oneof!["(?i:bearer|basic)[ ,\t]{0,2}[a-c.,= \t\u{b}\u{a0}é]{0,6}", ".{0,9}"];
        let mut runner = proptest::test_runner::TestRunner::default();
        let lines = proptest::collection::vec(line, 0..3);
        let checked = runner.run(&lines, |lines| {
            let (plain, general) = both(&client, &lines);
            prop_assert!(plain.is_none() || plain == general, "{:?} is not {:?}", plain, general);
            Ok(())
        });
        checked.expect("both find the same");
    }
}
