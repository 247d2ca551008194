//! A secret as text, with one byte per character.

use std::ops::Range;

/// The bits of a non-ASCII letter in running text, and of a character of a script that writes words
/// or syllables.
const BITS_OF_LETTER: f64 = 1.6;
const BITS_OF_IDEOGRAPH: f64 = 2.5;

/// Fewer non-ASCII characters may be random bytes that happen to be valid UTF-8.
const MIN_FOREIGN: usize = 10;

pub(super) struct Text {
    /// The text without accents; a non-ASCII character becomes a non-ASCII byte.
    bytes: Vec<u8>,
    pub(super) lower: Vec<u8>,
    /// Whether the secret could have been typed. Letters between other bytes are not words.
    pub(super) is_printable: bool,
    /// The bits that a non-ASCII character is worth, if the secret is text.
    foreign: Vec<Option<f64>>,
}

impl Text {
    pub(super) fn new(secret: &[u8]) -> Self {
        let Ok(text) = std::str::from_utf8(secret) else {
            let foreign = vec![None; secret.len()];
            let lower = secret.to_ascii_lowercase();
            return Self { bytes: secret.into(), lower, is_printable: false, foreign };
        };
        let is_foreign = |c: &char| !c.is_ascii() && plain(*c).is_none();
        let is_language = text.chars().filter(is_foreign).count() >= MIN_FOREIGN;
        let mut bytes = Vec::with_capacity(secret.len());
        let mut foreign = Vec::with_capacity(secret.len());
        for character in text.chars() {
            match (u8::try_from(character), plain(character)) {
                (Ok(byte), _) if byte.is_ascii() => {
                    bytes.push(byte);
                    foreign.push(None);
                }
                (_, Some(letters)) => {
                    bytes.extend_from_slice(letters.as_bytes());
                    foreign.resize(bytes.len(), None);
                }
                _ => {
                    // Different characters stay different enough to detect repetitions.
                    bytes
                        .push(0x80 | u8::try_from(u32::from(character) & 0x7f).unwrap_or_default());
                    foreign.push(Some(match is_language {
                        true => bits_of(character),
                        false => 8.0 * character.len_utf8() as f64,
                    }));
                }
            }
        }
        let lower = bytes.to_ascii_lowercase();
        let is_printable = !text.chars().any(|c| c.is_control() && !c.is_whitespace());
        Self { bytes, lower, is_printable, foreign }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn at(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    pub(super) fn bits_of_foreign(&self, at: usize) -> Option<f64> {
        self.foreign.get(at).copied().flatten()
    }

    /// The runs of letters that are written like words: in one case, or with an initial capital
    /// letter, which also begins a new run. Random letters change case at every other letter.
    pub(super) fn words(&self) -> Vec<Range<usize>> {
        let is_letter = |at: &usize| self.at(*at).is_some_and(|byte| byte.is_ascii_alphabetic());
        let mut words = Vec::new();
        let mut at = 0;
        while at < self.len() {
            let end = (at..self.len()).find(|at| !is_letter(at)).unwrap_or(self.len());
            let parts = self.parts(at..end);
            if parts.len() == 1 || parts.len() * 4 <= end - at {
                words.extend(parts);
            }
            at = end.max(at + 1);
        }
        words
    }

    /// Splits a run of letters before each capital letter that begins a word.
    fn parts(&self, run: Range<usize>) -> Vec<Range<usize>> {
        let is_upper = |at: usize| self.at(at).is_some_and(|byte| byte.is_ascii_uppercase());
        let mut parts = Vec::new();
        let mut start = run.start;
        for at in run.start + 1..run.end {
            let begins =
                is_upper(at) && (!is_upper(at - 1) || (at + 1 < run.end && !is_upper(at + 1)));
            if begins {
                parts.push(start..at);
                start = at;
            }
        }
        if start < run.end {
            parts.push(start..run.end);
        }
        parts
    }
}

fn bits_of(character: char) -> f64 {
    match character {
        '\u{2e80}'..='\u{ffff}' | '\u{20000}'.. => BITS_OF_IDEOGRAPH,
        _ => BITS_OF_LETTER,
    }
}

/// Removes the accent of a Latin letter.
fn plain(character: char) -> Option<&'static str> {
    const PLAIN: [(&str, &str); 17] = [
        ("àáâãäåāąă", "a"),
        ("çćč", "c"),
        ("ďđð", "d"),
        ("èéêëēęě", "e"),
        ("ğ", "g"),
        ("ìíîïīıİ", "i"),
        ("ł", "l"),
        ("ñńň", "n"),
        ("òóôõöøōő", "o"),
        ("ř", "r"),
        ("śšşș", "s"),
        ("ťţț", "t"),
        ("ùúûüūůű", "u"),
        ("ýÿ", "y"),
        ("źżž", "z"),
        ("ß", "ss"),
        ("æ", "ae"),
    ];
    let lower = character.to_lowercase().next()?;
    PLAIN.iter().find(|(accented, _)| accented.contains(lower)).map(|(_, plain)| *plain)
}
