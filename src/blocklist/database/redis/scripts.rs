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

/// What both scripts share. `write` stores a value and its lifetime, and returns whether it did: an entry
/// that has expired is not inserted. `expires` is part of the value too, as a key's TTL could be rounded
/// down each time it is read and set again. The TTL is never shortened.
///
/// With `is_change`, the value is appended to the stream KEYS[2] as well, which keeps some sixteen
/// thousand records for the readers of changes (`changes`).
macro_rules! script {
    ($body:literal) => {
        concat!(
            r"
local function later(a, b, none)
    if a == '-' then return none and a or b end
    if b == '-' then return none and b or a end
    if tonumber(a) > tonumber(b) then return a end
    return b
end
local name = string.sub(KEYS[1], -33)
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local function write(revoked, cut_off, expires, changed, row, is_change, servers_now)
    if is_change then changed = string.format('%.0f', now) end
    local value = table.concat({revoked, cut_off, expires, changed}, ' ') .. row
    if expires == '-' then
        redis.call('SET', KEYS[1], value)
    else
        local lifetime = redis.call('PTTL', KEYS[1])
        lifetime = math.max(lifetime, tonumber(expires) - math.min(now, tonumber(servers_now)))
        if lifetime < 1 then return false end
        redis.call('SET', KEYS[1], value, 'PX', string.format('%.0f', lifetime))
    end
    if is_change then
        redis.call('XADD', KEYS[2], 'MAXLEN', '~', '16384', '*', 'entry', name .. ' ' .. value)
    end
    return true
end
local function is_time(text) return text == '-' or string.match(text, '^%-?%d+$') end
local function is_row(text) return text == '' or string.match(text, '^ %S+ %S+ %S+ %S+ %S+$') end
local old = redis.call('GET', KEYS[1])
local r, c, e, h, row
if old then
    r, c, e, h, row = string.match(old, '^([01]) (%S+) (%S+) (%d+)(.*)$')
    if not (r and is_time(c) and is_time(e) and is_row(row)) then
        return redis.error_reply('ERR a malformed entry in the blocklist: ' .. name)
    end
end
",
            $body
        )
    };
}

/// Inserts or extends the entry. The arguments are revoked, cut_off, expires, now. Returns 1 if that
/// changed more than its lifetime.
pub(super) const REVOKE: &str = script!(
    r"
local revoked, cut_off, expires = ARGV[1], ARGV[2], ARGV[3]
local is_new = not old
if old then
    is_new = (r == '0' and revoked == '1')
        or (cut_off ~= '-' and (c == '-' or tonumber(c) < tonumber(cut_off)))
    if r == '1' then revoked = r end
    cut_off, expires = later(c, cut_off, false), later(e, expires, true)
end
write(revoked, cut_off, expires, '-', row or '', true, ARGV[4])
return is_new and 1 or 0
"
);

/// Writes the row of a session for an exchange, if its current token is still ARGV[1], or if that is `-`
/// and there is no row. The other arguments are current, last, exchanged, seed and ended_by, `-` for those
/// that stay as they are, then expires, now. The session ends if ended_by is given. Returns 1 if the row
/// was written.
pub(super) const EXCHANGE: &str = script!(
    r"
local from, expires = ARGV[1], ARGV[7]
local fields = {'-', '-', '-', '-', '-'}
if old then
    local at = 0
    for field in string.gmatch(row, '%S+') do
        at = at + 1
        fields[at] = field
    end
    if r ~= '0' or fields[1] ~= from then return 0 end
    expires = later(e, expires, true)
elseif from ~= '-' then
    return 0
end
for at = 1, 5 do
    if ARGV[at + 1] ~= '-' then fields[at] = ARGV[at + 1] end
end
local is_end = ARGV[6] ~= '-'
local text = ' ' .. table.concat(fields, ' ')
write(is_end and '1' or '0', '-', expires, h or '0', text, is_end, ARGV[8])
return 1
"
);

/// The command that runs a script on the entry with this name.
pub(super) fn eval(script: &str, keys: &Keyspace, name: &str, arguments: &[String]) -> Cmd {
    let mut eval = redis::cmd("EVAL");
    eval.arg(script).arg(2).arg(name).arg(keys.stream()).arg(arguments);
    eval
}
