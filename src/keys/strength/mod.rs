//! Estimates how hard a secret is to guess.
//!
//! A text that describes a secret (`your-secret-key-change-in-production`) has been published in
//! some tutorial or template, and attackers who have read one try it. A password meter does not
//! detect such a text: it rates ten dictionary words as a strong passphrase. The available crate
//! (`zxcvbn`) also counts only up to 2^64 guesses, so it rates a passphrase, a description and a
//! random key alike. Therefore the words that describe secrets are removed, together with
//! repetitions and sequences, and the remainder must be worth [`MIN_BITS`]. Letters in an order
//! that is usual in a language are worth less than random letters. A word is worth no more than a
//! random choice from a word list. The words of a sentence are worth nothing, since it may be a
//! quotation.

mod published;
mod readings;
mod text;
mod words;

use std::collections::HashSet;
use std::ops::Range;

use published::is_published;
use readings::readings;
use text::Text;
use words::{describing_at, is_joining, is_likely_pair};

/// An attacker who tries keys against a token cannot find a key of this many random bits.
const MIN_BITS: f64 = 80.0;

/// A random word from a list of 32768; the usual Diceware lists have 7776.
const BITS_OF_WORD: f64 = 15.0;

/// The bits of a random letter, and of a letter that often follows the previous one.
const BITS_OF_LETTER: f64 = 4.7;
const BITS_OF_LIKELY_LETTER: f64 = 2.2;

/// The bits of a letter in random typing on one row of the keyboard.
const BITS_OF_MASHED_LETTER: f64 = 1.5;

/// Longer runs of letters are several words, or random.
const LONGEST_WORD: usize = 14;

/// Bytes after this length are ignored: the bytes before them are enough for a strong secret.
const MAX_LENGTH: usize = 4096;

/// Whether the secret can be guessed.
pub(crate) fn is_guessable(secret: &[u8]) -> bool {
    let secret = secret.get(..MAX_LENGTH).unwrap_or(secret);
    let readings = readings(secret);
    is_published(&readings) || readings.iter().any(|reading| bits(&Text::new(reading)) < MIN_BITS)
}

/// An upper bound for the bits that the remainder of a secret is worth.
fn bits(text: &Text) -> f64 {
    if !text.is_printable {
        let in_patterns = patterns(&text.lower);
        let rest: Vec<u8> = (0..text.len())
            .filter(|at| !is_set(&in_patterns, *at))
            .filter_map(|at| text.at(at))
            .collect();
        return rest.len() as f64 * alphabet(&rest).log2();
    }
    let words = text.words();
    let is_wordy = is_wordy(text, &words);
    let in_words = known_words(&text.lower);
    let mut in_patterns = patterns(&text.lower);
    leave_out_separators(&text.lower, is_wordy, &mut in_patterns);
    let mut counts: Vec<_> =
        in_words.iter().zip(&in_patterns).map(|(word, pattern)| !word && !pattern).collect();
    let is_hex = (0..text.len())
        .filter(|at| is_set(&counts, *at))
        .all(|at| text.at(at).is_some_and(|byte| byte.is_ascii_hexdigit() || separates(byte)));
    let is_sentence = is_wordy && is_sentence(text, &words);
    let is_mashed = is_mashed(text);
    let mut bits = 0.0;
    for word in words.into_iter().filter(|_| !is_hex) {
        let known = |at: &usize| is_set(&in_words, *at);
        let is_known = (is_wordy && joins(text, &word)) || is_known_word(text, word.clone(), known);
        // Every random text contains such runs of one or two letters.
        if word.len() < 3 && !is_known {
            continue;
        }
        let is_other_word = !is_known && word.len() <= 10 && word.clone().any(|at| known(&at));
        let left: Vec<_> = word
            .clone()
            .filter(|at| !is_set(&in_patterns, *at) && !is_known)
            .filter(|at| is_other_word || !known(at))
            .collect();
        let is_one_word =
            is_wordy && word.len() <= LONGEST_WORD && !touches_number(&text.lower, word.clone());
        bits += bits_of_word(text, &left, is_one_word, is_sentence, is_mashed);
        counts.iter_mut().take(word.end).skip(word.start).for_each(|counts| *counts = false);
    }
    let rest = |at: &usize| is_set(&counts, *at);
    let foreign: f64 = (0..text.len()).filter(rest).filter_map(|at| text.bits_of_foreign(at)).sum();
    let rest: Vec<u8> = (0..text.len())
        .filter(rest)
        .filter(|at| text.bits_of_foreign(*at).is_none())
        .filter_map(|at| text.at(at))
        .filter(|byte| !is_hex || byte.is_ascii_hexdigit())
        .collect();
    bits + foreign + rest.len() as f64 * alphabet(&rest).log2()
}

fn is_set(flags: &[bool], at: usize) -> bool {
    flags.get(at).copied().unwrap_or(false)
}

