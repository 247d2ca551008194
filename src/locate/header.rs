//! A token in a header (RFC 6750 §2.1).

use super::{Located, Search};
use crate::location::Location;
use crate::rejection::Reason;

/// All lines of the header count, and in each all comma-separated credentials (RFC 9110 §11.6.2):
/// exactly one of them may be of our scheme.
pub(super) fn find(search: &Search<'_, '_>) -> Result<Located, Reason> {
    let (name, scheme) = (&search.settings.header_name, &search.settings.header_type);
    let lines = || search.request.headers().get(name).filter(|line| !line.trim().is_empty());
    let missing = || Reason::Missing(format!("Missing {name} Header"));

    let token = if scheme.is_empty() {
        let mut lines = lines();
        match (lines.next(), lines.next()) {
            (None, _) => return Err(missing()),
            (Some(_), Some(_)) => return Err(Reason::TwoTokens),
            (Some(line), None) => one(line.split_ascii_whitespace()).ok_or_else(|| {
                Reason::Misplaced(format!("Bad {name} header. Expected '{name}: <JWT>'"))
            })?,
        }
    } else {
        let fields = || lines().flat_map(|line| line.split(',')).filter(|f| !f.trim().is_empty());
        let is_ours = |field: &&str| {
            let first = field.split_ascii_whitespace().next();
            first.is_some_and(|first| first.eq_ignore_ascii_case(scheme))
        };
        let mut ours = fields().filter(is_ours);
        match (ours.next(), ours.next()) {
            (None, _) if fields().next().is_none() => return Err(missing()),
            (None, _) => {
                return Err(Reason::Missing(format!(
                    "Missing '{scheme}' type in '{name}' header. Expected '{name}: {scheme} <JWT>'"
                )));
            }
            (Some(_), Some(_)) => return Err(Reason::TwoTokens),
            (Some(field), None) => {
                one(field.split_ascii_whitespace().skip(1)).ok_or_else(|| {
                    Reason::Misplaced(format!(
                        "Bad {name} header. Expected '{name}: {scheme} <JWT>'"
                    ))
                })?
            }
        }
    };
    Ok(Located { encoded: token.into(), location: Location::Headers, proof: None })
}

/// The one item there is.
fn one<'a>(mut items: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let item = items.next()?;
    items.next().is_none().then_some(item)
}
