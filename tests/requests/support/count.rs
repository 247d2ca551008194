//! A counter that is shared with hooks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A number of calls.
#[derive(Clone, Default)]
pub struct Count(Arc<AtomicUsize>);

impl Count {
    pub fn up(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// The count since it was last taken.
    pub fn take(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}
