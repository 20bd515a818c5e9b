-- Leases READY tasks to workers of the same capabilities.
--
-- ARGV  1 queue, 2 most tasks, 3 delivery window us (0: the whole lease, already
--       acknowledged), 4 TaskChange of a leased task but for the task, 5 number of
--       capabilities, the capabilities, then per worker: id, epoch (0: not checked),
--       wanted
-- Reply {'OK', how many workers were replaced, their indexes, then per task: worker
--       index, id, token, attempt, spec, checkpoint, lease until us, failures,
--       enqueued us, attempt deadline us}
--#include task/ready
--#include common/log
--#include common/protobuf
--#include common/protobuf_token
enter(ARGV[1])
local window = tonumber(ARGV[3])
local first = 6 + tonumber(ARGV[5])
local can = {}
for i = 6, first - 1 do can[ARGV[i]] = true end

local reply, last, workers, want = {'OK', 0}, 2, {}, 0
for i = first, #ARGV, 3 do
  local index, id, epoch = (i - first) / 3, ARGV[i], ARGV[i + 1]
  if epoch ~= '0' and C('HGET', Q..'w:'..id, EPOCH) ~= epoch then
    last = last + 1
    reply[2], reply[last] = last - 2, index
  else
    local wanted = tonumber(ARGV[i + 2])
    workers[#workers + 1] = {
      index = index, id = id, holder = '|'..epoch, wanted = wanted, holds = {}, logged = pb_bytes(6, id)
    }
    want = want + wanted
  end
end
want = math.min(want, tonumber(ARGV[2]))

local meta = C('HMGET', Q..'meta', 'mode', 'maxc', 'fence', 'vt', 'granted', 'weighted')
if meta[1] == 'P' then return reply end
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
  if #eligible == 1 then return fairness, vt, eligible[1], waiting == 2 and #classes == 1 end
  local best, score
  for _, signature in ipairs(eligible) do
    local head = C('ZRANGE', group_key(signature, fairness), '0', '0', 'WITHSCORES')
    if head[1] and (not score or tonumber(head[2]) < score) then
      best, score = signature, tonumber(head[2])
    end
  end
  return fairness, vt, best, false
end

-- Takes tasks out of their groups.
local taken, newest_vt = {}, meta[4] or '0'
while want > 0 do
  local fairness, vt, signature, alone = choose()
  if not fairness then break end
  if tonumber(vt) > tonumber(newest_vt) then newest_vt = vt end
  local group = group_key(signature, fairness)
  -- Alone in the queue there is nobody to take turns with.
  local turns = alone and want or 1
  -- Not ZPOPMIN, which spends more time on writing the scores.
  local to = int(turns - 1)
  local ids = C('ZRANGE', group, '0', to)
  C('ZREMRANGEBYRANK', group, '0', to)
  local n = #ids
  want = want - n
  if taken[1] then
    for _, id in ipairs(ids) do taken[#taken + 1] = id end
  else
    taken = ids
  end
  local empty = n < turns or C('EXISTS', group) == 0
  local served = vt
  if alone then
    -- Time stands still for it, and nobody else has been served since.
    if not empty then C('DEL', Q..'vt') end
  else
    served = vt + n / (meta[6] and C('HGET', Q..'weights', fairness) or 1)
    for _, other in ipairs(classes) do
      if not empty or other ~= signature then C('ZADD', Q..'c:'..other, 'XX', served, fairness) end
    end
  end
  if empty then
    --#include task/unready
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
end
if not taken[1] then return reply end

local granted = #taken
local seq = take_sequence(int(granted)) - granted
local token = math.max((meta[3] or 0) + 1, US) - 1
local begun = int(US)
local leases, turn, soonest = {}, 1, nil
for i, id in ipairs(taken) do
  local key = Q..'t:'..id
  local v = C('HMGET', key, 'h', 'p', 'ct', 'at')
  local header = v[1]
  while workers[turn].wanted == 0 do turn = turn + 1 end
  local worker = workers[turn]
  worker.wanted = worker.wanted - 1
  local lease, timeout, stall = struct.unpack('>ddd', header, 3)
  if window > 0 and window < lease then lease = window end
  token = token + 1
  local fence, attempt, checkpoint, failures = int(token), '1', '', '0'
  if v[4] then
    attempt = int(v[4] + 1)
    local earlier = C('HMGET', key, 'ck', 'fl')
    checkpoint, failures = earlier[1] or '', earlier[2] or '0'
  end
  C('HSET', key, 'st', 'L', 'tok', fence, 'wk', worker.id, 'at', attempt, 'bt', begun)
  if window == 0 then C('HSET', key, 'ak', fence) end
  local ends = US + math.min(lease, timeout)
  if stall > 0 then
    C('HSET', key, 'sd', int(US + stall))
    ends = math.min(ends, US + stall)
  end
  if string.byte(header) % 2 == 1 then
    --#include task/claims
    ends = math.min(ends, C('HGET', key, 'td') or ends)
    if attempt == '1' then
      local scope, dedupe = claims_of(header)
      if scope == 1 then free_dedupe(id, dedupe) end
      C('ZREM', Q..'timers', 'q|'..id)
    end
  end
  if not soonest or ends < soonest then soonest = ends end
  ends = int(ends)
  leases[2 * i - 1], leases[2 * i] = ends, id
  local holds = worker.holds
  holds[#holds + 1] = id
  holds[#holds + 1] = fence..worker.holder
  seq = seq + 1
  append(seq, 'troupe.tasks', 'task.leased', NAME..'/'..id,
    ARGV[4]..pb_bytes(3, id)..pb_token(5, token)..worker.logged)
  reply[last + 1], reply[last + 2], reply[last + 3] = worker.index, id, fence
  reply[last + 4], reply[last + 5], reply[last + 6] = attempt, v[2], checkpoint
  reply[last + 7], reply[last + 8], reply[last + 9] = ends, failures, v[3]
  reply[last + 10] = US + timeout
  last = last + 10
end
C('ZADD', Q..'leases', unpack(leases))
for _, worker in ipairs(workers) do
  if worker.holds[1] then
    C('HSET', Q..'w:'..worker.id, unpack(worker.holds))
    -- Streams have done so when they were opened.
    if worker.holder == '|0' then
      C('ZADD', P..'tq:w:'..worker.id, '0', NAME)
      C('PEXPIRE', P..'tq:w:'..worker.id, '7200000')
    end
  end
end
C('HSET', Q..'meta', 'fence', int(token), 'vt', newest_vt, 'granted', int((meta[5] or 0) + granted))
look_at(soonest)
return reply
