//! A logger that keeps everything.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use log::{LevelFilter, Log, Metadata, Record};

#[derive(Debug, Clone)]
pub struct Line {
    pub level: log::Level,
    pub module: String,
    pub text: String,
}

struct Keeper;

static LINES: Mutex<Vec<Line>> = Mutex::new(Vec::new());

impl Log for Keeper {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        lock(&LINES).push(Line {
            level: record.level(),
            module: record.module_path().unwrap_or_default().into(),
            text: record.args().to_string(),
        });
    }

    fn flush(&self) {}
}

/// What is logged while `run` runs. One at a time, as there is one log.
pub fn log_of<T>(run: impl FnOnce() -> T) -> (T, Vec<Line>) {
    static LOGGER: OnceLock<()> = OnceLock::new();
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = lock(&ONE_AT_A_TIME);
    LOGGER.get_or_init(|| {
        log::set_logger(&Keeper).expect("nobody was before");
        log::set_max_level(LevelFilter::Trace);
    });
    lock(&LINES).clear();
    let result = run();
    (result, std::mem::take(&mut *lock(&LINES)))
}

fn lock<T>(mutex: &'static Mutex<T>) -> MutexGuard<'static, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
