-- The last turns of a conversation, from the newest back.
--
-- ARGV  1 space, 2 conversation, 3 how many turns, 4 how many tokens (0: any), 5 turn before
--       which to begin (0: at the last), 6 '1' for those that the summary does not cover, 7 bytes
-- Reply {'OK', last number, first number kept, tokens, 1 if a limit kept turns out, encoded
--       Summary, turn... newest first}; {'NO_SPACE'}
--#include memory/conversation
if not enter(ARGV[1]) then return {'NO_SPACE'} end
local t = load_talk(ARGV[2])
if not t then return {'OK', 0, 0, 0, 0, ''} end
local key = talk_key(ARGV[2])
local most, limit, bytes = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[7])
local at, low = t[T_LAST], t[T_FIRST]
if ARGV[5] ~= '0' then at = math.min(at, tonumber(ARGV[5]) - 1) end
local spent, tokens = 0, 0
if ARGV[6] == '1' then low, spent = math.max(low, t[T_COVERED] + 1), t[T_SUMMARY_TOKENS] end
local reply = {'OK', int(t[T_LAST]), int(t[T_FIRST]), 0, 0, C('HGET', key, 's') or ''}
local full = false
while at >= low and not full do
  local numbers = {}
  for n = at, math.max(low, at - 63), -1 do numbers[#numbers + 1] = int(n) end
  for _, turn in ipairs(C('HMGET', key, unpack(numbers))) do
    local colon = string.find(turn, ':', 1, true)
    local its = tonumber(string.sub(turn, 1, colon - 1))
    local some = #reply > 6
    if most == 0 or (some and (bytes < #turn or (limit > 0 and spent + its > limit))) then
      full = true
      break
    end
    reply[#reply + 1] = string.sub(turn, colon + 1)
    most, bytes, spent, tokens = most - 1, bytes - #turn, spent + its, tokens + its
    at = at - 1
  end
end
reply[4], reply[5] = int(tokens), at >= low and 1 or 0
return reply
