//! The positions of a payload's members in its JSON, found by the fast path.

/// A payload with more members is parsed by `serde_json`.
const ROOM: usize = 16;

/// The positions of each member's name and value, in order. No name occurs twice.
#[derive(Clone, Copy, Default)]
pub(crate) struct Spans {
    all: [Member; ROOM],
    count: u8,
}

#[derive(Clone, Copy, Default)]
struct Member {
    name: Span,
    value: Span,
}

/// A range of the JSON. A payload that is too long for a `u16` is parsed by `serde_json`.
#[derive(Clone, Copy, Default)]
pub(crate) struct Span {
    start: u16,
    end: u16,
}

impl Span {
    pub(crate) fn new(start: usize, end: usize) -> Option<Self> {
        Some(Self { start: u16::try_from(start).ok()?, end: u16::try_from(end).ok()? })
    }

    #[inline]
    pub(crate) fn of(self, json: &str) -> &str {
        json.get(usize::from(self.start)..usize::from(self.end)).unwrap_or_default()
    }
}

impl Spans {
    /// `None` when there is no room left.
    pub(crate) fn push(&mut self, name: Span, value: Span) -> Option<()> {
        *self.all.get_mut(usize::from(self.count))? = Member { name, value };
        self.count += 1;
        Some(())
    }

    /// Each member's name, and the position of its value.
    pub(crate) fn iter<'m, 'a: 'm>(
        &'m self,
        json: &'a str,
    ) -> impl ExactSizeIterator<Item = (&'a str, Span)> + use<'m, 'a> {
        let all = self.all.get(..usize::from(self.count)).unwrap_or_default();
        all.iter().map(move |member| (member.name.of(json), member.value))
    }

    pub(crate) fn has(&self, name: &str, json: &str) -> bool {
        self.iter(json).any(|(other, _)| other == name)
    }
}
