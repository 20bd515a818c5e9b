-- How attempts and tasks end.
--#include task/queue
--#include task/claims
--#include task/bell
local ENDED = {S = 'succeeded', X = 'dead', C = 'cancelled', Z = 'quarantined'}

-- Takes an attempt off the books; what becomes of the task is up to the caller, who
-- counts it too.
local function close_attempt(id, worker)
  C('ZREM', Q..'leases', id)
  C('HDEL', Q..'w:'..worker, id)
  if C('HEXISTS', Q..'meta', 'maxc') == 1 then ring() end
end

-- Ends a task for good; the caller took it out of wherever it was. `retention` in ms
-- is the task's own, false for the queue's; further fields of the task may follow.
local function end_task(id, header, state, retention, ...)
  local key = Q..'t:'..id
  if has_claims(header) then
    local scope, dedupe = claims_of(header)
    if scope ~= 3 then free_dedupe(id, dedupe) end
    C('ZREM', Q..'timers', 'q|'..id, 'd|'..id)
  end
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
