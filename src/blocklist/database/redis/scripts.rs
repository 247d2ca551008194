//! The Lua scripts that write an entry.
//!
//! They are sent in full (`EVAL`): they are short, revoking is rare, and a server that has lost its
//! scripts after a restart needs no special handling.
//!
//! An entry expires at `expires` by the clock of the server that recorded it or by the clock of
//! Redis, whichever is later. If the server's clock is behind, `expires` may have passed by the
//! clock of Redis, but the entry must be kept for the intended time. If the server's clock is
//! ahead, it regards entries as expired whose tokens other servers still accept. So the lifetime,
//! which Redis counts from now, is the time from the earlier of the two clocks to `expires`. An
//! entry that has expired by both clocks is not recorded.
//!
//! Redis does not roll a script back when a command fails, for example because the user has no right to
//! it. So the command that writes an entry comes last: without it, the others have no effect on tokens.
//!
//! Redis counts the lifetime with its wall clock. A constant clock skew is harmless. But if the
//! clock is set ahead after an entry was recorded, by more than the margin of five minutes, the
//! entry expires too early, and this code cannot prevent that. After a fail-over, the clock of the
//! new primary is used.

use rocket_db_pools::deadpool_redis::redis::{self, Cmd};

use super::keyspace::Keyspace;

/// What all scripts share. `lifetime_of` returns an entry's lifetime, `-` if it never expires, or nothing if
/// it has expired. `write_to` stores a value and its lifetime, unless it has expired. `expires` is part of
/// the value too, as a key's TTL could be rounded down each time it is read and set again. The TTL is never
/// shortened.
///
/// With `is_change`, the value is appended to the stream KEYS[2] as well, which keeps some sixteen
/// thousand records for the readers of changes (`changes`).
macro_rules! base {
    () => {
        r"
local function later(a, b, none)
    if a == '-' then return none and a or b end
    if b == '-' then return none and b or a end
    if tonumber(a) > tonumber(b) then return a end
    return b
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local function lifetime_of(key, expires, servers_now)
    if expires == '-' then return expires end
    local left = tonumber(expires) - math.min(now, tonumber(servers_now))
    local lifetime = math.max(redis.call('PTTL', key), left)
    return lifetime >= 1 and string.format('%.0f', lifetime)
end
local function write_to(key, revoked, cut_off, expires, changed, row, is_change, servers_now)
    local lifetime = lifetime_of(key, expires, servers_now)
    if not lifetime then return end
    if is_change then changed = string.format('%.0f', now) end
    local value = table.concat({revoked, cut_off, expires, changed}, ' ') .. row
    if is_change then
        local name = string.sub(key, -33)
        redis.call('XADD', KEYS[2], 'MAXLEN', '~', '16384', '*', 'entry', name .. ' ' .. value)
    end
    if lifetime == '-' then
        redis.call('SET', key, value)
    else
        redis.call('SET', key, value, 'PX', lifetime)
    end
end
local function write(...) return write_to(KEYS[1], ...) end
local function malformed(key)
    error('a malformed entry in the blocklist: ' .. string.sub(key, -33), 0)
end
local function is_time(text) return text == '-' or string.match(text, '^%-?%d+$') end
local function is_row(text)
    return text == '' or string.match(text, '^ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+$')
end
local function parse(key, value)
    local r, c, e, h, row = string.match(value, '^([01]) (%S+) (%S+) (%d+)(.*)$')
    if not (r and is_time(c) and is_time(e) and is_row(row)) then malformed(key) end
    return r, c, e, h, row
end
local old = redis.call('GET', KEYS[1])
local r, c, e, h, row
if old then r, c, e, h, row = parse(KEYS[1], old) end
"
    };
}

/// The row of a session: its fields after the common ones, and its place in the subject's index, a sorted set
/// of the sessions' names by the time when their rows expire. If there is a subject, an `ends` of `-` means
/// never.
macro_rules! row {
    () => {
        r"
local prefix = string.sub(KEYS[2], 1, -8)
-- current, last, exchanged, seed, ended_by, subject, seen, ends
local function fields_of(row)
    local fields = {'-', '-', '-', '-', '-', '-', '-', '-'}
    local at = 0
    for field in string.gmatch(row or '', '%S+') do
        at = at + 1
        fields[at] = field
    end
    return fields
end
local notes = prefix .. 'd' .. string.sub(KEYS[1], -32)
local function keep(key, lifetime)
    if lifetime == '-' then
        redis.call('PERSIST', key)
    else
        redis.call('PEXPIRE', key, lifetime)
    end
end
-- Keeps the subject's index, and what is shown of the session, for as long as the row, which is written
-- afterwards. The index forgets the sessions whose rows have expired, and expires with the last one.
local function index(fields, lifetime)
    if fields[6] == '-' or not lifetime then return end
    local name, key = string.sub(KEYS[1], -32), prefix .. 'i' .. fields[6]
    local score = '+inf'
    if lifetime ~= '-' then score = string.format('%.0f', now + tonumber(lifetime)) end
    redis.call('ZADD', key, score, name)
    redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now))
    local last = redis.call('ZREVRANGE', key, 0, 0, 'WITHSCORES')[2]
    if last == 'inf' then
        keep(key, '-')
    elseif last then
        keep(key, string.format('%.0f', tonumber(last) - now))
    end
    keep(notes, lifetime)
