//! Reads the changes of the keys from a stream. The scripts that write an entry also append it to
//! the stream.
//!
//! Redis runs one script at a time, so the stream is in the order of the writes. It keeps only the
//! latest records. The reader begins with the last record it has read, not after it, to check that
//! this record still exists with the same contents. If the record was trimmed, flushed, or lost in
//! a fail-over, others may be missing, and all keys are read again. To have such a record from the
//! start, the reader first appends a record itself.

use rocket_db_pools::deadpool_redis::Pool;
use rocket_db_pools::deadpool_redis::redis::{self, Value};
use uuid::Uuid;

use super::keyspace::{Keyspace, parse_value};
use super::pooled;
use super::primary::RoleCheck;
use super::rights;
use crate::blocklist::database::rows::{self, Fields, PAGE};
use crate::blocklist::entry::{Entry, EntryKey};
use crate::blocklist::replica::changes::{Changes, Cursor};
use crate::blocklist::store::StoreError;

/// A record of the stream: its id, then one field and its value.
type Record = (String, Vec<String>);

/// The position of a pass.
enum Position {
    /// At its end, or within the changes: after a record.
    Changes(Record),
    /// Within all keys, at a cursor of `SCAN`. The changes after the record follow them.
    Keys { scan: String, next: Record },
}

/// Reads the changes of a keyspace on connections of the pool, as a page would delay the requests
/// on the shared connection.
pub(super) struct ChangeReader<'a> {
    pub(super) pool: &'a Pool,
    pub(super) keys: &'a Keyspace,
    pub(super) role: &'a RoleCheck,
}

impl ChangeReader<'_> {
    /// Reads the page that follows a cursor.
    pub(super) async fn page_after(&self, after: Option<&Cursor>) -> Result<Changes, StoreError> {
        match after.and_then(Cursor::get::<Position>) {
            None => {
                rights::try_reading(self.pool, self.keys).await?;
                self.restart().await
            }
            Some(Position::Changes(last)) => match self.records_after(last).await? {
                Some(records) => {
                    let more = records.len() as i64 >= PAGE;
                    let last = records.last().unwrap_or(last).clone();
                    let entries = records.iter().filter_map(entry_of_record).collect();
                    Ok(Changes { entries, cursor: Cursor::new(Position::Changes(last)), more })
                }
                None => self.restart().await,
            },
            Some(Position::Keys { scan, next }) => {
                let (scan, entries) = self.scan(scan).await?;
                let more = scan != "0";
                let position = match more {
                    true => Position::Keys { scan, next: next.clone() },
                    false => Position::Changes(next.clone()),
                };
                Ok(Changes { entries, cursor: Cursor::new(position), more })
            }
        }
    }

    /// Begins a pass that reads all keys.
    async fn restart(&self) -> Result<Changes, StoreError> {
        let mark = format!("- {}", Uuid::new_v4().simple());
        let mut add = redis::cmd("XADD");
        add.arg(self.keys.stream()).arg("*").arg("entry").arg(&mark);
        let id: String = self.query(&add).await?;
        let next = (id, vec!["entry".into(), mark]);
        let cursor = Cursor::new(Position::Keys { scan: "0".into(), next });
        Ok(Changes { entries: vec![], cursor, more: true })
    }

    /// The records after this one, or `None` if it no longer exists.
    async fn records_after(&self, last: &Record) -> Result<Option<Vec<Record>>, StoreError> {
        let mut range = redis::cmd("XRANGE");
        range.arg(self.keys.stream()).arg(&last.0).arg("+").arg("COUNT").arg(PAGE + 1);
        let found: Vec<Vec<Value>> = self.query(&range).await?;
        let mut records = found.iter().map(|record| parse_record(record));
        match records.next().transpose()? {
            Some(first) if first == *last => records.collect::<Result<_, _>>().map(Some),
            _ => Ok(None),
        }
    }

    /// Reads some of the entries, and returns the cursor for the next ones.
    async fn scan(&self, cursor: &str) -> Result<(String, Vec<Entry>), StoreError> {
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(format!("{}[tsue]*", escape(&self.keys.prefix)));
        scan.arg("COUNT").arg(PAGE);
        let (cursor, names): (String, Vec<String>) = self.query(&scan).await?;
        let keys: Vec<_> = names
            .into_iter()
            .filter_map(|name| Some((parse_key(name.strip_prefix(&self.keys.prefix)?)?, name)))
            .collect();
        if keys.is_empty() {
            return Ok((cursor, vec![]));
        }
        let mut get = redis::cmd("MGET");
        get.arg(keys.iter().map(|(_, name)| name).collect::<Vec<_>>());
        let values: Vec<Value> = self.query(&get).await?;
        let entries = keys.iter().zip(&values).filter_map(|((key, _), value)| match value {
            Value::Data(value) => entry_of_value(*key, value),
            // A key that has expired meanwhile, or has another type, counts as malformed, so that
            // the store itself is queried for it.
            _ => Some(malformed(*key)),
        });
        Ok((cursor, entries.collect()))
    }

    async fn query<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, StoreError> {
        pooled::query(self.pool, self.role, command).await
    }
}

