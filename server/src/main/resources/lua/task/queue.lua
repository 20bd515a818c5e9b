-- A queue: its keys, and the moves that several scripts share.
--
-- Names hold no control characters and the queue's name stands behind its
-- length, so no name can reach into another one's key. Q below is
-- `tq:<bytes of the name>:<name>:`.
--
-- tq:names   ZSET    all queues of the partition, score 0
-- tq:due     ZSET    queue -> when the sweep has to look at it next, us
-- bell       CHANNEL 'r\n<queue>' work arrived; 'c\n<queue>\n<id>\n<token>\n<worker>'
--                    cancel; 'w\n<queue>\n<worker>\n<epoch>' a newer stream
-- Q meta     HASH    ct created us, mode P|D, fence last token, vt virtual time,
--                    cfg settings (Protobuf), aging us, maxc, ret ms, maxdead,
--                    rmax/rini/rcap/rnr retry defaults (us)
-- Q weights  HASH    fairness key -> weight
-- Q stat     HASH    counters, see QueueStats
-- Q t:<id>   HASH    one task; expires with its retention once ended
-- Q classes  SET     signatures (sorted `requires`) that have READY tasks
-- Q c:<sig>  ZSET    fairness keys with READY tasks of that signature -> virtual time
-- Q r:<bytes of sig>:<sig>:<fairness key>  ZSET  READY tasks; score = us - priority * aging
-- Q vt       ZSET    fairness keys without READY tasks -> virtual time; at most 10,000
-- Q delayed  ZSET    DELAYED tasks -> when they become READY, us
-- Q leases   ZSET    LEASED tasks -> when the lease runs out, us: the only definition of running
-- Q timers   ZSET    'q|<id>' queue lifetime, 'd|<id>' total deadline -> us
-- Q end:<S|X|C|Z>  ZSET  ended tasks -> when their record expires, us
-- Q dd:<key> STRING  dedupe key -> task id
-- Q w:<worker>  HASH  '\n' -> epoch of its newest stream; task id -> '<token>|<epoch>'
--
-- A task's hash: st state (W D R L S X C Z); h header, p spec (Protobuf); sc
-- score; ct, bt, ft, ra created, begun, finished, run-at us; at attempts, fl
-- failures, lo losses, lw workers that lost it, re releases; tok, wk, ak current
-- attempt: token, worker, acknowledged; ad, sd attempt and stall deadline us;
-- td total deadline us; ck checkpoint, pr progress, r result, e failure
-- (Protobuf); cx cancel reason; etok, eo, es, et last reported end: token,
-- outcome, state and time answered.
--#include common/log
local function queue_of(name)
  local root = P..'tq:'..#name..':'..name..':'
  return {
    name = name, root = root, meta = root..'meta', stat = root..'stat', classes = root..'classes',
    delayed = root..'delayed', leases = root..'leases', timers = root..'timers',
    logged = pb_bytes(2, name)
  }
end

local function task_key(q, id) return q.root..'t:'..id end

-- No task id holds a line feed, so this field of `w:` cannot be one.
local EPOCH = '\n'

local STATE = {W = 1, D = 2, R = 3, L = 4, S = 5, X = 6, C = 7, Z = 8}
local ENDED = {S = 'succeeded', X = 'dead', C = 'cancelled', Z = 'quarantined'}
local KIND = {
  enqueued = 1, ready = 2, leased = 3, completed = 4, failed = 5, expired = 6, released = 7,
  cancel_requested = 8, cancelled = 9, dead = 10, quarantined = 11, redriven = 12, purged = 13,
  progressed = 14
}

local function tell(q, kind, id, state, token, worker, reason, more)
  emit('troupe.tasks', 'task.'..kind, q.name..'/'..id,
    pb_int(1, KIND[kind])..q.logged..pb_bytes(3, id)..pb_int(4, STATE[state])
      ..pb_int(5, tonumber(token) or 0)..pb_bytes(6, worker or '')..pb_bytes(7, reason or '')
      ..(more or ''))
end

local function count(q, counter, n) C('HINCRBY', q.stat, counter, n) end

