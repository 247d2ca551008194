//! The scripts that write an entry.
//!
//! They are sent in full (EVAL): they are short, revoking is rare, and a server that restarted and has
//! lost its scripts needs no special handling.

use rocket_db_pools::deadpool_redis::redis::{self, Cmd};

use super::keyspace::Keyspace;

/// Inserts or extends the entry KEYS[1]. The arguments are revoked, cut_off, expires. The
/// resulting value is appended to the stream KEYS[2] as well, which keeps some sixteen thousand
/// records for the readers of changes (`changes`).
///
/// `expires` is part of the value too, as a key's TTL could be rounded down each time it is read
/// and set again.
pub(super) const REVOKE: &str = r"
local function later(a, b, none)
    if a == '-' then return none and a or b end
    if b == '-' then return none and b or a end
    if tonumber(a) > tonumber(b) then return a end
    return b
end
local revoked, cut_off, used, expires = ARGV[1], ARGV[2], '-', ARGV[3]
local old = redis.call('GET', KEYS[1])
if old then
    local r, c, u, e = string.match(old, '^([01]) (%S+) (%S+) (%S+) %d+$')
    if not r then return redis.error_reply('a malformed entry in the blocklist') end
    if r == '1' then revoked = r end
    cut_off, used, expires = later(c, cut_off, false), u, later(e, expires, true)
end
local now = redis.call('TIME')
local changed = string.format('%s%03d', now[1], math.floor(now[2] / 1000))
local value = table.concat({revoked, cut_off, used, expires, changed}, ' ')
redis.call('SET', KEYS[1], value)
if expires ~= '-' then redis.call('PEXPIREAT', KEYS[1], expires) end
local name = string.sub(KEYS[1], -33)
redis.call('XADD', KEYS[2], 'MAXLEN', '~', '16384', '*', 'entry', name .. ' ' .. value)
return 1
";

/// Inserts the mark of use KEYS[1] unless the key exists, and appends it to the stream KEYS[2]. The
/// arguments are used, expires.
pub(super) const USE_UP: &str = r"
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local now = redis.call('TIME')
local changed = string.format('%s%03d', now[1], math.floor(now[2] / 1000))
local value = table.concat({'0', '-', ARGV[1], ARGV[2], changed}, ' ')
redis.call('SET', KEYS[1], value)
redis.call('PEXPIREAT', KEYS[1], ARGV[2])
local name = string.sub(KEYS[1], -33)
redis.call('XADD', KEYS[2], 'MAXLEN', '~', '16384', '*', 'entry', name .. ' ' .. value)
return 1
";

/// The command that runs a script on the entry with this name.
pub(super) fn eval(script: &str, keys: &Keyspace, name: &str, arguments: &[String]) -> Cmd {
    let mut eval = redis::cmd("EVAL");
    eval.arg(script).arg(2).arg(name).arg(keys.stream()).arg(arguments);
    eval
}
