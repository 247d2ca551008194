//! Checks the names of audiences and issuers. They are compared as they are written, so a list in
//! one string, a space at its end or a wildcard would refuse every token.

use super::findings::Findings;
use super::values::OneOrMany;
use crate::settings::RequiredClaim;

/// A list that, if set, contains at least one name and no empty one.
pub(super) fn list(
    key: &str,
    list: Option<&OneOrMany>,
    findings: &mut Findings<'_>,
) -> Option<Vec<String>> {
    let OneOrMany(names) = list?;
    if names.is_empty() {
        findings.fault(key, "must not be empty: set a value, or remove it");
    }
    names.iter().for_each(|name| check(key, name, EACH, findings));
    Some(names.clone())
}

pub(super) fn one(key: &str, name: Option<&String>, findings: &mut Findings<'_>) -> Option<String> {
    let name = name?;
    check(key, name, "write one name", findings);
    Some(name.clone())
}

/// The accepted values of required claims, of which these claims contain such names.
pub(super) fn of_claims(key: &str, claims: &[RequiredClaim], findings: &mut Findings<'_>) {
    let identifying = claims.iter().filter(|claim| ["aud", "iss"].contains(&&*claim.name));
    for value in identifying.filter_map(|claim| claim.values.as_ref()).flatten() {
        if let Some(name) = value.as_str() {
            check(key, name, EACH, findings);
        }
    }
}

/// How several names are written.
const EACH: &str = "write each in quotes, such as `[\"a\", \"b\"]`";

fn check(key: &str, name: &str, cure: &str, findings: &mut Findings<'_>) {
    let separators = [',', ';', '|'];
    let has_space = name.contains(char::is_whitespace);
    let is_list = has_space || name.contains(separators);
    if name.trim().is_empty() {
        findings.fault(key, "must not hold an empty string: write a text between the quotes");
    } else if name.trim() != name {
        findings.fault(key, "begins or ends with white space, which no token has there; remove it");
    } else if name == "*" {
        findings.fault(
            key,
            "is `*`, which is compared as it is and stands for no other name; write the names, or \
             remove the setting",
        );
    } else if name.starts_with('[') && name.ends_with(']') {
        findings.fault(
            key,
            format_args!("is a list within quotes, which is compared as one name; {cure}"),
        );
    } else if name.contains("://") && (has_space || is_list && name.matches("://").count() > 1) {
        findings
            .fault(key, format_args!("has several URLs in one string, or a space in one; {cure}"));
    } else if is_list {
        findings.warn(
            key,
            format_args!("has a separator in one string, which is compared as one name; {cure}"),
        );
    } else if name.contains('*') {
        findings.warn(
            key,
            "has a `*`, which is compared as it is and stands for no other text; write each name",
        );
    }
}
