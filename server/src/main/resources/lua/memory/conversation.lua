-- A conversation, in the space that was entered.
--
-- t:<generation>:<conversation>  HASH  h packed as T_* say, s encoded Summary, <number> of each
--                                turn '<tokens>:' and the encoded Turn
--
-- T_BYTES counts turns and summary. One that began before they counted lacks it; what it had
-- then is never counted.
--
-- Turns before the first one are gone for all who read; what is still there of them goes away
-- with later appends and sweeps, 128 at a time, and counts until then.
--#include memory/space
local T_LAST, T_FIRST, T_LOWEST, T_SUMMARY, T_COVERED, T_CHANGED, T_ENDS = 1, 2, 3, 4, 5, 6, 7
local T_SUMMARY_TOKENS, T_BYTES = 8, 9

local function talk_key(name) return S..'t:'..space.g..':'..name end

-- A conversation that never began, or is past its end, has no turns.
local function load_talk(name)
  local packed = C('HGET', talk_key(name), 'h')
  local t = packed and unpack_one(packed)
  if t then t[T_BYTES] = t[T_BYTES] or 0 end
  if t and t[T_ENDS] > US then return t end
  return nil, t
end

local function new_talk() return {0, 1, 1, 0, 0, US, 0, 0, 0} end

-- What a conversation takes counts towards the quota of its space. No more is taken off than was
-- counted.
local function count_talk(t, bytes)
  bytes = math.max(bytes, -t[T_BYTES])
  t[T_BYTES], space.b = t[T_BYTES] + bytes, space.b + bytes
  C('HSET', S..'s', 'b', int(space.b))
  C('HINCRBY', S..'s', 't', int(bytes))
end

local function delete_talk(name, t)
  count_talk(t, -t[T_BYTES])
  C('UNLINK', talk_key(name))
  C('ZREM', S..'cx', name)
  C('ZREM', S..'cn', name)
  tell('conversation_deleted', {}, 0, 0, 0, pb_bytes(7, name))
end

local function clear_turns(name, t)
  local to = math.min(t[T_FIRST] - 1, t[T_LOWEST] + 127)
  local key, fields, bytes = talk_key(name), {}, 0
  for n = t[T_LOWEST], to do
    fields[#fields + 1] = int(n)
    bytes = bytes + C('HSTRLEN', key, int(n))
  end
  if #fields > 0 then
    C('HDEL', key, unpack(fields))
    t[T_LOWEST] = to + 1
    count_talk(t, -bytes)
  end
end

-- The sweeper comes to it when it ends, or at once while turns are left to be cleared.
local function store_talk(name, t)
  local due = t[T_LOWEST] < t[T_FIRST] and US or t[T_ENDS]
  C('HSET', talk_key(name), 'h', pack(t))
  C('ZADD', S..'cx', 0, name)
  C('ZADD', S..'cn', int(due), name)
  due_at(due)
end

local function save_talk(name, t)
  t[T_ENDS] = US + space.cfg[CFG_TALK]
  store_talk(name, t)
end
