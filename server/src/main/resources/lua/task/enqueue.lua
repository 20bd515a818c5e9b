-- Adds tasks to one queue, each on its own.
--
-- ARGV  1 queue, 2 fence name, 3 fence token, 4 request id, 5 digest of the
--       request, then per task: id, header, spec, retention ms ('' = queue's), its
--       TaskChange
-- Reply {'OK', then per task: code, id, state} with code CREATED | EXISTS | CONFLICT |
--       DRAINING | CLASSES; {'STALE_FENCE', highest}; {'REUSED'}; {'LIMIT'}. Flat, for
--       Redis takes a microsecond to turn a nested table into a reply.
--#include task/ready
--#include common/log
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
local draining = meta[2] == 'D'

-- Why a task cannot be added: code, id and state for the reply; nil when it can. What few
-- tasks need is included in here, where it is not defined on every call.
local function hindrance(id, header, exists)
  --#include task/unready
  --#include task/claims
  --#include task/tell
  -- Removes a task that no attempt of was ever started. Returns whether it did.
  local function replace(other)
    local key = Q..'t:'..other
    local v = C('HMGET', key, 'st', 'at', 'h')
    local state, its = v[1], v[3]
    if v[2] and tonumber(v[2]) > 0 then return false end
    if state == 'R' then
      remove_ready(other, group_of(its))
    elseif state == 'D' then
      C('ZREM', Q..'delayed', other)
    else
      return false
    end
    local _, dedupe = claims_of(its)
    free_dedupe(other, dedupe)
    C('ZREM', Q..'timers', 'q|'..other, 'd|'..other)
    C('DEL', key)
    C('HINCRBY', Q..'stat', 'purged', '1')
    tell('purged', other, state, 0, '', 'replaced')
    return true
  end

  local scope, signature, _, dedupe, _, policy = struct.unpack('>BHc0Hc0Hc0dB', header, 43)
  local holder = exists and id
  if not holder and dedupe ~= '' then
    holder = C('GET', Q..'dd:'..dedupe)
    -- A holder whose record is gone no longer holds; only FOR_TIME outlives it.
    if holder and scope ~= 3 and C('EXISTS', Q..'t:'..holder) == 0 then holder = nil end
  end
  if holder then
    if policy == 1 then return 'CONFLICT', holder, '' end
    if policy ~= 3 or not replace(holder) then
      return 'EXISTS', holder, C('HGET', Q..'t:'..holder, 'st') or ''
    end
  end
  if draining then return 'DRAINING', id, '' end
  if signature ~= '' and C('SISMEMBER', Q..'classes', signature) == 0
      and C('SCARD', Q..'classes') >= 128 then
    return 'CLASSES', id, ''
  end
end

-- Takes the dedupe key and sets the timers.
local function stake_claims(id, header, us)
  local lifetime, total, scope, _, _, dedupe, _, _, dedupe_ms =
    struct.unpack('>ddBHc0Hc0Hc0dBd', header, 27)
  if dedupe ~= '' then
    C('SET', Q..'dd:'..dedupe, id)
    if scope == 3 then C('PEXPIRE', Q..'dd:'..dedupe, int(dedupe_ms)) end
  end
  if total > 0 then
    C('HSET', Q..'t:'..id, 'td', int(us + total))
    C('ZADD', Q..'timers', int(us + total), 'd|'..id)
    look_at(us + total)
  end
  if lifetime > 0 then
    C('ZADD', Q..'timers', int(us + lifetime), 'q|'..id)
    look_at(us + lifetime)
  end
end

local reply, last, created = {'OK'}, 1, 0
for i = 6, #ARGV, 5 do
  local id, header, retention = ARGV[i], ARGV[i + 1], ARGV[i + 3]
  local key, flags = Q..'t:'..id, string.byte(header)
  local exists = C('EXISTS', key) == 1
  local code, its, state
  if exists or draining or flags > 0 then code, its, state = hindrance(id, header, exists) end
  if not code then
    -- Tasks of one batch keep their order: each is a microsecond younger.
    local us = US + (i - 6) / 5
    local begun = int(us)
    local score, signature, fairness, delay = begun, '', '', 0
    code, its, state = 'CREATED', id, 'R'
    if flags > 1 then
      local _
      signature, fairness, _, delay = struct.unpack('>Hc0Hc0Hc0d', header, 44)
      score = int(us + delay - string.byte(header, 2) * (meta[3] or 60000000))
      if delay > 0 then state = 'D' end
    end
    C('HSET', key, 'st', state, 'h', header, 'p', ARGV[i + 2], 'ct', begun)
    if score ~= begun then C('HSET', key, 'sc', score) end
    if retention ~= '' then C('HSET', key, 'rt', retention) end
    if flags % 2 == 1 then stake_claims(id, header, us) end
    emit('troupe.tasks', 'task.enqueued', NAME..'/'..id, ARGV[i + 4])
    if delay > 0 then
      local runs = int(us + delay)
      C('HSET', key, 'ra', runs)
      C('ZADD', Q..'delayed', runs, id)
      look_at(us + delay)
    else
      make_ready(id, score, signature, fairness)
    end
    created = created + 1
  end
  reply[last + 1], reply[last + 2], reply[last + 3] = code, its, state
  last = last + 3
end
if created > 0 then C('HINCRBY', Q..'stat', 'enqueued', int(created)) end
return remember('Enqueue', ARGV[4], ARGV[5], reply)
