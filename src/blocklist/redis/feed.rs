//! How the keys in Redis are followed: by a stream, in which the scripts that write an entry leave it
//! as well.
//!
//! Redis runs one script at a time, so the stream is in the order of writing. It keeps the last ones.
//! Who follows reads from the last record it has seen, and not after it, to see whether that is still
//! there, with its contents: if it was trimmed, flushed, or lost in a fail-over, others may be missing,
//! and all keys are read anew. So that there is one from the beginning, it leaves a record of its own.

use rocket_db_pools::deadpool_redis::redis::{self, Value};
use uuid::Uuid;

use super::super::follow::{Changes, Cursor, Entry, ReplicableBlocklist, PAGE};
use super::{Fields, RedisBlocklist, StoreError};
use crate::blocklist::EntryKey;

/// The stream's key, after the prefix. No entry has it, as no kind has this letter.
const STREAM: &str = "changes";

/// A record: its id, then one field and its value.
type Record = (String, Vec<String>);

/// Where a pass is.
enum Place {
    /// At its end, or in the midst of what has changed: after a record.
    Changes(Record),
    /// In the midst of all keys, by the cursor of `SCAN`. They are followed after the record.
    Keys { scan: String, next: Record },
}

#[rocket::async_trait]
impl ReplicableBlocklist for RedisBlocklist {
    async fn changes(&self, after: Option<&Cursor>) -> Result<Changes, StoreError> {
        match after.and_then(Cursor::get::<Place>) {
            None => self.anew().await,
            Some(Place::Changes(last)) => match self.records_after(last).await? {
                Some(records) => {
                    let more = records.len() as i64 >= PAGE;
                    let last = records.last().unwrap_or(last).clone();
                    let entries = records.iter().filter_map(of_record).collect();
                    Ok(Changes { entries, cursor: Cursor::new(Place::Changes(last)), more })
                }
                None => self.anew().await,
            },
            Some(Place::Keys { scan, next }) => {
                let (scan, entries) = self.scan(scan).await?;
                let more = scan != "0";
                let place = match more {
                    true => Place::Keys { scan, next: next.clone() },
                    false => Place::Changes(next.clone()),
                };
                Ok(Changes { entries, cursor: Cursor::new(place), more })
            }
        }
    }
}

impl RedisBlocklist {
    /// The stream of the entries as they are written.
    pub(super) fn stream(&self) -> String {
        format!("{}{STREAM}", self.keys.prefix)
    }

    async fn anew(&self) -> Result<Changes, StoreError> {
        let mark = format!("- {}", Uuid::new_v4().simple());
        let mut add = redis::cmd("XADD");
        add.arg(self.stream()).arg("*").arg("entry").arg(&mark);
        let id: String = self.ask(&add).await?;
        let next = (id, vec!["entry".into(), mark]);
        let cursor = Cursor::new(Place::Keys { scan: "0".into(), next });
        Ok(Changes { entries: vec![], cursor, more: true })
    }

    /// The records after this one, if it is still there.
    async fn records_after(&self, last: &Record) -> Result<Option<Vec<Record>>, StoreError> {
        let mut range = redis::cmd("XRANGE");
        range.arg(self.stream()).arg(&last.0).arg("+").arg("COUNT").arg(PAGE + 1);
        let found: Vec<Vec<Value>> = self.ask(&range).await?;
        let mut records = found.iter().map(|record| read(record));
        match records.next().transpose()? {
            Some(first) if first == *last => records.collect::<Result<_, _>>().map(Some),
            _ => Ok(None),
        }
    }

