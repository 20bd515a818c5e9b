-- Adds tasks to one queue, each on its own.
--
-- ARGV  1 queue, 2 fence name, 3 fence token, 4 request id, 5 digest of the
--       request, then per task: id, header, spec, retention ms ('' = queue's)
-- Reply {'OK', {code, id, state}...} with code CREATED | EXISTS | CONFLICT |
--       DRAINING | CLASSES; {'STALE_FENCE', highest}; {'REUSED'}; {'LIMIT'}
--#include task/queue
--#include common/request
--#include common/fence
local answer = replay('Enqueue', ARGV[4], ARGV[5])
if answer then return answer end
local highest = stale_fence(ARGV[2], ARGV[3])
if highest then return {'STALE_FENCE', highest} end

local q = queue_of(ARGV[1])
local meta = C('HMGET', q.meta, 'ct', 'mode', 'aging')
if not meta[1] then
  if C('ZCARD', P..'tq:names') >= 100000 then return {'LIMIT', '100000'} end
  C('HSET', q.meta, 'ct', int(US))
  C('ZADD', P..'tq:names', 0, q.name)
  look_at(q, US + 60000000)
end
local draining, aging = meta[2] == 'D', tonumber(meta[3] or 60000000)

local function taken(id, h)
  if C('EXISTS', task_key(q, id)) == 1 then return id end
  if h.dedupe ~= '' then
    local holder = C('GET', q.root..'dd:'..h.dedupe)
    -- A holder whose record is gone no longer holds; only FOR_TIME outlives it.
    if holder and (h.scope == 3 or C('EXISTS', task_key(q, holder)) == 1) then return holder end
  end
end

-- Removes a task that no attempt of was ever started. Returns whether it did.
local function replace(id)
  local v = C('HMGET', task_key(q, id), 'st', 'at', 'h')
  if v[2] and tonumber(v[2]) > 0 then return false end
  local h = v[3] and header(v[3])
  if v[1] == 'R' then
    remove_ready(q, id, h)
  elseif v[1] == 'D' then
    C('ZREM', q.delayed, id)
  else
    return false
  end
  free_dedupe(q, id, h)
  C('ZREM', q.timers, 'q|'..id, 'd|'..id)
  C('DEL', task_key(q, id))
  count(q, 'purged', 1)
  tell(q, 'purged', id, v[1], 0, '', 'replaced')
  return true
end

local function add(id, packed, spec, retention, offset)
  local h = header(packed)
  local holder = taken(id, h)
  if holder then
    if h.policy == 1 then return {'CONFLICT', holder, ''} end
    if h.policy ~= 3 or not replace(holder) then
      return {'EXISTS', holder, C('HGET', task_key(q, holder), 'st') or ''}
    end
  end
  if draining then return {'DRAINING', id, ''} end
  if h.signature ~= '' and C('SISMEMBER', q.classes, h.signature) == 0
      and C('SCARD', q.classes) >= 128 then
    return {'CLASSES', id, ''}
  end
  if h.dedupe ~= '' then
    if h.scope == 3 then
      C('SET', q.root..'dd:'..h.dedupe, id, 'PX', int(h.dedupe_ms))
    else
      C('SET', q.root..'dd:'..h.dedupe, id)
    end
  end
  -- Tasks of one batch keep their order: each is a microsecond younger.
  local us = US + offset
  local state = h.delay > 0 and 'D' or 'R'
  local score = int(us + h.delay - h.priority * aging)
  local fields = {'st', state, 'h', packed, 'p', spec, 'sc', score, 'ct', int(us)}
  if retention ~= '' then
    fields[#fields + 1] = 'rt'
    fields[#fields + 1] = retention
  end
  if h.total > 0 then
    fields[#fields + 1] = 'td'
    fields[#fields + 1] = int(us + h.total)
    C('ZADD', q.timers, int(us + h.total), 'd|'..id)
    look_at(q, us + h.total)
  end
  if h.lifetime > 0 then
    C('ZADD', q.timers, int(us + h.lifetime), 'q|'..id)
    look_at(q, us + h.lifetime)
  end
  if state == 'D' then
    fields[#fields + 1] = 'ra'
    fields[#fields + 1] = int(us + h.delay)
  end
  C('HSET', task_key(q, id), unpack(fields))
  count(q, 'enqueued', 1)
  tell(q, 'enqueued', id, state)
  if state == 'D' then
    C('ZADD', q.delayed, int(us + h.delay), id)
    look_at(q, us + h.delay)
  else
    make_ready(q, id, h, score)
  end
  return {'CREATED', id, state}
end

local reply = {'OK'}
for i = 6, #ARGV, 4 do
  reply[#reply + 1] = add(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], (i - 6) / 4)
end
return remember('Enqueue', ARGV[4], ARGV[5], reply)
