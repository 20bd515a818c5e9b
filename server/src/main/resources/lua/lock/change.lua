-- Does what callers ask of locks, one after the other: those that arrive together share
-- a script, for most of what it costs Redis is the same for one and for many. Runs within
-- lock/fast, which the server calls.
--
-- ARGV  1 how many may wait for a lock, then one after the other:
--       'A' acquire one lock: owner, ttl us, wait us (0: at once, or no longer; -1: this call
--           no longer; below: as before, that long if this is new after all), call, wait id,
--           request id of the wait, more; name, mode, permits, limit, lease id, LockLease,
--           LockChange
--       'M' acquire several: the same, with the number of locks before the first name
--       'R' release: lease id, name, more
--       'N' renew: lease id, name, ttl us (0: as it was), more
--       'D' the caller of an acquire is gone: wait id, request id, call, 1 to forget it,
--           number of locks, then for each: lease id, name
--       where more is '' or has these, each followed by a zero byte: request id ('' when
--       nothing can be known of it), digest, fence name, fence token and, to acquire, agent,
--       token of its session, id of the lease that is acquired once more, 1 if it is a part
--       of a set: then leases last no longer than an unclaimed grant, and no answer is kept
--       but that of the whole set
-- Reply {'OK', now us, answer...}, each of them
--       {'GRANTED', for each target: token, granted us, due us, holds, LockLease ('' as
--           asked for), lease id ('' as asked for)}
--       {'WAITING', number, how many are ahead, 1 if the owner holds or waits for more}
--       {'HELD' | 'QUEUED' | 'TIMED_OUT', name, owner, due us, how many are ahead}
--       {'RELEASED', 0|1, holds left}; {'RENEWED', due us}; {'GONE', leases concerned}
--       {'SET', the answer that lock/keep kept for a set of which this is a part}
--       {'STALE'}; {'MODE', limit}; {'SESSION'}; {'FULL'}; {'DEADLOCK', circle};
--       {'STALE_FENCE', highest}; {'REUSED'}
--#include lock/lock
--#include common/request
--#include common/fence
local KEPT = 60000
local TIME_IS_UP = -1
local NOTHING_MORE = {'', '', '', '0', '', '0', '', '0'}