/// Marks the bytes in words that describe secrets, including words in which digits and symbols
/// replace letters.
fn known_words(lower: &[u8]) -> Vec<bool> {
    let mut known = vec![false; lower.len()];
    // If its digits are read as letters, every random hex text contains words.
    let is_hex = lower.iter().all(|byte| byte.is_ascii_hexdigit() || separates(*byte));
    for (variant, min_length) in [(None, 2), (Some(b'i'), 4), (Some(b'l'), 4)] {
        if is_hex && variant.is_some() {
            continue;
        }
        let spelt: Vec<u8> = match variant {
            None => lower.to_vec(),
            Some(one) => lower.iter().map(|byte| letter_of_symbol(*byte, one)).collect(),
        };
        for at in 0..spelt.len() {
            for length in describing_at(spelt.get(at..).unwrap_or_default()) {
                // Every random text contains short words.
                if length >= min_length && (length > 2 || stands_alone(&spelt, at..at + length)) {
                    known.iter_mut().skip(at).take(length).for_each(|known| *known = true);
                }
            }
        }
    }
    known
}

/// The letter that a digit or symbol replaces, as in `s3cr3t`.
fn letter_of_symbol(byte: u8, one: u8) -> u8 {
    match byte {
        b'0' => b'o',
        b'1' | b'!' | b'|' => one,
        b'3' => b'e',
        b'4' | b'@' => b'a',
        b'5' | b'$' => b's',
        b'6' | b'9' => b'g',
        b'7' | b'+' => b't',
        b'8' => b'b',
        other => other,
    }
}

fn stands_alone(lower: &[u8], range: Range<usize>) -> bool {
    let before = range.start.checked_sub(1).and_then(|at| lower.get(at));
    [before, lower.get(range.end)]
        .into_iter()
        .flatten()
        .all(|beside| !beside.is_ascii_alphanumeric())
}

/// Whether there are digits next to a run of letters, except for a year after it.
fn touches_number(lower: &[u8], word: Range<usize>) -> bool {
    let before = word.start.checked_sub(1).and_then(|at| lower.get(at));
    let after = lower.get(word.end..).unwrap_or_default();
    before.is_some_and(u8::is_ascii_digit)
        || after.first().is_some_and(u8::is_ascii_digit) && !starts_with_year(after)
}

fn starts_with_year(lower: &[u8]) -> bool {
    matches!(lower, [b'1', b'9', third, fourth, ..] | [b'2', b'0', third, fourth, ..]
        if third.is_ascii_digit() && fourth.is_ascii_digit())
}

/// Whether a run of letters consists of known words, with endings and short words between them.
fn is_known_word(text: &Text, word: Range<usize>, known: impl Fn(&usize) -> bool) -> bool {
    const ENDINGS: [&[u8]; 16] = [
        b"s", b"d", b"ed", b"es", b"ing", b"er", b"ly", b"e", b"en", b"n", b"a", b"o", b"os",
        b"as", b"r", b"y",
    ];
    let covered = word.clone().filter(&known).count();
    if covered * 5 < word.len() * 3 {
        return false;
    }
    let mut at = word.start;
    while at < word.end {
        let end = (at..word.end).find(|next| known(next) != known(&at)).unwrap_or(word.end);
        let part = text.lower.get(at..end).unwrap_or_default();
        let is_ending = end == word.end && ENDINGS.contains(&part);
        let is_between_words = is_joining(part) || (word.len() > 10 && part.len() <= 2);
        if !(known(&at) || is_ending || is_between_words) {
            return false;
        }
        at = end;
    }
    true
}

/// The remainder of a run of letters.
fn bits_of_word(
    text: &Text,
    left: &[usize],
    is_one_word: bool,
    is_sentence: bool,
    is_mashed: bool,
) -> f64 {
    if is_mashed {
        return left.len() as f64 * BITS_OF_MASHED_LETTER;
    }
    let likely = left.iter().filter(|at| is_likely(&text.lower, **at)).count();
    if !is_natural(likely, left.len()) {
        return left.len() as f64 * BITS_OF_LETTER;
    }
    if is_sentence {
        return 0.0;
    }
    let bits =
        (left.len() - likely) as f64 * BITS_OF_LETTER + likely as f64 * BITS_OF_LIKELY_LETTER;
    if is_one_word { bits.min(BITS_OF_WORD) } else { bits }
}

/// Whether this many likely letters indicate a language: half of the letters that have a
/// predecessor, and more if a random run may be as long.
fn is_natural(likely: usize, letters: usize) -> bool {
    match letters > LONGEST_WORD {
        true => likely * 5 + 3 >= letters * 3,
        false => likely * 2 + 1 >= letters,
    }
}

/// Whether a text is mostly letters, and most of them are in runs that could be words.
fn is_wordy(text: &Text, words: &[Range<usize>]) -> bool {
    let letters = text.lower.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let natural: usize = words
        .iter()
        .filter(|word| {
            let likely = (word.start + 1..word.end).filter(|at| is_likely(&text.lower, *at));
            is_natural(likely.count(), word.len())
        })
        .map(ExactSizeIterator::len)
        .sum();
    natural * 3 >= letters * 2 && letters * 2 >= text.len()
}

