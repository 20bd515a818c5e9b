-- Appends turns to a conversation; begins the space and the conversation if need be.
--
-- ARGV  1 space, 2 fence name, 3 fence token, 4 request id, 5 digest, 6 most spaces of a
--       partition, 7 settings of a new space, 8 the same in numbers, 9 conversation, 10 number of
--       the last turn that the caller knows ('': any), 11 most turns that are kept, then for each
--       turn: tokens, encoded Turn without its number and time
-- Reply {'OK', revision, first number, last number, ids of items that were evicted}; {'MORE', ids
--       of items that were evicted} when it has to be called again, as more have to go; {'TURN',
--       last}; {'FULL'}; {'SPACES'}; {'STALE_FENCE', highest}; {'REUSED'}
--#include memory/conversation
--#include common/request
--#include common/fence
local answer = replay('AppendTurns', ARGV[4], ARGV[5])
if answer then return answer end
local there, name = enter(ARGV[1]), ARGV[9]
if not there and is_full(ARGV[6]) then return {'SPACES'} end
local t, over
if there then t, over = load_talk(name) end
if ARGV[10] ~= '' and tonumber(ARGV[10]) ~= (t and t[T_LAST] or 0) then
  return {'TURN', int(t and t[T_LAST] or 0)}
end
local highest = stale_fence(ARGV[2], ARGV[3])
if highest then return {'STALE_FENCE', highest} end
if not there then begin_space(ARGV[7], '', ARGV[8], 0) end

local last, fields, bytes = t and t[T_LAST] or 0, {}, 0
local first = last + 1
for i = 12, #ARGV, 2 do
  last = last + 1
  local turn = ARGV[i]..':'..ARGV[i + 1]..pb_int(1, last)..pb_time(2, US)
  fields[#fields + 1], fields[#fields + 2] = int(last), turn
  bytes = bytes + #turn
end
-- Items make room for turns, never the other way round.
local old, least, enough = victims(0, bytes - (over and over[T_BYTES] or 0))
if not old then
  settle()
  return {'FULL'}
end
if enough and over then delete_talk(name, over) end
remove_all(old, 'expired')
remove_all(least, 'evicted')
if not enough then
  settle()
  return {'MORE', least}
end
t = t or new_talk()
C('HSET', talk_key(name), unpack(fields))
count_talk(t, bytes)
t[T_LAST], t[T_CHANGED] = last, US
t[T_FIRST] = math.max(t[T_FIRST], t[T_LAST] - tonumber(ARGV[11]) + 1)
clear_turns(name, t)
save_talk(name, t)
tell('turns_appended', {}, 0, 0, 0, pb_bytes(7, name)..pb_int(8, first)..pb_int(9, last))
settle()
return remember('AppendTurns', ARGV[4], ARGV[5], {'OK', int(space.r), int(first), int(last), least})
