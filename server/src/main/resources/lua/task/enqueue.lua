-- Adds tasks to one queue, each on its own.
--
-- ARGV  1 queue, 2 fence name, 3 fence token, 4 request id, 5 digest of the
--       request, then per task: id, header, spec, retention ms ('' = queue's), its
--       TaskChange
-- Reply {'OK', {code, id, state}...} with code CREATED | EXISTS | CONFLICT |
--       DRAINING | CLASSES; {'STALE_FENCE', highest}; {'REUSED'}; {'LIMIT'}
--#include task/ready
--#include task/tell
--#include common/request
--#include common/fence
local answer = replay('Enqueue', ARGV[4], ARGV[5])
if answer then return answer end
local highest = stale_fence(ARGV[2], ARGV[3])
if highest then return {'STALE_FENCE', highest} end

enter(ARGV[1])
local meta = C('HMGET', Q..'meta', 'ct', 'mode', 'aging')
if not meta[1] then
  if C('ZCARD', P..'tq:names') >= 100000 then return {'LIMIT', '100000'} end
  C('HSET', Q..'meta', 'ct', int(US))
  C('ZADD', P..'tq:names', '0', NAME)
  look_at(US + 60000000)
end
local draining, aging = meta[2] == 'D', tonumber(meta[3] or 60000000)

local function taken(id, dedupe, scope)
  if C('EXISTS', Q..'t:'..id) == 1 then return id end
  if dedupe ~= '' then
    local holder = C('GET', Q..'dd:'..dedupe)
    -- A holder whose record is gone no longer holds; only FOR_TIME outlives it.
    if holder and (scope == 3 or C('EXISTS', Q..'t:'..holder) == 1) then return holder end
  end
end

-- Removes a task that no attempt of was ever started. Returns whether it did.
local function replace(id)
  local key = Q..'t:'..id
  local v = C('HMGET', key, 'st', 'at', 'h')
  local state, header = v[1], v[3]
  if v[2] and tonumber(v[2]) > 0 then return false end
  if state == 'R' then
    remove_ready(id, group_of(header))
  elseif state == 'D' then
    C('ZREM', Q..'delayed', id)
  else
    return false
  end
  local _, dedupe = claims_of(header)
  free_dedupe(id, dedupe)
  C('ZREM', Q..'timers', 'q|'..id, 'd|'..id)
  C('DEL', key)
  C('HINCRBY', Q..'stat', 'purged', '1')
  tell('purged', id, state, 0, '', 'replaced')
  return true
end

local function start_timer(id, kind, us)
  C('ZADD', Q..'timers', int(us), kind..'|'..id)
  look_at(us)
end

local created = 0
local function add(id, header, spec, retention, change, offset)
  local claims, priority, _, _, _, lifetime, total, scope, signature, fairness, dedupe, delay, policy,
    dedupe_ms = struct.unpack('>BBdddddBHc0Hc0Hc0dBd', header)
  local holder = taken(id, dedupe, scope)
  if holder then
    if policy == 1 then return {'CONFLICT', holder, ''} end
    if policy ~= 3 or not replace(holder) then
      return {'EXISTS', holder, C('HGET', Q..'t:'..holder, 'st') or ''}
    end
  end
  if draining then return {'DRAINING', id, ''} end
  if signature ~= '' and C('SISMEMBER', Q..'classes', signature) == 0
      and C('SCARD', Q..'classes') >= 128 then
    return {'CLASSES', id, ''}
  end
  created = created + 1
  -- Tasks of one batch keep their order: each is a microsecond younger.
  local key, us = Q..'t:'..id, US + offset
  local state = delay > 0 and 'D' or 'R'
  local begun = int(us)
  local score = begun
  if delay > 0 or priority > 0 then score = int(us + delay - priority * aging) end
  C('HSET', key, 'st', state, 'h', header, 'p', spec, 'sc', score, 'ct', begun)
  if retention ~= '' then C('HSET', key, 'rt', retention) end
  if claims == 1 then
    if dedupe ~= '' then
      if scope == 3 then
        C('SET', Q..'dd:'..dedupe, id, 'PX', int(dedupe_ms))
      else
        C('SET', Q..'dd:'..dedupe, id)
      end
    end
    if total > 0 then
      C('HSET', key, 'td', int(us + total))
      start_timer(id, 'd', us + total)
    end
    if lifetime > 0 then start_timer(id, 'q', us + lifetime) end
  end
  emit('troupe.tasks', 'task.enqueued', NAME..'/'..id, change)
  if delay > 0 then
    local runs = int(us + delay)
    C('HSET', key, 'ra', runs)
    C('ZADD', Q..'delayed', runs, id)
    look_at(us + delay)
  else
    make_ready(id, score, signature, fairness)
  end
  return {'CREATED', id, state}
end

local reply = {'OK'}
for i = 6, #ARGV, 5 do
  reply[#reply + 1] = add(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], (i - 6) / 5)
end
if created > 0 then C('HINCRBY', Q..'stat', 'enqueued', int(created)) end
return remember('Enqueue', ARGV[4], ARGV[5], reply)