/// Whether a letter often follows the previous one.
fn is_likely(lower: &[u8], at: usize) -> bool {
    let pair = at.checked_sub(1).and_then(|before| lower.get(before..=at));
    pair.is_some_and(is_likely_pair)
}

/// Whether a text is a sentence: words, many of which are function words.
fn is_sentence(text: &Text, words: &[Range<usize>]) -> bool {
    let letters: usize = words.iter().map(ExactSizeIterator::len).sum();
    let separators = text.lower.iter().filter(|byte| separates(**byte)).count();
    let joining = words.iter().filter(|word| joins(text, word)).count();
    words.len() >= 6 && joining * 4 >= words.len() && (letters + separators) * 10 >= text.len() * 9
}

/// Whether a run of letters is a function word. A single letter must be separate from the next run.
fn joins(text: &Text, word: &Range<usize>) -> bool {
    text.lower.get(word.clone()).is_some_and(is_joining)
        && !touches_number(&text.lower, word.clone())
        && (word.len() > 1 || stands_alone(&text.lower, word.clone()))
}

/// Whether nearly every letter is on the same keyboard row as the previous one.
fn is_mashed(text: &Text) -> bool {
    const MIN_PAIRS: usize = 22;
    const ROWS: [&[u8]; 3] = [b"qwertyuiop", b"asdfghjkl", b"zxcvbnm"];
    let row = |letter: u8| ROWS.iter().position(|row| row.contains(&letter));
    let pairs = text.lower.windows(2).filter_map(|pair| match pair {
        [first, second] => Some((row(*first)?, row(*second)?)),
        _ => None,
    });
    let (same, all) = pairs.fold((0, 0), |(same, all), (first, second)| {
        (same + usize::from(first == second), all + 1)
    });
    all >= MIN_PAIRS && same * 5 >= all * 4
}

/// Marks repetitions, sequences that count up or down, and years.
fn patterns(lower: &[u8]) -> Vec<bool> {
    let is_hex = lower.iter().all(u8::is_ascii_hexdigit);
    // Random digits contain repetitions of four digits too often.
    let is_number = lower.iter().all(|byte| byte.is_ascii_digit() || separates(*byte));
    let copy_length = if is_number { 6 } else { 4 };
    let mut repeats = vec![false; lower.len()];
    for (at, byte) in lower.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| lower.get(at));
        let earlier = at.checked_sub(2).and_then(|at| lower.get(at));
        // Equal steps: `aaa`, `123`, `cba`, and from `9` to `a`.
        let step = |from: u8, to: u8| match (from, to) {
            (b'9', b'a' | b'0') => Some(1),
            (from, to) => Some(i16::from(to) - i16::from(from)).filter(|step| step.abs() <= 1),
        };
        let goes_on = match (earlier, before) {
            (Some(&earlier), Some(&before)) => {
                step(earlier, before).is_some() && step(earlier, before) == step(before, *byte)
            }
            _ => false,
        };
        if let Some(repeats) = repeats.get_mut(at) {
            *repeats |= goes_on;
        }
    }
    for at in 0..lower.len() {
        let follows_digit =
            at.checked_sub(1).and_then(|at| lower.get(at)).is_some_and(u8::is_ascii_digit);
        if !is_hex && !follows_digit && starts_with_year(lower.get(at..).unwrap_or_default()) {
            repeats.iter_mut().skip(at).take(4).for_each(|repeats| *repeats = true);
        }
    }
    let mut seen = HashSet::new();
    for (at, copy) in lower.windows(copy_length).enumerate() {
        if !seen.insert(copy) {
            repeats.iter_mut().skip(at).take(copy_length).for_each(|repeats| *repeats = true);
        }
    }
    repeats
}

/// Marks separators: all of them between words, and elsewhere those that occur more than once.
fn leave_out_separators(lower: &[u8], is_wordy: bool, left_out: &mut [bool]) {
    let mut seen = HashSet::new();
    for (byte, left_out) in lower.iter().zip(left_out).filter(|(byte, _)| separates(**byte)) {
        *left_out |= is_wordy || (b"-_. ".contains(byte) && !seen.insert(byte));
    }
}

fn separates(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b"-_.,:;!?'\"=*#/".contains(&byte)
}

/// The number of possible characters of the kinds that occur.
fn alphabet(rest: &[u8]) -> f64 {
    if rest.iter().all(u8::is_ascii_hexdigit) {
        return if rest.iter().all(u8::is_ascii_digit) { 10.0 } else { 16.0 };
    }
    let size = |is_of_kind: fn(&u8) -> bool, size: f64| match rest.iter().any(is_of_kind) {
        true => size,
        false => 0.0,
    };
    let sizes = size(u8::is_ascii_lowercase, 26.0)
        + size(u8::is_ascii_uppercase, 26.0)
        + size(u8::is_ascii_digit, 10.0)
        + size(u8::is_ascii_punctuation, 32.0)
        + size(|byte| !byte.is_ascii_graphic(), 160.0);
    sizes.max(1.0)
}

#[cfg(test)]
mod tests;
