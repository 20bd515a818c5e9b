-- Keeps the answer to a set of locks that lie in several partitions, in that of its first
-- part, where a repeat asks first. Not when another call took the set over meanwhile: that
-- one goes on, and its answer counts. With a refusal, what is held here is given back.
--
-- ARGV  1 wait id of the part, 2 its request id, 3 digest, 4 call, 5 1 if it was granted,
--       6 the answer, encoded, then the locks of the part: lease id, name
-- Reply {'OK', 1 if it was kept}
--#include lock/lock
--#include common/request
local call, granted = ARGV[4], ARGV[5] == '1'
local w = load_wait(ARGV[1])
if w and w[W_CALL] ~= call then return {'OK', 0} end
local grants = {}
for i = 7, #ARGV, 2 do
  local g = load_grant(ARGV[i + 1], ARGV[i])
  if g and g[G_CALL] ~= call or granted and not g then return {'OK', 0} end
  grants[i] = g
end
if not granted then
  local locks = {}
  for i, g in pairs(grants) do
    local name = ARGV[i + 1]
    local lock = load_lock(name)
    end_lease(lock, name, ARGV[i], g, 'released', 'not all of the set could be had')
    locks[name] = lock
  end
  -- Whom one of them lets in may take others of them.
  grant_each(locks)
end
remember('Acquire', ARGV[2], ARGV[3], {'SET', ARGV[6]}, 60000)
settle()
return {'OK', 1}
