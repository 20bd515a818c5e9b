-- Finds agents that match, in order: walks one index, the smallest there is when they
-- are ordered by id, and looks into the others, at most 512 steps a call.
--
-- ARGV  1 order: agent_id or create_time, 2 descending 0|1, 3 how many, 4 entry of the
--       index after which to go on ('' from the beginning): an id, or an entry of
--       ag:made, 5 number of statuses of which one has to match, their index keys,
--       then the keys that have to match all
-- Reply {'OK', last entry looked at ('' at the end), entry...}
--#include agent/matching
local by_time, down = ARGV[1] == 'create_time', ARGV[2] == '1'
local want, after = tonumber(ARGV[3]), ARGV[4]
read_conditions(5)
local walked, least = P..(by_time and 'ag:made' or 'ag:all'), nil
if not by_time then
  for _, key in ipairs(needed) do
    local size = C('ZCARD', key)
    if not least or size < least then walked, least = key, size end
  end
end
local entries
if down then
  entries = C('ZREVRANGEBYLEX', walked, after == '' and '+' or '('..after, '-', 'LIMIT', 0, 512)
else
  entries = C('ZRANGEBYLEX', walked, after == '' and '-' or '('..after, '+', 'LIMIT', 0, 512)
end
local reply, last = {'OK', ''}, ''
for _, entry in ipairs(entries) do
  last = entry
  if matches(by_time and string.sub(entry, 17) or entry) then
    reply[#reply + 1] = entry
    want = want - 1
    if want == 0 then break end
  end
end
if want == 0 or #entries == 512 then reply[2] = last end
return reply
