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

-- Lease ids: more than 64 tell that there are more.
local function leases()
  local ids = {}
  if owner ~= '' then
    local prefix = 'h:'..owner..'\0'..name..'\0'
    for _, member in ipairs(C('ZRANGEBYLEX', INDEX, '['..prefix, '('..prefix..'\255', 'LIMIT', 0, 65)) do
      ids[#ids + 1] = string.sub(member, #prefix + 1)
    end
    return ids
  end
  local cursor, seen = '0', {}
  repeat
    local found = C('HSCAN', lock_key(name), cursor, 'MATCH', 'g*', 'COUNT', 64)
    for i = 1, #found[2], 2 do
      local id = string.sub(found[2][i], 2)
      -- A scan may show a field twice.
      if not seen[id] then ids[#ids + 1] = id end
      seen[id] = true
    end
    cursor = found[1]
  until cursor == '0' or #ids > 64
  return ids
end

local lock, ids = load_lock(name), leases()
local reply = {'OK', #ids > 64 and 1 or 0}
for i = 1, math.min(64, #ids) do
  local id = ids[i]
  local g, due = load_grant(name, id), C('ZSCORE', DUE, id..name)
  for _, value in ipairs({lock.m, int(g[G_TOKEN]), int(g[G_SINCE]), due, g[G_HOLDS], g[G_LEASE]}) do
    reply[#reply + 1] = value
  end
  end_lease(lock, name, id, g, 'forced', ARGV[3])
end
if lock.q > 0 then grant_next(name, lock) end
settle()
return remember('ForceRelease', ARGV[4], ARGV[5], reply, 60000)
