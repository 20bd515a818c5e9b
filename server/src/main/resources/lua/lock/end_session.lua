-- Ends what is bound to an agent's session that is over, and to those before it; at most
-- 64 leases and waits a call.
--
-- ARGV  1 agent, 2 token of the session, 3 reason
-- Reply {'OK', how many ended}
--#include lock/lock
local bound, over = P..'lk:b:'..ARGV[1], tonumber(ARGV[2])
local marked = tonumber(C('GET', P..'lk:so:'..ARGV[1]) or 0)
C('SET', P..'lk:so:'..ARGV[1], int(math.max(over, marked)), 'PX', 3600000)
local members = C('ZRANGEBYSCORE', bound, '-inf', int(over), 'LIMIT', 0, 64)
for _, member in ipairs(members) do
  local what, rest = string.sub(member, 1, 1), string.sub(member, 2)
  if what == 'l' then
    local id, name = string.sub(rest, 1, 22), string.sub(rest, 23)
    local lock, g = load_lock(name), load_grant(name, id)
    if g then
      end_lease(lock, name, id, g, 'session_ended', ARGV[3])
      if lock.q > 0 then grant_next(name, lock) end
    end
  else
    local w, locks = load_wait(rest), {}
    if w then
      drop(rest, w, locks, 'session_ended', ARGV[3])
      grant_each(locks)
    end
  end
  C('ZREM', bound, member)
end
settle()
return {'OK', #members}
