-- Reads which attempts at tasks ended since the figures were counted last, at most
-- 256 entries of the log a call. Where none did, it goes on by itself.
--
-- ag:fig  HASH  up to where the figures of all agents are counted: epoch, seq and id
--               of an entry; gen us when counting began: anew in another log, whose
--               sequence may repeat the former one's
--
-- ARGV  1 whether to read the entries 0|1; if not, only how far the log goes is told
-- Reply {'OK', gen, seq up to which is counted, seq and id up to which this reply
--       goes, more 0|1, then per attempt: seq, ms when it ended, type, TaskChange}
--#include common/prelude
local ENDS = {
  ['task.completed'] = true, ['task.failed'] = true, ['task.dead'] = true,
  ['task.expired'] = true, ['task.quarantined'] = true
}
local function newest_id()
  local newest = C('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
  return newest and newest[1] or '0-0'
end
local key = P..'ag:fig'
local head = C('HMGET', P..'head', 'epoch', 'seq')
if not head[2] then return {'OK', '0', '0', '0', '0-0', 0} end
local v = C('HMGET', key, 'epoch', 'seq', 'id', 'gen')
local epoch, seq, id, gen = head[1] or '0', v[2] or '0', v[3] or '0-0', v[4]
if v[1] ~= epoch then
  -- Nothing of this log has been counted.
  seq, id, gen = '0', '0-0', int(US)
  C('HSET', key, 'epoch', epoch, 'seq', seq, 'id', id, 'gen', gen)
elseif tonumber(seq) > tonumber(head[2]) then
  -- Redis lost its end. What was written since cannot be told from what was lost.
  seq, id, gen = head[2], newest_id(), int(US)
  C('HSET', key, 'seq', seq, 'id', id, 'gen', gen)
end
if ARGV[1] == '0' then
  return {'OK', gen, seq, head[2], head[2] == seq and id or newest_id(), 0}
end
local entries = C('XRANGE', KEYS[1], '('..id, '+', 'COUNT', 256)
local reply = {'OK', gen, seq, seq, id, #entries == 256 and 1 or 0}
for _, entry in ipairs(entries) do
  -- In the order of common/log.
  local f = entry[2]
  reply[4], reply[5] = f[2], entry[1]
  if f[4] == 'troupe.tasks' and ENDS[f[6]] then
    local n = #reply
    reply[n + 1], reply[n + 2] = f[2], string.match(entry[1], '^%d+')
    reply[n + 3], reply[n + 4] = f[6], f[10]
  end
end
if #reply == 6 and reply[4] ~= seq then
  C('HSET', key, 'seq', reply[4], 'id', reply[5])
  reply[3] = reply[4]
end
return reply
