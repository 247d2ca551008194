//! A request's body. Only the data guard has it: request guards cannot read bodies.

use rocket::futures::FutureExt;
use rocket::http::ContentType;

/// A request's body, read into memory.
pub(crate) struct Body<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) content_type: Option<&'a ContentType>,
}

/// `application/json`, and types with the suffix `+json` (RFC 6839 §3.1).
pub(crate) fn is_json(content_type: &ContentType) -> bool {
    let sub = content_type.sub();
    content_type.top() == "application"
        && (sub == "json" || sub.as_str().to_ascii_lowercase().ends_with("+json"))
}

/// Parsing a multipart form of at most this length is cheap.
const SHORT: usize = 16 << 10;

/// The value of a urlencoded form's field, if exactly one field has that name. The result is the
/// same as that of `form_urlencoded::parse()`, but nothing is allocated for the other fields, of
/// which a client could send millions.
fn urlencoded_field(form: &[u8], name: &str) -> Option<String> {
    let mut found = None;
    for field in form.split(|byte| *byte == b'&') {
        // An escaped field is never shorter than the name it stands for.
        if field.len() < name.len() || !has_name(field, name) {
            continue;
        }
        let Some((_, value)) = form_urlencoded::parse(field).next() else { continue };
        if found.replace(value.into_owned()).is_some() {
            return None;
        }
    }
    found
}

fn has_name(field: &[u8], name: &str) -> bool {
    let mut rest = field.split(|byte| *byte == b'=').next().unwrap_or_default();
    for expected in name.bytes() {
        let (sent, length) = match rest {
            [b'%', high, low, ..] => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, 3),
                _ => (b'%', 1),
            },
            [b'+', ..] => (b' ', 1),
            [byte, ..] => (*byte, 1),
            [] => return false,
        };
        if sent != expected {
            return false;
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    rest.is_empty()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

impl Body<'_> {
    /// The text fields of a form, urlencoded or multipart.
    pub(crate) fn form_fields(&self) -> Option<Vec<(String, String)>> {
        let content_type = self.content_type?;
        if content_type.is_form() {
            Some(form_urlencoded::parse(self.bytes).into_owned().collect())
        } else if content_type.is_form_data() {
            self.multipart_fields(content_type)
        } else {
            None
        }
    }

    /// A form field's value, if exactly one field has that name.
    pub(crate) fn form_field(&self, name: &str) -> Option<String> {
        let content_type = self.content_type?;
        if content_type.is_form() {
            return urlencoded_field(self.bytes, name);
        }
        let mut values = self.form_fields()?.into_iter().filter(|(n, _)| n == name);
        let (_, value) = values.next()?;
        values.next().is_none().then_some(value)
    }

    /// Whether finding a field is cheap enough to do before the token is verified: in a urlencoded
    /// form of any length, and in a short multipart form.
    pub(crate) fn is_cheap(&self) -> bool {
        !self.content_type.is_some_and(|content_type| content_type.is_form_data())
            || self.bytes.len() <= SHORT
    }

    /// Whether a multipart form may have a field of that name.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        memchr::memmem::find(self.bytes, name.as_bytes()).is_some()
    }

    /// The value of a multipart form's field, if the beginning of the form contains it. A later
    /// field may have the same name, so this value is not sufficient to accept anything.
    pub(crate) fn early_field(&self, name: &str) -> Option<String> {
        let mut form = multipart(self.bytes.get(..SHORT)?, self.content_type?)?;
        async {
            while let Some(field) = form.next_field().await.ok()? {
                let is_meant = field.name() == Some(name) && field.file_name().is_none();
                let value = field.text().await.ok()?;
                if is_meant {
                    return Some(value);
                }
            }
            None
        }
        .now_or_never()?
    }

    fn multipart_fields(&self, content_type: &ContentType) -> Option<Vec<(String, String)>> {
        let mut form = multipart(self.bytes, content_type)?;
        async {
            let mut fields = Vec::new();
            while let Some(field) = form.next_field().await.ok()? {
                let is_file = field.file_name().is_some();
                let name = field.name().map(ToString::to_string);
                let value = field.text().await.ok()?;
                if let (Some(name), false) = (name, is_file) {
                    fields.push((name, value));
                }
            }
            Some(fields)
        }
        .now_or_never()?
    }
}

/// A multipart form. Everything is in memory, so that the first poll of each future completes.
fn multipart(bytes: &[u8], content_type: &ContentType) -> Option<multer::Multipart<'static>> {
    let boundary = content_type.param("boundary")?;
    let bytes = rocket::futures::stream::iter([Ok::<_, std::io::Error>(bytes.to_vec())]);
    Some(multer::Multipart::new(bytes, boundary))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::urlencoded_field;

    proptest! {
        #[test]
        fn a_field_is_what_the_parser_finds(
            form in "((a|b|%61|%62|\\+|a\\+|é|%ff|%|%4|x)?(=|==)?(1|%31|\\+|%e9)?&?){0,6}",
            name in "a|b|ab|aa| |a | a|é|x",
        ) {
            let all = form_urlencoded::parse(form.as_bytes()).filter(|(other, _)| *other == name);
            let values: Vec<_> = all.map(|(_, value)| value.into_owned()).collect();
            let expected = match &values[..] {
                [one] => Some(one.clone()),
                _ => None,
            };
            prop_assert_eq!(urlencoded_field(form.as_bytes(), &name), expected);
        }
    }
}