end
"
    };
}

/// The sessions of a subject.
macro_rules! sessions {
    () => {
        r"
local function names_of(subject)
    local names = redis.call('ZREVRANGE', prefix .. 'i' .. subject, 0, -1)
    -- Newer sessions have greater names.
    table.sort(names, function(one, other) return one > other end)
    return names
end
local function is_id(text) return #text == 32 and string.match(text, '^[0-9a-f]+$') end
-- When a refresh token was issued: the time of a UUIDv7, or else when its session was seen last.
local function issued_at(id, seen)
    local is_v7 = string.sub(id, 13, 13) == '7' and string.match(string.sub(id, 17, 17), '[89ab]')
    return is_v7 and tonumber(string.sub(id, 1, 12), 16) or tonumber(seen)
end
-- The sessions that are live at a time, newest first, up to a maximum: name, current, seen, ends.
local function live_sessions(subject, cut_off_keys, at, most)
    local cut_off
    for _, key in ipairs(cut_off_keys) do
        local value = redis.call('GET', key)
        if value then
            local _, c = parse(key, value)
            if c == '-' then malformed(key) end
            cut_off = math.max(cut_off or tonumber(c), tonumber(c))
        end
    end
    local live, index_key = {}, prefix .. 'i' .. subject
    for _, name in ipairs(names_of(subject)) do
        if #live == most then break end
        local key = prefix .. 's' .. name
        local value = redis.call('GET', key)
        local r, _, row
        if value then r, _, _, _, row = parse(key, value) end
        local fields = fields_of(row)
        if r == '0' and fields[6] == subject then
            local current, seen, ends = fields[1], fields[7], fields[8]
            if not (is_id(current) and is_time(seen) and seen ~= '-' and is_time(ends)) then
                malformed(key)
            end
            if (ends == '-' or tonumber(ends) > at)
                and (not cut_off or issued_at(current, seen) > cut_off) then
                table.insert(live, {name, current, seen, ends})
            end
        elseif r == '0' and fields[1] == '-' then
            malformed(key)
        elseif r ~= '0' then
            -- An ended session is not read again.
            redis.call('ZADD', index_key, '0', name)
        end
    end
    redis.call('ZREMRANGEBYSCORE', index_key, '-inf', '0')
    return live
end
-- Ends a live session of a subject. Returns whether this call ended it.
local function end_session(name, subject, expires, servers_now)
    local key = prefix .. 's' .. name
    local value = redis.call('GET', key)
    if not value then return false end
    local r, _, e, _, row = parse(key, value)
    if r ~= '0' or fields_of(row)[6] ~= subject then return false end
    expires = later(e, expires, true)
    if not lifetime_of(key, expires, servers_now) then return false end
    write_to(key, '1', '-', expires, '-', row, true, servers_now)
    return true
end
"
    };
}

