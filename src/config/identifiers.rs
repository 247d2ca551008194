//! Checks the names of audiences and issuers. They are compared as they are written, so a list in
//! one string, a space at its end or a wildcard would refuse every token.

use super::findings::Findings;
use super::values::OneOrMany;

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
    names.iter().for_each(|name| check(key, name, findings));
    Some(names.clone())
}

pub(super) fn one(key: &str, name: Option<&String>, findings: &mut Findings<'_>) -> Option<String> {
    let name = name?;
    check(key, name, findings);
    Some(name.clone())
}

fn check(key: &str, name: &str, findings: &mut Findings<'_>) {
    const LIST: &str = "write each in quotes, such as `[\"a\", \"b\"]`";
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
            format_args!("is a list within quotes, which is compared as one name; {LIST}"),
        );
    } else if name.contains("://") && (has_space || is_list && name.matches("://").count() > 1) {
        findings
            .fault(key, format_args!("has several URLs in one string, or a space in one; {LIST}"));
    } else if is_list {
        findings.warn(
            key,
            format_args!("has a separator in one string, which is compared as one name; {LIST}"),
        );
    } else if name.contains('*') {
        findings.warn(
            key,
            "has a `*`, which is compared as it is and stands for no other text; write each name",
        );
    }
}