local function fields_of(more)
  if more == '' then return NOTHING_MORE end
  local fields = {}
  for field in string.gmatch(more, '(%Z*)%z') do fields[#fields + 1] = field end
  return fields
end

local function add_granted(answer, g, due, lease, id)
  for _, value in ipairs({int(g[G_TOKEN]), int(g[G_SINCE]), int(due), g[G_HOLDS], lease, id}) do
    answer[#answer + 1] = value
  end
  return answer
end

-- Why a target cannot be had.
local function refusal(why, name, ahead)
  local owner, due = any_holder(name)
  return {why, name, owner, due, ahead}
end

-- The grants that this wait became, claimed for this call; nil unless all are there.
local function claim(targets, call, digest, part)
  local grants_of, dues = {}, {}
  for i, target in ipairs(targets) do
    local g = load_grant(target[T_NAME], target[T_LEASE])
    if not g then return nil end
    if g[G_DIGEST] ~= digest then return {'REUSED'} end
    dues[i] = tonumber(C('ZSCORE', DUE, target[T_LEASE]..target[T_NAME]))
    if dues[i] <= US then return nil end
    grants_of[i] = g
  end
  local answer = {'GRANTED'}
  for i, target in ipairs(targets) do
    local name, id, g = target[T_NAME], target[T_LEASE], grants_of[i]
    if not is_claimed(g) then C('DEL', P..'lk:gone:'..server_of(call)) end
    if g[G_CALL] ~= call then
      g[G_CALL] = call
      save_grant(name, id, g)
    end
    local due = math.max(dues[i], US + (part and math.min(CLAIM, g[G_TTL]) or g[G_TTL]))
    C('ZADD', DUE, int(due), id..name)
    add_granted(answer, g, due, '', '')
    -- More may go with it than one script could grant.
    local lock = load_lock(name)
    if lock.q > 0 then grant_next(name, lock) end
  end
  return answer
end

-- What was answered before is answered to this call: one that made the request before, and
-- hears of its end only now, must not take away what this one was told.
local function take_over(targets, call)
  for _, target in ipairs(targets) do
    local name, id = target[T_NAME], target[T_LEASE]
    local g = load_grant(name, id)
    if g and g[G_CALL] ~= call then
      g[G_CALL] = call
      save_grant(name, id, g)
    end
  end
end

-- A lease that its holder acquires once more. It must not outlive the session that it is to
-- end with now, nor end with another one.
local function held_again(wish, target, id)
  local name = target[T_NAME]
  local g, due = load_grant(name, id), tonumber(C('ZSCORE', DUE, id..name) or 0)
  if not g or due <= US or g[G_OWNER] ~= wish[W_OWNER] then return {'STALE'} end
  if wish[W_AGENT] ~= '' and (g[G_AGENT] ~= wish[W_AGENT] or g[G_SESSION] ~= wish[W_SESSION]) then
    return {'STALE'}
  end
  local lock = load_lock(name)
  if lock.m ~= target[T_MODE] or lock.lim ~= target[T_LIMIT] or g[G_PERMITS] ~= target[T_PERMITS] then
    return {'MODE', lock.lim}
  end
  g[G_HOLDS] = g[G_HOLDS] + 1
  if not is_claimed(g) then g[G_CALL] = 'again' end
  save_grant(name, id, g)
  due = math.max(due, US + wish[W_TTL])
  C('ZADD', DUE, int(due), id..name)
  return add_granted({'GRANTED'}, g, due, g[G_LEASE], id)
end

local function has_more(owner)
  for _, prefix in ipairs({'h:'..owner..'\0', 'w:'..owner..'\0'}) do
    if C('ZRANGEBYLEX', INDEX, '['..prefix, '('..prefix..'\255', 'LIMIT', 0, 1)[1] then return 1 end
  end
  return 0
end

-- How many wait ahead, for the target that they are the most of.
local function ahead(id, targets)
  local most = 0
  for _, target in ipairs(targets) do
    most = math.max(most, C('ZRANK', queue_key(target[T_NAME]), id) or 0)
  end
  return most
end

-- A repeat that took a call's place is over: the call waits on, unless it is gone too.
local function hand_back(id, w)
  if (w[W_FORMER_UNTIL] or 0) <= US then return false end
  if C('EXISTS', P..'lk:gone:'..server_of(w[W_FORMER])) == 1 then return false end
  w[W_CALL], w[W_UNTIL], w[W_FORMER], w[W_FORMER_UNTIL] = w[W_FORMER], w[W_FORMER_UNTIL], '', 0
  save_wait(id, w)
  return true
end

local function wait_on(id, w, wait, call, digest)
  if w[W_DIGEST] ~= digest then return {'REUSED'} end
  if wait == 0 or wait == TIME_IS_UP then
    local answer = refusal('TIMED_OUT', w[W_TARGETS][1][T_NAME], ahead(id, w[W_TARGETS]))
    -- A repeat that took this call's place waits for as long as it wants.
    if wait == TIME_IS_UP and (w[W_CALL] ~= call or hand_back(id, w)) then return answer end
    local locks = {}
    -- Other calls may hang on this wait as well.
    drop(id, w, locks, 'wait_ended', 'waited in vain')
    grant_each(locks)
    return answer, true
  end
  if wait > 0 then
    if w[W_CALL] ~= '' and w[W_CALL] ~= call then
      w[W_FORMER], w[W_FORMER_UNTIL] = w[W_CALL], w[W_UNTIL]
    end
    w[W_UNTIL], w[W_CALL] = US + wait, call
    save_wait(id, w)
  end
  -- Whoever asked first may have died before it looked for a circle.
  return {'WAITING', int(w[W_NUMBER]), ahead(id, w[W_TARGETS]), wait > 0 and 1 or 0}
end

-- The first target that cannot be had at once, and why.
local function obstacle(targets, locks)
  for _, target in ipairs(targets) do
    local name = target[T_NAME]
    local lock = load_lock(name)
    locks[name] = lock
    if lock.there and lock.lim ~= target[T_LIMIT] then return {'MODE', lock.lim} end
    if lock.q > 0 then return refusal('QUEUED', name, lock.q) end
    if not fits(lock, target[T_MODE], target[T_PERMITS]) then return refusal('HELD', name, 0) end
  end
  return nil
end

local function acquire(id, wish, wait, more)
  local request, digest, call = more[1], wish[W_DIGEST], wish[W_CALL]
  local targets, part = wish[W_TARGETS], more[8] == '1'
  local answer = replay('Acquire', request, digest)
  if answer then
    if answer[1] == 'GRANTED' or answer[1] == 'SET' then take_over(targets, call) end
    return answer
  end
  local kept = part and '' or request
  if request ~= '' then
    answer = claim(targets, call, digest, part)
    if answer then
      return answer[1] == 'REUSED' and answer or remember('Acquire', kept, digest, answer, KEPT)
    end
    local w = load_wait(id)
    if w then
      local over
      answer, over = wait_on(id, w, wait, call, digest)
      return over and remember('Acquire', kept, digest, answer, KEPT) or answer
    end
  end
  local highest = stale_fence(more[3], more[4])
  if highest then return {'STALE_FENCE', highest} end
  if wish[W_AGENT] ~= '' and is_session_over(wish[W_AGENT], wish[W_SESSION]) then return {'SESSION'} end
  if more[7] ~= '' then
    answer = held_again(wish, targets[1], more[7])
    return answer[1] == 'GRANTED' and remember('Acquire', request, digest, answer, KEPT) or answer
  end

  local locks = {}
  local refused = obstacle(targets, locks)
  if refused and (is_past(DUE) or is_past(P..'lk:wd')) then
    -- What ran out must not stand in the way until the sweeper comes.
    expire()
    give_up()
    refused = obstacle(targets, locks)
  end
  if not refused then
    answer = {'GRANTED'}
    for _, target in ipairs(targets) do
      local g, due = grant(locks[target[T_NAME]], wish, target, false, part)
      add_granted(answer, g, due, '', '')
    end
    return remember('Acquire', kept, digest, answer, KEPT)
  end
  if refused[1] == 'MODE' then return refused end
  if wait == TIME_IS_UP then refused[1] = 'TIMED_OUT' end
  if wait == 0 or wait == TIME_IS_UP then return remember('Acquire', kept, digest, refused, KEPT) end
  wait = math.abs(wait)

  for _, target in ipairs(targets) do
    local lock = locks[target[T_NAME]] or load_lock(target[T_NAME])
    locks[target[T_NAME]] = lock
    if lock.there and lock.lim ~= target[T_LIMIT] then return {'MODE', lock.lim} end
    if lock.q >= tonumber(ARGV[1]) then return {'FULL'} end
  end
  -- A server that asks is not gone, though it left a grant unclaimed while it was paused.
  C('DEL', P..'lk:gone:'..server_of(wish[W_CALL]))
  local more = has_more(wish[W_OWNER])
  wish[W_NUMBER], wish[W_SINCE], wish[W_UNTIL] = next_token(), US, US + wait
  save_wait(id, wish)
  for _, target in ipairs(targets) do
    local name, lock = target[T_NAME], locks[target[T_NAME]]
    lock.q, lock.lim = lock.q + 1, target[T_LIMIT]
    save_lock(name, lock)
    C('ZADD', queue_key(name), int(wish[W_NUMBER]), id)
    C('ZADD', INDEX, '0', 'n:'..name, '0', 'w:'..wish[W_OWNER]..'\0'..name..'\0'..id)
  end
  if wish[W_AGENT] ~= '' then C('ZADD', P..'lk:b:'..wish[W_AGENT], int(wish[W_SESSION]), 'w'..id) end
  return {'WAITING', int(wish[W_NUMBER]), ahead(id, targets), more}
end

local function release(id, name, more)
  local request, digest = more[1], more[2]
  local answer = replay('ReleaseLock', request, digest)
  if answer then return answer end
  local g = load_grant(name, id)
  if not g then return {'RELEASED', 0, 0} end
  local highest = stale_fence(more[3], more[4])
  if highest then return {'STALE_FENCE', highest} end
  if g[G_HOLDS] > 1 then
    g[G_HOLDS] = g[G_HOLDS] - 1
    save_grant(name, id, g)
    return remember('ReleaseLock', request, digest, {'RELEASED', 1, g[G_HOLDS]}, KEPT)
  end
  local lock = load_lock(name)
  end_lease(lock, name, id, g, 'released', '')
  if lock.q > 0 then grant_next(name, lock) end
  return remember('ReleaseLock', request, digest, {'RELEASED', 1, 0}, KEPT)
end

local function renew(id, name, ttl, more)
  local request, digest = more[1], more[2]
  local answer = replay('Renew', request, digest)
  if answer then return answer end
  local g, due = load_grant(name, id), tonumber(C('ZSCORE', DUE, id..name) or 0)
  if not g or due <= US then return {'STALE'} end
  local highest = stale_fence(more[3], more[4])
  if highest then return {'STALE_FENCE', highest} end
  due = math.max(due, US + (ttl > 0 and ttl or g[G_TTL]))
  C('ZADD', DUE, int(due), id..name)
  if not is_claimed(g) then
    g[G_CALL] = 'renewed'
    save_grant(name, id, g)
  end
  return remember('Renew', request, digest, {'RENEWED', int(due)}, KEPT)
end

-- Nobody hears the answer of this call. Unless another one took its place, a grant waits
-- for it to be made again, and so does a place in the queue; or both are over.
local function detach(id, request, call, forget, leases)
  local w = load_wait(id)
  if w and w[W_FORMER] == call then
    w[W_FORMER], w[W_FORMER_UNTIL] = '', 0
    save_wait(id, w)
  elseif w and w[W_CALL] == call and not hand_back(id, w) then
    if forget then
      local locks = {}
      dequeue(id, w, locks)
      grant_each(locks)
    else
      w[W_UNTIL], w[W_CALL] = math.min(w[W_UNTIL], US + CLAIM), ''
      save_wait(id, w)
    end
  end
  local concerned = 0
  for _, one in ipairs(leases) do
    local lease, name = one[1], one[2]
    local g = load_grant(name, lease)
    if g and (g[G_CALL] == call or g[G_CALL] == '?'..call) and g[G_HOLDS] == 1 then
      concerned = concerned + 1
      if forget then
        local lock = load_lock(name)
        end_lease(lock, name, lease, g, 'released', 'the caller was gone')
        if lock.q > 0 then grant_next(name, lock) end
      else
        g[G_CALL] = '?'
        save_grant(name, lease, g)
        local due = tonumber(C('ZSCORE', DUE, lease..name))
        C('ZADD', DUE, int(math.min(due, US + CLAIM)), lease..name)
      end
      -- What was answered is not so any more.
      C('DEL', P..'rq:Acquire:'..request)
    end
  end
  return {'GONE', concerned}
end

-- Reads a wish that names some locks, and acquires them; answers where it ends, too.
local function read_acquire(i, at, count)
  local targets, more = {}, fields_of(ARGV[i + 7])
  for t = 1, count do
    targets[t] = {ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]),
      ARGV[at + 4], ARGV[at + 5], ARGV[at + 6]}
    at = at + 7
  end
  local wish = {ARGV[i + 1], tonumber(ARGV[i + 2]), more[5], tonumber(more[6]) or 0, more[2], 0, 0, 0, ARGV[i + 4],
    ARGV[i + 6], targets}
  return acquire(ARGV[i + 5], wish, tonumber(ARGV[i + 3]), more), at
end

local reply, i = {'OK', int(US)}, 2
while i <= #ARGV do
  local op, answer = ARGV[i], nil
  if op == 'A' then
    answer = read_acquire(i, i + 8, 1)
    i = i + 15
  elseif op == 'R' then
    answer = release(ARGV[i + 1], ARGV[i + 2], fields_of(ARGV[i + 3]))
    i = i + 4
  elseif op == 'N' then
    answer = renew(ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[i + 3]), fields_of(ARGV[i + 4]))
    i = i + 5
  elseif op == 'M' then
    answer, i = read_acquire(i, i + 9, tonumber(ARGV[i + 8]))
  else
    local leases, at = {}, i + 6
    for t = 1, tonumber(ARGV[i + 5]) do
      leases[t] = {ARGV[at], ARGV[at + 1]}
      at = at + 2
    end
    answer = detach(ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4] == '1', leases)
    i = at
  end
  reply[#reply + 1] = answer
end
settle()
return reply
