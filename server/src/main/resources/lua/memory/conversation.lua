-- A conversation, in the space that was entered.
--
-- t:<generation>:<conversation>  HASH  h packed as T_* say, s encoded Summary, <number> of each
--                                turn '<tokens>:' and the encoded Turn
--
-- Turns before the first one are gone for all who read; what is still there of them goes away
-- with later appends, 64 at a time.
--#include memory/space
local T_LAST, T_FIRST, T_LOWEST, T_SUMMARY, T_COVERED, T_CHANGED, T_ENDS = 1, 2, 3, 4, 5, 6, 7
local T_SUMMARY_TOKENS = 8

local function talk_key(name) return S..'t:'..space.g..':'..name end

-- A conversation that never began, or is past its end, has no turns.
local function load_talk(name)
  local packed = C('HGET', talk_key(name), 'h')
  local t = packed and unpack_one(packed)
  if t and t[T_ENDS] > US then return t end
  return nil, t
end

local function new_talk() return {0, 1, 1, 0, 0, US, 0, 0} end

local function delete_talk(name)
  C('UNLINK', talk_key(name))
  C('ZREM', S..'cx', name)
  C('ZREM', S..'cn', name)
  tell('conversation_deleted', {}, 0, 0, 0, pb_bytes(7, name))
end

local function clear_turns(name, t)
  local to = math.min(t[T_FIRST] - 1, t[T_LOWEST] + 127)
  local fields = {}
  for n = t[T_LOWEST], to do fields[#fields + 1] = int(n) end
  if #fields > 0 then
    C('HDEL', talk_key(name), unpack(fields))
    t[T_LOWEST] = to + 1
  end
end

local function save_talk(name, t)
  t[T_ENDS] = US + space.cfg[CFG_TALK]
  C('HSET', talk_key(name), 'h', pack(t))
  C('ZADD', S..'cx', 0, name)
  C('ZADD', S..'cn', int(t[T_ENDS]), name)
  due_at(t[T_ENDS])
end
