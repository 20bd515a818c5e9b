-- Leases READY tasks to workers of the same capabilities.
--
-- ARGV  1 queue, 2 most tasks, 3 delivery window us (0: the whole lease, already
--       acknowledged), 4 number of capabilities, the capabilities, then per
--       worker: id, epoch (0: not checked), wanted
-- Reply {'OK', {replaced workers}, {worker index, id, token, attempt, spec,
--       checkpoint, lease until us, failures, enqueued us, attempt deadline us}...}
--#include task/queue
local q = queue_of(ARGV[1])
local window = tonumber(ARGV[3])
local first = 5 + tonumber(ARGV[4])
local can = {}
for i = 5, first - 1 do can[ARGV[i]] = true end

local replaced, workers, want = {}, {}, 0
for i = first, #ARGV, 3 do
  local index = (i - first) / 3
  if ARGV[i + 1] ~= '0' and C('HGET', q.root..'w:'..ARGV[i], EPOCH) ~= ARGV[i + 1] then
    replaced[#replaced + 1] = index
  else
    local wanted = tonumber(ARGV[i + 2])
    workers[#workers + 1] = {index = index, id = ARGV[i], epoch = ARGV[i + 1], wanted = wanted}
    want = want + wanted
  end
end
want = math.min(want, tonumber(ARGV[2]))

local meta = C('HMGET', q.meta, 'mode', 'maxc', 'fence', 'vt')
if meta[1] == 'P' then return {'OK', replaced} end
if meta[2] then want = math.min(want, tonumber(meta[2]) - C('ZCARD', q.leases)) end

local classes, eligible = {}, {}
if want > 0 then
  classes = C('SMEMBERS', q.classes)
  for _, signature in ipairs(classes) do
    local fits = true
    for needed in string.gmatch(signature, '[^,]+') do
      if not can[needed] then
        fits = false
        break
      end
    end
    if fits then eligible[#eligible + 1] = signature end
  end
end

local function group_key(signature, fairness)
  return q.root..'r:'..#signature..':'..signature..':'..fairness
end

-- The fairness key that was served least, and of its classes the one whose head
-- goes first. Returns nil when there is nothing to do.
local function choose()
  local fairness, vt
  for _, signature in ipairs(eligible) do
    local head = C('ZRANGE', q.root..'c:'..signature, 0, 0, 'WITHSCORES')
    if head[1] and (not vt or tonumber(head[2]) < vt) then fairness, vt = head[1], tonumber(head[2]) end
  end
  if not fairness then return nil end
  if #eligible == 1 then return fairness, eligible[1], vt end
  local best, score
  for _, signature in ipairs(eligible) do
    local head = C('ZRANGE', group_key(signature, fairness), 0, 0, 'WITHSCORES')
    if head[1] and (not score or tonumber(head[2]) < score) then best, score = signature, tonumber(head[2]) end
  end
  return fairness, best, vt
end

local token = math.max(tonumber(meta[3] or 0) + 1, US) - 1
local reply, granted, soonest = {'OK', replaced}, 0, nil
local leases, held, turn = {}, {}, 1

local function grant(id)
  local key = task_key(q, id)
  local v = C('HMGET', key, 'h', 'p', 'ck', 'at', 'fl', 'ct', 'td')
  while workers[turn].wanted == 0 do turn = turn + 1 end
  local worker = workers[turn]
  worker.wanted = worker.wanted - 1
  local h = header(v[1])
  token = token + 1
  local attempt = (tonumber(v[4]) or 0) + 1
  local deadline = US + h.attempt
  local stall = h.stall > 0 and US + h.stall or nil
  local wanted = US + h.lease
  if window > 0 then wanted = US + math.min(h.lease, window) end
  local until_us = lease_until(wanted, deadline, stall, v[7])
  local fields = {
    'st', 'L', 'tok', int(token), 'wk', worker.id, 'at', attempt, 'bt', int(US), 'ad', int(deadline),
    'ak', window > 0 and '0' or '1'
  }
  if stall then
    fields[#fields + 1] = 'sd'
    fields[#fields + 1] = int(stall)
  end
  C('HSET', key, unpack(fields))
  if attempt == 1 then
    if h.scope == 1 then free_dedupe(q, id, h) end
    if h.lifetime > 0 then C('ZREM', q.timers, 'q|'..id) end
  end
  leases[#leases + 1] = int(until_us)
  leases[#leases + 1] = id
  C('HSET', q.root..'w:'..worker.id, id, int(token)..'|'..worker.epoch)
  tell(q, 'leased', id, 'L', token, worker.id)
  soonest = math.min(soonest or until_us, until_us)
  granted = granted + 1
  reply[#reply + 1] = {
    worker.index, id, int(token), attempt, v[2], v[3] or '', int(until_us), tonumber(v[5]) or 0,
    v[6], int(deadline)
  }
end

local newest_vt = tonumber(meta[4] or 0)
while granted < want do
  local fairness, signature, vt = choose()
  if not fairness then break end
  newest_vt = math.max(newest_vt, vt)
  local group = group_key(signature, fairness)
  -- Alone in the queue there is nobody to take turns with.
  local turns = 1
  if #eligible == 1 and C('ZCARD', q.root..'c:'..signature) == 1 then turns = want - granted end
  local popped = C('ZPOPMIN', group, turns)
  local n = #popped / 2
  local stride = n / tonumber(C('HGET', q.root..'weights', fairness) or 1)
  for _, other in ipairs(classes) do
    C('ZADD', q.root..'c:'..other, 'XX', vt + stride, fairness)
  end
  if C('EXISTS', group) == 0 then
    close_group(q, fairness, signature, vt + stride)
    if C('SISMEMBER', q.classes, signature) == 0 then
      for i, other in ipairs(eligible) do
        if other == signature then
          table.remove(eligible, i)
          break
        end
      end
    end
  end
  for i = 1, #popped, 2 do grant(popped[i]) end
end

if granted > 0 then
  C('ZADD', q.leases, unpack(leases))
  count(q, 'granted', granted)
  count(q, 'ready', -granted)
  C('HSET', q.meta, 'fence', int(token), 'vt', string.format('%.6f', newest_vt))
  look_at(q, soonest)
end
return reply
