//! Quartiles.

use std::fmt;

use crate::rounds;

/// The first quartile, the median, and the third.
#[derive(Clone, Copy)]
pub struct Quartiles {
    pub low: f64,
    pub median: f64,
    pub high: f64,
}

impl Quartiles {
    pub fn of(values: impl Iterator<Item = f64>) -> Self {
        let [low, median, high] = rounds::quartiles(values);
        Self { low, median, high }
    }
}

/// The median, with the quartiles in parentheses, with this number of digits.
impl fmt::Display for Quartiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(2);
        let Self { low, median, high } = self;
        write!(f, "{median:.digits$} ({low:.digits$} to {high:.digits$})")
    }
}
