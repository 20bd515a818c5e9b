-- Sets the summary of a conversation, if it is still the one that the caller read.
--
-- ARGV  1 space, 2 fence name, 3 fence token, 4 request id, 5 digest, 6 conversation, 7 turn up to
--       which it goes, 8 version that it replaces, 9 turns that it covers to be kept ('': all),
--       10 its tokens, 11 encoded Summary without its version and time
-- Reply {'OK', revision, encoded Summary}; {'NO_SPACE'}; {'VERSION', current}; {'TURN', last};
--       {'BACK', turn up to which the former goes}; {'STALE_FENCE', highest}; {'REUSED'}
--#include memory/conversation
--#include common/request
--#include common/fence
local answer = replay('SetSummary', ARGV[4], ARGV[5])
if answer then return answer end
if not enter(ARGV[1]) then return {'NO_SPACE'} end
local name, covered = ARGV[6], tonumber(ARGV[7])
local t = load_talk(name)
if not t or covered > t[T_LAST] then return {'TURN', int(t and t[T_LAST] or 0)} end
if int(t[T_SUMMARY]) ~= ARGV[8] then return {'VERSION', int(t[T_SUMMARY])} end
if covered < t[T_COVERED] then return {'BACK', int(t[T_COVERED])} end
local highest = stale_fence(ARGV[2], ARGV[3])
if highest then return {'STALE_FENCE', highest} end
t[T_SUMMARY], t[T_COVERED], t[T_SUMMARY_TOKENS] = t[T_SUMMARY] + 1, covered, tonumber(ARGV[10])
if ARGV[9] ~= '' then
  t[T_FIRST] = math.max(t[T_FIRST], covered - tonumber(ARGV[9]) + 1)
  clear_turns(name, t)
end
local summary = ARGV[11]..pb_int(3, t[T_SUMMARY])..pb_time(4, US)
count_talk(t, #summary - C('HSTRLEN', talk_key(name), 's'))
C('HSET', talk_key(name), 's', summary)
-- It lasts from its last turn on, whatever the setting is by now.
store_talk(name, t)
tell('summary_set', {}, 0, t[T_SUMMARY], 0, pb_bytes(7, name)..pb_int(9, covered))
settle()
-- It is never refused, being the way to make room; what it takes too much, the sweeper evicts.
if space.b > space.cfg[CFG_BYTES] then due_at(US) end
return remember('SetSummary', ARGV[4], ARGV[5], {'OK', int(space.r), summary})