-- The header is packed by the server: see TaskHeader.
local HEADER = '>BddddddHddBdBHc0Hc0Hc0Hc0'
local function header(packed)
  local priority, delay, lease, attempt, stall, lifetime, total, max_failures, backoff, max_backoff,
    scope, dedupe_ms, policy, fairness, signature, dedupe, fatal = struct.unpack(HEADER, packed)
  return {
    priority = priority, delay = delay, lease = lease, attempt = attempt, stall = stall,
    lifetime = lifetime, total = total, max_failures = max_failures, backoff = backoff,
    max_backoff = max_backoff, scope = scope, dedupe_ms = dedupe_ms, policy = policy,
    fairness = fairness, signature = signature, dedupe = dedupe, fatal = fatal
  }
end

local function ring(q)
  if not q.rung then
    q.rung = true
    C('PUBLISH', P..'bell', 'r\n'..q.name)
  end
end

-- A class or group that was empty and no longer is has to be told: whoever
-- found it empty is asleep until then.
local function make_ready(q, id, h, score)
  local group = q.root..'r:'..#h.signature..':'..h.signature..':'..h.fairness
  C('ZADD', group, score, id)
  count(q, 'ready', 1)
  local class = q.root..'c:'..h.signature
  if not C('ZSCORE', class, h.fairness) then
    local vt = tonumber(C('HGET', q.meta, 'vt') or 0)
    local own = tonumber(C('ZSCORE', q.root..'vt', h.fairness) or 0)
    -- The same key may be served under other signatures already.
    C('ZADD', class, math.max(vt, own), h.fairness)
    C('SADD', q.classes, h.signature)
    ring(q)
  end
end

-- Forgets a group that ran empty, but not how much it was served: a key that
-- comes and goes must not be served more than one that stays.
local function close_group(q, fairness, signature, vt)
  local class, idle = q.root..'c:'..signature, q.root..'vt'
  C('ZREM', class, fairness)
  if C('EXISTS', class) == 0 then
    C('SREM', q.classes, signature)
    if C('EXISTS', q.classes) == 0 then
      -- Nobody waits, so nobody can be served out of turn.
      C('DEL', idle)
      return
    end
  end
  C('ZADD', idle, vt, fairness)
  C('ZREMRANGEBYSCORE', idle, '-inf', C('HGET', q.meta, 'vt') or 0)
  C('ZREMRANGEBYRANK', idle, 0, -10001)
end

local function remove_ready(q, id, h)
  local group = q.root..'r:'..#h.signature..':'..h.signature..':'..h.fairness
  if C('ZREM', group, id) == 0 then return false end
  count(q, 'ready', -1)
  if C('EXISTS', group) == 0 then
    local vt = tonumber(C('ZSCORE', q.root..'c:'..h.signature, h.fairness) or 0)
    close_group(q, h.fairness, h.signature, vt)
  end
  return true
end

local function look_at(q, us) C('ZADD', P..'tq:due', 'LT', int(us), q.name) end

-- Free the dedupe key, unless a newer task took it meanwhile.
local function free_dedupe(q, id, h)
  if h.dedupe ~= '' then
    local key = q.root..'dd:'..h.dedupe
    if C('GET', key) == id then C('DEL', key) end
  end
end

-- Ends a task for good; the caller took it out of wherever it was.
local function end_task(q, id, h, state, ...)
  local key = task_key(q, id)
  if h.scope ~= 3 then free_dedupe(q, id, h) end
  if h.lifetime > 0 or h.total > 0 then C('ZREM', q.timers, 'q|'..id, 'd|'..id) end
  C('HSET', key, 'st', state, 'ft', int(US), ...)
  local retention = tonumber(C('HGET', key, 'rt') or C('HGET', q.meta, 'ret') or 86400000)
  C('PEXPIRE', key, int(retention))
  C('ZADD', q.root..'end:'..state, int(US + retention * 1000), id)
  count(q, ENDED[state], 1)
  if state == 'X' or state == 'Z' then
    local ends = q.root..'end:'..state
    local most = tonumber(C('HGET', q.meta, 'maxdead') or 10000)
    if C('ZCARD', ends) > most then
      for i, old in ipairs(C('ZPOPMIN', ends, 1)) do
        if i % 2 == 1 then C('DEL', task_key(q, old)) end
      end
    end
  end
end

