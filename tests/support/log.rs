//! What is logged, by thread: Rocket's local client launches and answers on the thread that calls
//! it.

#![allow(dead_code)]

use std::cell::RefCell;
use std::sync::Once;

use log::{LevelFilter, Log, Metadata, Record};

struct Capture;

thread_local! {
    static LINES: RefCell<Option<String>> = const { RefCell::new(None) };
}

impl Log for Capture {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        // Gone while the thread ends.
        let _ = LINES.try_with(|lines| {
            if let Some(lines) = lines.borrow_mut().as_mut() {
                lines.push_str(&format!("{}: {}\n", record.level(), record.args()));
            }
        });
    }

    fn flush(&self) {}
}

/// Takes the place of Rocket's own logger, which otherwise the first Rocket of the process
/// installs.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Capture).expect("no Rocket was made before the log was captured");
        log::set_max_level(LevelFilter::Trace);
    });
}

/// What `run` gives, and every line it logs on this thread, of every level.
pub fn logged<T>(run: impl FnOnce() -> T) -> (T, String) {
    install();
    LINES.with_borrow_mut(|lines| *lines = Some(String::new()));
    let given = run();
    let lines = LINES.with_borrow_mut(Option::take);
    (given, lines.unwrap_or_default())
}
