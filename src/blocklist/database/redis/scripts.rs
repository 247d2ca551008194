//! The scripts that write an entry.
//!
//! They are sent in full (EVAL): they are short, revoking is rare, and a server that restarted and has
//! lost its scripts needs no special handling.
//!
//! An entry expires at `expires` by the clock of the server that recorded it and by that of Redis: by
//! whichever says so later. A server whose clock is behind makes an `expires` that has passed already,
//! so the entry has to live as long as that server meant it to. One whose clock is ahead takes for
//! expired what others still accept. So the lifetime, which Redis counts from now on, is the time from
//! the earlier of the two clocks to `expires`. An entry that has expired by both clocks is not recorded.
//!
//! Redis counts the lifetime by its own time of day. A clock that is wrong all the time does no harm.
//! But if it is set ahead after an entry was recorded, by more than the margin of five minutes, the
//! entry expires too early, and nothing here can prevent it. After a fail-over, the clock of the new
//! primary counts.

use rocket_db_pools::deadpool_redis::redis::{self, Cmd};

use super::keyspace::Keyspace;

/// Inserts or extends the entry KEYS[1]. The arguments are revoked, cut_off, expires, now. The
/// resulting value is appended to the stream KEYS[2] as well, which keeps some sixteen thousand
/// records for the readers of changes (`changes`). An entry that has expired is not inserted.
///
/// `expires` is part of the value too, as a key's TTL could be rounded down each time it is read
/// and set again. The TTL is never shortened.
pub(super) const REVOKE: &str = r"
local function later(a, b, none)
    if a == '-' then return none and a or b end
    if b == '-' then return none and b or a end
    if tonumber(a) > tonumber(b) then return a end
    return b
end
local revoked, cut_off, used, expires = ARGV[1], ARGV[2], '-', ARGV[3]
local lifetime = 0
local old = redis.call('GET', KEYS[1])
if old then
    local r, c, u, e = string.match(old, '^([01]) (%S+) (%S+) (%S+) %d+$')
    if not r then return redis.error_reply('a malformed entry in the blocklist') end
    if r == '1' then revoked = r end
    cut_off, used, expires = later(c, cut_off, false), u, later(e, expires, true)
    lifetime = redis.call('PTTL', KEYS[1])
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local value = table.concat({revoked, cut_off, used, expires, string.format('%.0f', now)}, ' ')
if expires == '-' then
    redis.call('SET', KEYS[1], value)
else
    lifetime = math.max(lifetime, tonumber(expires) - math.min(now, tonumber(ARGV[4])))
    if lifetime < 1 then return 1 end
    redis.call('SET', KEYS[1], value, 'PX', string.format('%.0f', lifetime))
end
local name = string.sub(KEYS[1], -33)
redis.call('XADD', KEYS[2], 'MAXLEN', '~', '16384', '*', 'entry', name .. ' ' .. value)
return 1
";

/// Inserts the mark of use KEYS[1] unless the key exists, and appends it to the stream KEYS[2]. The
/// arguments are used, which is the current time, and expires.
pub(super) const USE_UP: &str = r"
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local value = table.concat({'0', '-', ARGV[1], ARGV[2], string.format('%.0f', now)}, ' ')
local lifetime = tonumber(ARGV[2]) - math.min(now, tonumber(ARGV[1]))
if lifetime < 1 then return 1 end
redis.call('SET', KEYS[1], value, 'PX', string.format('%.0f', lifetime))
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
