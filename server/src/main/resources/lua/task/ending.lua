-- How attempts and tasks end otherwise than with a result; that is in task/complete.
--#include task/queue
--#include task/claims
--#include task/bell
local ENDED = {S = 'succeeded', X = 'dead', C = 'cancelled', Z = 'quarantined'}

-- Ends a task for good; the caller took it out of wherever it was. `retention` in ms
-- is the task's own, false for the queue's; further fields of the task may follow.
local function end_task(id, header, state, retention, ...)
  local key = Q..'t:'..id
  if has_claims(header) then drop_claims(id, header) end
  C('HSET', key, 'st', state, 'ft', int(US), ...)
  retention = retention or C('HGET', Q..'meta', 'ret') or '86400000'
  C('PEXPIRE', key, retention)
  local ends = Q..'end:'..state
  C('ZADD', ends, int(US + retention * 1000), id)
  C('HINCRBY', Q..'stat', ENDED[state], '1')
  if state == 'X' or state == 'Z' then
    local most = tonumber(C('HGET', Q..'meta', 'maxdead') or 10000)
    if C('ZCARD', ends) > most then C('DEL', Q..'t:'..C('ZPOPMIN', ends)[1]) end
  end
end