/// Inserts or extends the entry. The arguments are revoked, cut_off, expires, now. Returns 1 if that
/// changed more than its lifetime.
pub(super) const REVOKE: &str = concat!(
    base!(),
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
/// that stay as they are, then expires, now, and subject, seen, ends, which stay as they are if subject is `-`.
/// The session ends if ended_by is given. Returns 1 if the row was written.
pub(super) const EXCHANGE: &str = concat!(
    base!(),
    row!(),
    r"
local from, expires = ARGV[1], ARGV[7]
local fields = fields_of(row)
if old then
    if r ~= '0' or fields[1] ~= from then return 0 end
    expires = later(e, expires, true)
elseif from ~= '-' then
    return 0
end
for at = 1, 5 do
    if ARGV[at + 1] ~= '-' then fields[at] = ARGV[at + 1] end
end
local is_end = ARGV[6] ~= '-'
if ARGV[9] ~= '-' and not is_end then
    if fields[6] == '-' then fields[6] = ARGV[9] end
    fields[7], fields[8] = ARGV[10], ARGV[11]
end
local text = ' ' .. table.concat(fields, ' ')
index(fields, lifetime_of(KEYS[1], expires, ARGV[8]))
write(is_end and '1' or '0', '-', expires, h or '0', text, is_end, ARGV[8])
return 1
"
);

/// Begins the session KEYS[1]. The arguments are current, subject, seen, ends, expires, the key of the
/// subject's cut-off, that of everything, the maximum number of live sessions or `-`, whether the oldest are
/// ended (`1`), and label and details, each preceded by a letter, or empty if absent. Returns the names of
/// the sessions that were ended, or `-` if there are too many.
pub(super) const BEGIN: &str = concat!(
    base!(),
    row!(),
    sessions!(),
    r"
if old then return {} end
local ended, live, room = {}, {}, 0
local fields = {ARGV[1], '-', '-', '-', '-', ARGV[2], ARGV[3], ARGV[4]}
if ARGV[8] ~= '-' then
    live = live_sessions(ARGV[2], {ARGV[6], ARGV[7]}, tonumber(ARGV[3]))
    room = tonumber(ARGV[8]) - 1
    if #live > room and ARGV[9] ~= '1' then return '-' end
end
local lifetime = lifetime_of(KEYS[1], ARGV[5], ARGV[3])
if lifetime then
    -- First the index, so that notes are not left without a lifetime if a right is missing.
    index(fields, lifetime)
    if ARGV[10] ~= '' then redis.call('HSET', notes, 'label', string.sub(ARGV[10], 2)) end
    if ARGV[11] ~= '' then redis.call('HSET', notes, 'details', string.sub(ARGV[11], 2)) end
    keep(notes, lifetime)
end
for at = room + 1, #live do
    if end_session(live[at][1], ARGV[2], ARGV[5], ARGV[3]) then
        table.insert(ended, live[at][1])
    end
end
write('0', '-', ARGV[5], '0', ' ' .. table.concat(fields, ' '), false, ARGV[3])
return ended
"
);

/// Lists the live sessions of a subject, newest first. KEYS[1] is the key of its cut-off. The arguments are
/// subject, now, the key of the cut-off of everything, and the maximum number to list. Returns for each its
/// name, current, seen, ends, label and details.
pub(super) const LIST: &str = concat!(
    base!(),
    row!(),
    sessions!(),
    r"
local listed = {}
local live = live_sessions(ARGV[1], {KEYS[1], ARGV[3]}, tonumber(ARGV[2]), tonumber(ARGV[4]))
for _, one in ipairs(live) do
    local notes = redis.call('HMGET', prefix .. 'd' .. one[1], 'label', 'details')
    table.insert(listed, {one[1], one[2], one[3], one[4], notes[1], notes[2]})
end
return listed
"
);

/// Ends sessions of a subject. The arguments are subject, expires, now, and the name of the session to end,
/// or, after a `-`, of the one session that stays. Returns the names of those that this call ended.
pub(super) const END: &str = concat!(
    base!(),
    row!(),
    sessions!(),
    r"
local ended, names = {}, {ARGV[4]}
if string.sub(ARGV[4], 1, 1) == '-' then names = names_of(ARGV[1]) end
for _, name in ipairs(names) do
    if '-' .. name ~= ARGV[4] and end_session(name, ARGV[1], ARGV[2], ARGV[3]) then
        table.insert(ended, name)
    end
end
return ended
"
);

/// Records a renewal in the row of a live session, and adds the owner if the row has none. The arguments are
/// seen, ends, expires, subject. Returns 1 if there is such a row.
pub(super) const RENEW: &str = concat!(
    base!(),
    row!(),
    r"
if not old or r ~= '0' then return 0 end
local fields = fields_of(row)
if fields[6] ~= '-' then
    fields[7], fields[8] = ARGV[1], later(fields[8], ARGV[2], true)
elseif ARGV[4] ~= '-' then
    -- The expiry of its refresh token is unknown until the next exchange.
    fields[6], fields[7], fields[8] = ARGV[4], ARGV[1], '-'
end
local expires = later(e, ARGV[3], true)
index(fields, lifetime_of(KEYS[1], expires, ARGV[1]))
write('0', '-', expires, h, ' ' .. table.concat(fields, ' '), false, ARGV[1])
return 1
"
);

/// The command that runs a script on the entry with this name.
pub(super) fn eval(script: &str, keys: &Keyspace, name: &str, arguments: &[String]) -> Cmd {
    let mut eval = redis::cmd("EVAL");
    eval.arg(script).arg(2).arg(name).arg(keys.stream()).arg(arguments);
    eval
}
