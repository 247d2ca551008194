//! Where the members of a plain payload stand in its JSON.

/// More members than this are not kept: such a payload is read the general way.
const ROOM: usize = 16;

/// The members of a payload in their order, every name once: where each name and each value stands.
#[derive(Clone, Copy, Default)]
pub(crate) struct Members {
    all: [Member; ROOM],
    count: u8,
}

#[derive(Clone, Copy, Default)]
struct Member {
    name: Span,
    value: Span,
}

/// A part of the JSON. Longer payloads than two bytes can count are read the general way.
#[derive(Clone, Copy, Default)]
pub(super) struct Span {
    start: u16,
    end: u16,
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Option<Self> {
        Some(Self { start: u16::try_from(start).ok()?, end: u16::try_from(end).ok()? })
    }

    #[inline]
    pub(super) fn of(self, json: &str) -> &str {
        json.get(usize::from(self.start)..usize::from(self.end)).unwrap_or_default()
    }
}

impl Members {
    /// `None` when there is no room left.
    pub(super) fn push(&mut self, name: Span, value: Span) -> Option<()> {
        *self.all.get_mut(usize::from(self.count))? = Member { name, value };
        self.count += 1;
        Some(())
    }

    /// The name of each, in the JSON they were found in, and where its value stands there.
    pub(super) fn iter<'m, 'a: 'm>(
        &'m self,
        json: &'a str,
    ) -> impl ExactSizeIterator<Item = (&'a str, Span)> + use<'m, 'a> {
        let all = self.all.get(..usize::from(self.count)).unwrap_or_default();
        all.iter().map(move |member| (member.name.of(json), member.value))
    }

    pub(super) fn has(&self, name: &str, json: &str) -> bool {
        self.iter(json).any(|(other, _)| other == name)
    }
}
