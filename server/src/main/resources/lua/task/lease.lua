-- Leases READY tasks to workers of the same capabilities.
--
-- ARGV  1 queue, 2 most tasks, 3 delivery window us (0: the whole lease, already
--       acknowledged), 4 TaskChange of a leased task but for the task, 5 number of
--       capabilities, the capabilities, then per worker: id, epoch (0: not checked),
--       wanted
-- Reply {'OK', {replaced workers}, {worker index, id, token, attempt, spec,
--       checkpoint, lease until us, failures, enqueued us, attempt deadline us}...}
--#include task/ready
--#include task/lease_end
--#include common/log
--#include common/protobuf
enter(ARGV[1])
local window = tonumber(ARGV[3])
local first = 6 + tonumber(ARGV[5])
local can = {}
for i = 6, first - 1 do can[ARGV[i]] = true end

local replaced, workers, want = {}, {}, 0
for i = first, #ARGV, 3 do
  local index, id, epoch = (i - first) / 3, ARGV[i], ARGV[i + 1]
  if epoch ~= '0' and C('HGET', Q..'w:'..id, EPOCH) ~= epoch then
    replaced[#replaced + 1] = index
  else
    local wanted = tonumber(ARGV[i + 2])
    workers[#workers + 1] = {index = index, id = id, epoch = '|'..epoch, wanted = wanted, holds = {}}
    want = want + wanted
  end
end
want = math.min(want, tonumber(ARGV[2]))

local meta = C('HMGET', Q..'meta', 'mode', 'maxc', 'fence', 'vt', 'granted', 'weighted')
if meta[1] == 'P' then return {'OK', replaced} end
if meta[2] then want = math.min(want, tonumber(meta[2]) - C('ZCARD', Q..'leases')) end

local function fits(signature)
  for needed in string.gmatch(signature, '[^,]+') do
    if not can[needed] then return false end
  end
  return true
end

local classes, eligible = {}, {}
if want > 0 then
  classes = C('SMEMBERS', Q..'classes')
  for _, signature in ipairs(classes) do
    if signature == '' or fits(signature) then eligible[#eligible + 1] = signature end
  end
end

-- The fairness key that was served least with its virtual time, of its classes the
-- one whose head goes first, and whether it is alone. Nil when there is nothing to do.
local function choose()
  local fairness, vt, waiting
  for _, signature in ipairs(eligible) do
    local heads = C('ZRANGE', Q..'c:'..signature, '0', '1', 'WITHSCORES')
    if heads[1] and (not vt or tonumber(heads[2]) < tonumber(vt)) then
      fairness, vt, waiting = heads[1], heads[2], #heads
    end
  end
  if not fairness then return nil end
  if #eligible == 1 then return fairness, vt, eligible[1], waiting == 2 end
  local best, score
  for _, signature in ipairs(eligible) do
    local head = C('ZRANGE', group_key(signature, fairness), '0', '0', 'WITHSCORES')
    if head[1] and (not score or tonumber(head[2]) < score) then
      best, score = signature, tonumber(head[2])
    end
  end
  return fairness, vt, best, false
end

local token = math.max(tonumber(meta[3] or 0) + 1, US) - 1
local begun, acknowledged = int(US), window > 0 and '0' or '1'
local reply, granted, soonest = {'OK', replaced}, 0, nil
local leases, turn = {}, 1

local function grant(id, seq)
  local key = Q..'t:'..id
  local v = C('HMGET', key, 'h', 'p', 'ck', 'at', 'fl', 'ct', 'td')
  while workers[turn].wanted == 0 do turn = turn + 1 end
  local worker = workers[turn]
  worker.wanted = worker.wanted - 1
  local lease, timeout, stall = struct.unpack('>ddd', v[1], 3)
  if window > 0 and window < lease then lease = window end
  token = token + 1
  local attempt, fence, deadline = (v[4] or 0) + 1, int(token), int(US + timeout)
  C('HSET', key, 'st', 'L', 'tok', fence, 'wk', worker.id, 'at', int(attempt), 'bt', begun,
    'ad', deadline, 'ak', acknowledged)
  if stall > 0 then
    stall = US + stall
    C('HSET', key, 'sd', int(stall))
  else
    stall = nil
  end
  if attempt == 1 and has_claims(v[1]) then
    local scope, dedupe = claims_of(v[1])
    if scope == 1 then free_dedupe(id, dedupe) end
    C('ZREM', Q..'timers', 'q|'..id)
  end
  local ends = lease_end(US + lease, US + timeout, stall, v[7])
  if not soonest or ends < soonest then soonest = ends end
  ends = int(ends)
  leases[#leases + 1] = ends
  leases[#leases + 1] = id
  local holds = worker.holds
  holds[#holds + 1] = id
  holds[#holds + 1] = fence..worker.epoch
  append(seq, 'troupe.tasks', 'task.leased', NAME..'/'..id,
    ARGV[4]..pb_bytes(3, id)..pb_int(5, token)..pb_bytes(6, worker.id))
  reply[#reply + 1] = {
    worker.index, id, fence, attempt, v[2], v[3] or '', ends, v[5] or '0', v[6], deadline
  }
end

local newest_vt = meta[4] or '0'
while granted < want do
  local fairness, vt, signature, alone = choose()
  if not fairness then break end
  if tonumber(vt) > tonumber(newest_vt) then newest_vt = vt end
  local group = group_key(signature, fairness)
  -- Alone in the queue there is nobody to take turns with.
  local turns = alone and want - granted or 1
  local popped = C('ZPOPMIN', group, int(turns))
  local n = #popped / 2
  local weight = meta[6] and C('HGET', Q..'weights', fairness) or 1
  local served = vt + n / weight
  local empty = n < turns or C('EXISTS', group) == 0
  for _, other in ipairs(classes) do
    if not empty or other ~= signature then C('ZADD', Q..'c:'..other, 'XX', served, fairness) end
  end
  if empty then
    close_group(signature, fairness, served)
    if C('SISMEMBER', Q..'classes', signature) == 0 then
      for i, other in ipairs(eligible) do
        if other == signature then
          table.remove(eligible, i)
          break
        end
      end
    end
  end
  local seq = take_sequence(int(n)) - n
  for i = 1, n do grant(popped[2 * i - 1], seq + i) end
  granted = granted + n
end

if granted > 0 then
  C('ZADD', Q..'leases', unpack(leases))
  for _, worker in ipairs(workers) do
    if worker.holds[1] then C('HSET', Q..'w:'..worker.id, unpack(worker.holds)) end
  end
  C('HSET', Q..'meta', 'fence', int(token), 'vt', newest_vt, 'granted', int((meta[5] or 0) + granted))
  look_at(soonest)
end
return reply