fn parse_record(record: &[Value]) -> Result<Record, StoreError> {
    let [id, fields] = record else {
        return Err(StoreError::new("a malformed record in the stream of changes"));
    };
    let parse = || Ok((redis::from_redis_value(id)?, redis::from_redis_value(fields)?));
    parse().map_err(|error: redis::RedisError| StoreError::new(error))
}

/// The entry in a record, whose text is the key without its prefix, and the key's value.
fn entry_of_record((_, fields): &Record) -> Option<Entry> {
    let (key, value) = fields.get(1)?.split_once(' ')?;
    let key = parse_key(key)?;
    entry_of_value(key, value.as_bytes())
}

/// The entry that a value records, unless it is the row of a live session.
fn entry_of_value(key: EntryKey, value: &[u8]) -> Option<Entry> {
    let parsed = parse_value(value);
    let parsed = parsed.and_then(|(columns, until)| Some((columns.fields(&key)?, until)));
    let Some((fields, until)) = parsed else { return Some(malformed(key)) };
    let (revoked, cut_off) = match fields {
        Fields::Session(row) if !row.ended => return None,
        Fields::Session(_) | Fields::Revoked => (true, None),
        Fields::CutOff(at) => (false, Some(at)),
    };
    Some(Entry { key, revoked, cut_off, until })
}

fn malformed(key: EntryKey) -> Entry {
    Entry { key, revoked: false, cut_off: None, until: None }
}

/// Parses the letter of the kind, then the id in hexadecimal.
fn parse_key(text: &str) -> Option<EntryKey> {
    let (kind, digits) = text.as_bytes().split_first()?;
    let id = rows::parse_id(std::str::from_utf8(digits).ok()?)?;
    let mut key = [*kind; 17];
    key.last_chunk_mut().map(|half: &mut [u8; 16]| *half = id)?;
    Some(key)
}

/// Escapes a prefix, so that as a pattern it matches only itself.
fn escape(prefix: &str) -> String {
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
    use super::{entry_of_record, escape, parse_key};

    #[test]
    fn a_record_holds_the_key_and_the_value_of_an_entry() {
        let key = format!("t{}", "0f".repeat(16));
        let record = |text: String| ("1-0".to_string(), vec!["entry".to_string(), text]);
        let entry = entry_of_record(&record(format!("{key} 1 - 7 9"))).expect("an entry");
        assert_eq!((Some(entry.key), entry.revoked), (parse_key(&key), true));
        assert_eq!((entry.cut_off, entry.until), (None, Some(7)));
        // A malformed value yields an entry, so that it is not ignored.
        let entry = entry_of_record(&record(format!("{key} nonsense"))).expect("an entry");
        assert!(!entry.revoked && entry.cut_off.is_none());
        // Values of the earlier layout, with a mark for each exchanged token, are malformed.
        let entry = entry_of_record(&record(format!("{key} 1 - - 7 9"))).expect("an entry");
        assert!(!entry.revoked);
        // The row of an ended session is an entry; that of a live session is not.
        let id = "0f".repeat(16);
        let session = |ended: u8| record(format!("s{id} {ended} - 7 9 {id} {id} 5 {id} - - - -"));
        assert!(entry_of_record(&session(0)).is_none());
        assert!(entry_of_record(&session(1)).expect("an entry").revoked);
        assert!(entry_of_record(&record("- 0123".into())).is_none());
    }

    #[test]
    fn only_a_well_formed_key_is_parsed() {
        for text in ["", "t", "t0", &"t".repeat(33), &format!("t{}", "+f".repeat(16)), "tä"] {
            assert!(parse_key(text).is_none(), "{text}");
        }
        assert_eq!(
            parse_key(&format!("s{}", "00".repeat(16))),
            Some({
                let mut key = [0; 17];
                key[0] = b's';
                key
            })
        );
    }

    #[test]
    fn a_prefix_is_escaped() {
        assert_eq!(escape("a*[b]?\\^:"), "a\\*\\[b\\]\\?\\\\\\^:");
    }
}
