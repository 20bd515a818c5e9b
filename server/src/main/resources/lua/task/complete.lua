-- Ends tasks with their results, each on its own.
--
-- ARGV  1 queue, then per attempt: task, token, result, its TaskChange but for the
--       worker, fence name, fence token, number of events, then per event: topic, '1'
--       if the worker is its actor, encoded Event but for actor and time
-- Reply {'OK', then per attempt: code, detail} with OK, state | NOT_FOUND, '' |
--       STALE, state | CONFLICT, state | STALE_FENCE, highest
--#include task/claims
--#include task/bell
--#include common/log
--#include common/protobuf
--#include common/fence
--#include common/outbox
enter(ARGV[1])
local meta = C('HMGET', Q..'meta', 'ret', 'maxc')
local retention, finished = meta[1] or '86400000', int(US)
local ids, changes, ends = {}, {}, {}

-- Lays the events of a completion out; they begin at `first` of the arguments.
local function publish(first, n, worker)
  --#include common/protobuf_time
  local at = pb_time(5, US)
  for i = first, first + 3 * n - 1, 3 do
    local actor = ARGV[i + 1] == '1' and pb_bytes(14, worker) or ''
    lay_out(ARGV[i], ARGV[i + 2]..actor..at)
  end
end

local function complete(id, token, result, change, fence, fence_token, first, events)
  local key = Q..'t:'..id
  local v = C('HMGET', key, 'st', 'tok', 'wk', 'h', 'rt', 'etok')
  local state, worker = v[1], v[3]
  if not state then return 'NOT_FOUND', '' end
  if v[2] ~= token or state ~= 'L' then
    local completed = state == 'S' and v[2] == token
    if completed and C('HGET', key, 'r') == result then return 'OK', 'S' end
    return (completed or v[6] == token) and 'CONFLICT' or 'STALE', state
  end
  local highest = stale_fence(fence, fence_token)
  if highest then return 'STALE_FENCE', highest end
  local kept = v[5] or retention
  C('HSET', key, 'st', 'S', 'ft', finished, 'r', result)
  C('PEXPIRE', key, kept)
  C('HDEL', Q..'w:'..worker, id)
  if has_claims(v[4]) then drop_claims(id, v[4]) end
  local n = #ids + 1
  ids[n], changes[n] = id, change..pb_bytes(6, worker)
  ends[2 * n - 1], ends[2 * n] = int(US + kept * 1000), id
  if events > 0 then publish(first, events, worker) end
  return 'OK', 'S'
end

local reply, last, i = {'OK'}, 1, 2
while i <= #ARGV do
  local events = tonumber(ARGV[i + 6])
  reply[last + 1], reply[last + 2] = complete(
    ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], ARGV[i + 5], i + 7, events)
  last, i = last + 2, i + 7 + 3 * events
end

-- What concerns the queue is written once for all that ended.
local n = #ids
if n > 0 then
  C('ZREM', Q..'leases', unpack(ids))
  C('ZADD', Q..'end:S', unpack(ends))
  C('HINCRBY', Q..'stat', 'succeeded', int(n))
  local seq = take_sequence(int(n)) - n
  for i, id in ipairs(ids) do
    append(seq + i, 'troupe.tasks', 'task.completed', NAME..'/'..id, changes[i])
  end
  if meta[2] then ring() end
end
return reply