    /// Some of the entries, and the cursor for others.
    async fn scan(&self, cursor: &str) -> Result<(String, Vec<Entry>), StoreError> {
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(format!("{}[tsu]*", escaped(&self.keys.prefix)));
        scan.arg("COUNT").arg(PAGE);
        let (cursor, names): (String, Vec<String>) = self.ask(&scan).await?;
        let keys: Vec<_> = names
            .into_iter()
            .filter_map(|name| Some((parsed(name.strip_prefix(&self.keys.prefix)?)?, name)))
            .collect();
        if keys.is_empty() {
            return Ok((cursor, vec![]));
        }
        let mut get = redis::cmd("MGET");
        get.arg(keys.iter().map(|(_, name)| name).collect::<Vec<_>>());
        let values: Vec<Value> = self.ask(&get).await?;
        let entries = keys.iter().zip(&values).map(|((key, _), value)| {
            // One that has left meanwhile, and one of another type, are as a malformed one: the
            // store is asked about them.
            let entry = match value {
                Value::Data(value) => of_value(*key, value),
                _ => None,
            };
            entry.unwrap_or_else(|| malformed(*key))
        });
        Ok((cursor, entries.collect()))
    }

    async fn ask<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, StoreError> {
        let mut connection = self.connection().await?;
        command.query_async(&mut connection).await.map_err(StoreError::new)
    }
}

fn read(record: &[Value]) -> Result<Record, StoreError> {
    let [id, fields] = record else { return Err(StoreError::new("no record of a stream")) };
    let read = || Ok((redis::from_redis_value(id)?, redis::from_redis_value(fields)?));
    read().map_err(|error: redis::RedisError| StoreError::new(error))
}

/// The entry in a record, whose text is the key without prefix, and the value of the key.
fn of_record((_, fields): &Record) -> Option<Entry> {
    let (key, value) = fields.get(1)?.split_once(' ')?;
    let key = parsed(key)?;
    Some(of_value(key, value.as_bytes()).unwrap_or_else(|| malformed(key)))
}

/// Reads `revoked cut_off used expires changed`.
fn of_value(key: EntryKey, value: &[u8]) -> Option<Entry> {
    let (Fields { revoked, cut_off, used }, until) = super::fields(value)?;
    Some(Entry { key, revoked, cut_off, used, until })
}

fn malformed(key: EntryKey) -> Entry {
    Entry { key, revoked: false, cut_off: None, used: None, until: None }
}

/// Reads a letter for the kind and the id in hexadecimal.
fn parsed(text: &str) -> Option<EntryKey> {
    let (kind, digits) = text.as_bytes().split_first()?;
    let mut key = [*kind; 17];
    let (_, id) = key.split_first_mut()?;
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if digits.len() != 2 * id.len() || !digits.iter().all(is_digit) {
        return None;
    }
    for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(key)
}

/// A text that, as a pattern, stands for itself.
fn escaped(prefix: &str) -> String {
    let mut pattern = String::with_capacity(prefix.len());
    for c in prefix.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '^' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::{escaped, of_record, parsed};

    #[test]
    fn a_record_is_the_key_and_the_value_of_an_entry() {
        let key = format!("t{}", "0f".repeat(16));
        let record = |text: String| ("1-0".to_string(), vec!["entry".to_string(), text]);
        let entry = of_record(&record(format!("{key} 1 - 5 7 9"))).expect("an entry");
        assert_eq!((Some(entry.key), entry.revoked), (parsed(&key), true));
        assert_eq!((entry.cut_off, entry.used, entry.until), (None, Some(5), Some(7)));
        // What can't be right is something, so that it is not passed over.
        let entry = of_record(&record(format!("{key} nonsense"))).expect("an entry");
        assert!(!entry.revoked && entry.used.is_none());
        assert!(of_record(&record("- 0123".into())).is_none());
    }

    #[test]
    fn a_key_is_read_as_it_is_written() {
        for text in ["", "t", "t0", &"t".repeat(33), &format!("t{}", "+f".repeat(16)), "tä"] {
            assert!(parsed(text).is_none(), "{text}");
        }
        assert_eq!(
            parsed(&format!("s{}", "00".repeat(16))),
            Some({
                let mut key = [0; 17];
                key[0] = b's';
                key
            })
        );
    }

    #[test]
    fn a_prefix_is_no_pattern() {
        assert_eq!(escaped("a*[b]?\\^:"), "a\\*\\[b\\]\\?\\\\\\^:");
    }
}
