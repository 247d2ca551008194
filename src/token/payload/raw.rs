//! The members of a payload, as written.

use std::borrow::Cow;

/// Iterates over the members of an object: each name, and the JSON text of its value. The text must have
/// been validated.
pub(crate) struct Members<'a> {
    json: &'a str,
    at: usize,
}

impl<'a> Members<'a> {
    pub(crate) fn of(json: &'a str) -> Self {
        let start = json.bytes().position(|byte| byte == b'{');
        Self { json, at: start.map_or(json.len(), |start| start + 1) }
    }

    fn byte(&self) -> Option<u8> {
        self.json.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, skipped: impl Fn(u8) -> bool) {
        while self.byte().is_some_and(&skipped) {
            self.at += 1;
        }
    }

    /// The text of the value that begins here.
    fn value(&mut self) -> Option<&'a str> {
        let start = self.at;
        let mut levels = 0_usize;
        loop {
            match self.byte()? {
                b'"' => self.string()?,
                b'{' | b'[' => {
                    levels += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    levels = levels.checked_sub(1)?;
                    self.at += 1;
                }
                // Separators, inside a list or an object.
                _ if levels > 0 => self.at += 1,
                _ => self.skip(|byte| !is_space(byte) && !matches!(byte, b',' | b'}' | b']')),
            }
            if levels == 0 {
                return self.json.get(start..self.at);
            }
        }
    }

    /// Moves past the string that begins here.
    fn string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            match self.byte()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(())
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (Cow<'a, str>, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        self.skip(|byte| is_space(byte) || byte == b',');
        if self.byte()? != b'"' {
            return None;
        }
        let name = self.value()?;
        let name = match name.contains('\\') {
            true => serde_json::from_str::<String>(name).ok()?.into(),
            false => name.strip_prefix('"')?.strip_suffix('"')?.into(),
        };
        self.skip(|byte| is_space(byte) || byte == b':');
        Some((name, self.value()?))
    }
}

/// The JSON text of the member with that name.
pub(crate) fn member<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    Members::of(json).find(|(other, _)| other == name).map(|(_, value)| value)
}

/// A valid JSON text without the white space between its parts. Nothing else changes, so two
/// different numbers remain two texts, even if they would be equal as machine numbers.
pub(crate) fn compact(json: &str) -> String {
    let (mut in_string, mut is_escaped) = (false, false);
    json.chars()
        .filter(|&char| {
            if in_string {
                in_string = is_escaped || char != '"';
                is_escaped = !is_escaped && char == '\\';
                return true;
            }
            in_string = char == '"';
            !matches!(char, ' ' | '\t' | '\n' | '\r')
        })
        .collect()
}

/// White space (RFC 8259 §2).
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::{Members, compact, member};

    #[test]
    fn a_value_is_the_text_that_was_written() {
        let json =
            " { \"a\" : 1.50 ,\n\"b\\u0062\":[1, {\"c\":\"]},\\\"\"} ] , \"d\":\"\\\\\",\"e\":{}}";
        let members: Vec<_> = Members::of(json).collect();
        let expected = [
            ("a".into(), "1.50"),
            ("bb".into(), "[1, {\"c\":\"]},\\\"\"} ]"),
            ("d".into(), "\"\\\\\""),
            ("e".into(), "{}"),
        ];
        assert_eq!(members, expected);
        assert_eq!(member(json, "d"), Some("\"\\\\\""));
        assert_eq!(member(json, "c"), None);
        assert_eq!(compact("[1, {\"c \":\" \\\" \"}\n]"), "[1,{\"c \":\" \\\" \"}]");
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[ -~é\\n]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[ -~é]{0,4}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_finds_what_serde_json_finds(
            object in proptest::collection::btree_map("[ -~é\\n]{0,4}", json(), 0..5),
            pretty in any::<bool>(),
        ) {
            let object = Value::Object(object.into_iter().collect());
            let text = match pretty {
                true => serde_json::to_string_pretty(&object).expect("JSON"),
                false => object.to_string(),
            };
            let found: serde_json::Map<_, _> = Members::of(&text)
                .map(|(name, value)| {
                    (name.into_owned(), serde_json::from_str(value).expect("a value"))
                })
                .collect();
            prop_assert_eq!(&Value::Object(found), &object);
            prop_assert_eq!(compact(&text), object.to_string());
        }
    }
}
