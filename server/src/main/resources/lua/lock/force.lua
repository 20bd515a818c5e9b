-- Takes a lock away from its holders, at most 64 of them.
--
-- ARGV  1 name, 2 owner ('': any), 3 reason, 4 request id, 5 digest, 6 fence name,
--       7 fence token
-- Reply {'OK', 1 if there are more, then for each: mode, token, granted us, due us, holds,
--       LockLease}; {'STALE_FENCE', highest}; {'REUSED'}
--#include lock/lock
--#include common/request
--#include common/fence
local name, owner = ARGV[1], ARGV[2]
local answer = replay('ForceRelease', ARGV[4], ARGV[5])
if answer then return answer end
local highest = stale_fence(ARGV[6], ARGV[7])
if highest then return {'STALE_FENCE', highest} end
local lock = load_lock(name)
local reply, ended, cursor = {'OK', 0}, 0, '0'
repeat
  local found = C('HSCAN', lock_key(name), cursor, 'MATCH', 'g*', 'COUNT', 64)
  for i = 1, #found[2], 2 do
    local id = string.sub(found[2][i], 2)
    -- A scan may show a field twice.
    local g = load_grant(name, id)
    if g and (owner == '' or g[G_OWNER] == owner) then
      if ended == 64 then
        reply[2] = 1
        break
      end
      ended = ended + 1
      local due = C('ZSCORE', DUE, id..name)
      for _, value in ipairs({lock.m, int(g[G_TOKEN]), int(g[G_SINCE]), due, g[G_HOLDS], g[G_LEASE]}) do
        reply[#reply + 1] = value
      end
      end_lease(lock, name, id, g, 'forced', ARGV[3])
    end
  end
  cursor = found[1]
until cursor == '0' or reply[2] == 1
if lock.q > 0 then grant_next(name, lock) end
settle()
return remember('ForceRelease', ARGV[4], ARGV[5], reply, 60000)