-- Takes an attempt off the books; what becomes of the task is up to the caller.
local function end_attempt(q, id, v, counter)
  C('ZREM', q.leases, id)
  C('HDEL', q.root..'w:'..v.wk, id)
  count(q, v.cx and counter ~= 'a_completed' and 'a_cancelled' or counter, 1)
  if C('HEXISTS', q.meta, 'maxc') == 1 then ring(q) end
end

-- Whether the report is from the current attempt. Returns nil if so, else the
-- reply: the first answer again, a conflict, or a refusal.
local function not_current(v, token, outcome)
  if not v.st then return {'NOT_FOUND'} end
  if v.st == 'L' and v.tok == token then return nil end
  if v.etok == token then
    if v.eo == outcome then return {'OK', v.es, v.et or '0'} end
    return {'CONFLICT', v.st}
  end
  return {'STALE', v.st}
end

local REPORT = {'st', 'tok', 'wk', 'h', 'sc', 'etok', 'eo', 'es', 'et', 'cx', 'fl', 'td'}
local function load_task(q, id)
  local values, v = C('HMGET', task_key(q, id), unpack(REPORT)), {}
  for i, name in ipairs(REPORT) do v[name] = values[i] end
  return v
end

-- Puts a task back to be leased again, in its old place, now or later.
local function put_back(q, id, h, score, wait)
  local key = task_key(q, id)
  if wait > 0 then
    C('HSET', key, 'st', 'D', 'ra', int(US + wait))
    C('ZADD', q.delayed, int(US + wait), id)
    look_at(q, US + wait)
    return 'D'
  end
  C('HSET', key, 'st', 'R')
  make_ready(q, id, h, score)
  return 'R'
end

-- Counts a failure and decides what follows. `chance` in [0, 1) draws the wait
-- (full jitter); `retry_after` in us, or -1 for the policy's back-off.
local function fail_attempt(q, id, v, kind, final, retry_after, chance, failure)
  local h = header(v.h)
  end_attempt(q, id, v, 'a_failed')
  local failures = C('HINCRBY', task_key(q, id), 'fl', 1)
  if failure then C('HSET', task_key(q, id), 'e', failure) end
  if v.cx then
    end_task(q, id, h, 'C')
    tell(q, 'cancelled', id, 'C', v.tok, v.wk, v.cx)
    return 'C', 0
  end
  local most, first, cap, fatal = h.max_failures, h.backoff, h.max_backoff, h.fatal
  if most == 0 then
    local d = C('HMGET', q.meta, 'rmax', 'rini', 'rcap', 'rnr')
    most, first, cap, fatal = tonumber(d[1] or 5), tonumber(d[2] or 1000000),
      tonumber(d[3] or 600000000), d[4] or ''
  end
  if failures >= most or final or string.find('\n'..fatal..'\n', '\n'..kind..'\n', 1, true) then
    end_task(q, id, h, 'X')
    tell(q, 'dead', id, 'X', v.tok, v.wk, kind)
    return 'X', 0
  end
  local wait = retry_after
  if wait < 0 then wait = math.floor(chance * math.min(cap, first * 2 ^ math.min(failures - 1, 50))) end
  local state = put_back(q, id, h, v.sc, wait)
  tell(q, 'failed', id, state, v.tok, v.wk, kind)
  return state, wait > 0 and US + wait or 0
end

-- Gives an attempt back without counting it against the task.
local function release_attempt(q, id, v, wait, reason)
  local h = header(v.h)
  end_attempt(q, id, v, 'a_released')
  if v.cx then
    end_task(q, id, h, 'C')
    tell(q, 'cancelled', id, 'C', v.tok, v.wk, v.cx)
    return 'C'
  end
  C('HINCRBY', task_key(q, id), 're', 1)
  local state = put_back(q, id, h, v.sc, wait)
  tell(q, 'released', id, state, v.tok, v.wk, reason)
  return state
end

-- Until when an attempt may run if it is extended now.
local function lease_until(wanted, v_ad, v_sd, v_td)
  local u = wanted
  if v_ad then u = math.min(u, tonumber(v_ad)) end
  if v_sd then u = math.min(u, tonumber(v_sd)) end
  if v_td then u = math.min(u, tonumber(v_td)) end
  return u
end
