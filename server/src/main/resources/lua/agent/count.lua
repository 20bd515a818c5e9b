-- Adds what became of attempts at tasks to the figures of their agents, unless it has
-- been added. Workers that are no agents are passed over.
--
-- ag:figpos  HASH  index of a partition with tasks -> '<gen>|<seq>' up to which its
--                  attempts are counted here
--
-- ARGV  1 index of the tasks' partition, 2 gen, 3 seq behind which and 4 up to which
--       they are, then per agent: id, succeeded, failed, lost, us that the first took
-- Reply {'OK', 0}; {'OK', seq} when those up to it were added before, and the others
--       were not
--#include agent/agent
local gen, from, to = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local done = C('HGET', P..'ag:figpos', ARGV[1])
if done then
  local of, seq = string.match(done, '^(%d+)|(%d+)$')
  of, seq = tonumber(of), tonumber(seq)
  if of > gen or (of == gen and seq >= to) then return {'OK', 0} end
  if of == gen and seq > from then return {'OK', seq} end
end
for i = 5, #ARGV, 5 do
  local key = agent_key(ARGV[i])
  if C('EXISTS', key) == 1 then
    for j, field in ipairs({'fs', 'ff', 'fl', 'fr'}) do
      if ARGV[i + j] ~= '0' then C('HINCRBY', key, field, ARGV[i + j]) end
    end
  end
end
C('HSET', P..'ag:figpos', ARGV[1], ARGV[2]..'|'..ARGV[4])
return {'OK', 0}
