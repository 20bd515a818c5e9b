-- Reads locks with their first holders and waiters.
--
-- ARGV  1 most holders and waiters of each, then names
-- Reply {'OK', for each: {mode, limit, permits held, how many wait, holders, waiters}} with
--       holders {token, granted us, due us, holds, LockLease}... and waiters {owner, mode,
--       permits, since us, until us}..., each flat
--#include lock/lock
local most, reply = tonumber(ARGV[1]), {'OK'}

local function add_holder(holders, name, id, g)
  for _, value in ipairs({int(g[G_TOKEN]), int(g[G_SINCE]), C('ZSCORE', DUE, id..name) or '0',
      g[G_HOLDS], g[G_LEASE]}) do
    holders[#holders + 1] = value
  end
  return holders
end

local function info(name)
  -- As it is: who only looks makes nothing more of a lock.
  local sole, sole_id = load_thin(name)
  if sole then return {EXCLUSIVE, 0, 1, 0, add_holder({}, name, sole_id, sole), {}} end
  local lock, holders, waiters = load_lock(name), {}, {}
  local cursor, seen = '0', {}
  repeat
    local found = C('HSCAN', lock_key(name), cursor, 'MATCH', 'g*', 'COUNT', 64)
    for f = 1, #found[2], 2 do
      local id = string.sub(found[2][f], 2)
      if not seen[id] and #holders < 5 * most then
        seen[id] = true
        add_holder(holders, name, id, unpack_one(found[2][f + 1]))
      end
    end
    cursor = found[1]
  until cursor == '0' or #holders >= 5 * most
  for _, id in ipairs(C('ZRANGE', queue_key(name), 0, most - 1)) do
    local w = load_wait(id)
    for _, target in ipairs(w and w[W_TARGETS] or {}) do
      if target[T_NAME] == name then
        for _, value in ipairs({w[W_OWNER], target[T_MODE], target[T_PERMITS], int(w[W_SINCE]), int(w[W_UNTIL])}) do
          waiters[#waiters + 1] = value
        end
      end
    end
  end
  return {lock.m, lock.lim, lock.n, lock.q, holders, waiters}
end

for i = 2, #ARGV do reply[#reply + 1] = info(ARGV[i]) end
return reply
