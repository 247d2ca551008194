//! The identity of a database's file. A connection to a file that was replaced reads the old one.

use std::path::Path;

/// The device and the inode of a file. The inode is not reused while a connection has the file open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId {
    #[cfg(unix)]
    device: u64,
    #[cfg(unix)]
    inode: u64,
}

impl FileId {
    /// The identity of the file that currently has this name, if any.
    #[cfg(unix)]
    pub(super) fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;

        let metadata = std::fs::metadata(path).ok()?;
        Some(Self { device: metadata.dev(), inode: metadata.ino() })
    }

    /// On this platform the standard library has no such identity, so a replaced file is not noticed
    /// until the connection is closed because of its age.
    #[cfg(not(unix))]
    pub(super) fn of(_path: &Path) -> Option<Self> {
        None
    }
}
