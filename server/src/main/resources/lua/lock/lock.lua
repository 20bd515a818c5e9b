-- A lock: its keys, and the moves that several scripts share.
--
-- lk:l:<name>      HASH  s four numbers: mode of its holders (0: none), permits that they
--                        hold, how many wait, permits of a semaphore (0: a lock);
--                        g<lease id> a grant, packed as G_* says; unless it is exclusive
--                        t<token> its lease id, h the highest token granted so. No key when
--                        the lock is neither held nor waited for. A STRING while there is no
--                        more to say than lock/thin does.
-- lk:q:<name>      ZSET  wait id -> number of the wait; the lowest is next
-- lk:w:<wait id>   STRING  a wait, packed as W_* and T_* say
-- lk:due           ZSET  <lease id><name> -> when the lease runs out, us
-- lk:wd            ZSET  wait id -> when it gives up, us
-- lk:ix            ZSET  score 0, for listings: 'n:<name>' of every lock,
--                        'h:<owner>\0<name>\0<lease id>' of every holder,
--                        'w:<owner>\0<name>\0<wait id>' of every wait
-- lk:b:<agent>     ZSET  what is bound to its sessions: 'l<lease id><name>' and 'w<wait id>'
--                        -> token of the session
-- lk:so:<agent>    STRING  highest token of a session that ended, kept for an hour
-- lk:more          SET   locks whose next waiters could not all be seen to at once
-- lk:gone:<server> STRING  a server that left a grant unclaimed, kept for a minute
-- lk:tok           STRING  last fencing token or number of a wait
--
-- Lease ids and wait ids are 22 characters. What every change of a lock costs is mostly the
-- making of strings, so the server sends a lease and its log entry encoded as far as it can.
--#include common/log
--#include common/protobuf
--#include common/protobuf_token
--#include lock/thin
local EXCLUSIVE, SHARED, SEMAPHORE = 1, 2, 3
-- The state of a lock that one owner holds and nobody waits for.
local SOLE = '1 1 0 0'
-- The kind of a LockChange, as Protobuf.
local KINDS = {acquired = '\8\1', released = '\8\2', expired = '\8\3', forced = '\8\4',
  session_ended = '\8\5', deadlock = '\8\6', wait_ended = '\8\7'}

-- How long a grant waits to be claimed by whoever waited for it, us.
local CLAIM = 5000000
-- Most waits that one script grants or ends; the next claim or the sweeper goes on.
local MOST_MOVES = 64

-- A call is named by its server, a space and a number.
--
-- A grant: owner, permits, token, granted us, ttl us, holds, call that claimed it ('?' and
-- the call that waited: nobody yet), agent, token of its session, digest of the request,
-- number of its wait (0: none), encoded LockLease and LockChange without what is known here.
local G_OWNER, G_PERMITS, G_TOKEN, G_SINCE, G_TTL, G_HOLDS = 1, 2, 3, 4, 5, 6
local G_CALL, G_AGENT, G_SESSION, G_DIGEST, G_WAIT, G_LEASE, G_CHANGE = 7, 8, 9, 10, 11, 12, 13

-- A wait: owner, ttl us, agent, token of its session, digest, its number, since us, until
-- us, call that waits ('': it is gone), request id, its targets: name, mode, permits, limit,
-- lease id, LockLease, LockChange; and, when a repeat took the place of a call, that call and
-- until when it waits.
local W_OWNER, W_TTL, W_AGENT, W_SESSION, W_DIGEST = 1, 2, 3, 4, 5
local W_NUMBER, W_SINCE, W_UNTIL, W_CALL, W_REQUEST, W_TARGETS = 6, 7, 8, 9, 10, 11
local W_FORMER, W_FORMER_UNTIL = 12, 13
local T_NAME, T_MODE, T_PERMITS, T_LIMIT, T_LEASE, T_BYTES, T_CHANGE = 1, 2, 3, 4, 5, 6, 7

local pack, unpack_one = cmsgpack.pack, cmsgpack.unpack
local DUE, INDEX = P..'lk:due', P..'lk:ix'

local first_token, last_token
local function next_token()
  if not last_token then
    last_token = tonumber(C('GET', P..'lk:tok') or 0)
    first_token = last_token
  end
  last_token = math.max(last_token + 1, US)
  return last_token
end

-- What happened, appended by settle(), which every script calls at its end.
local events = {}
local function tell(kind, name, change, token, reason, wait)
  if token ~= 0 then change = change..pb_token(4, token) end
  if reason ~= '' then change = change..pb_bytes(6, reason) end
  if wait ~= 0 then change = change..pb_token(8, wait) end
  events[#events + 1] = {'lock.'..kind, name, KINDS[kind]..change}
end

local function settle()
  if last_token ~= first_token then C('SET', P..'lk:tok', int(last_token)) end
  if #events == 0 then return end
  local seq = take_sequence(#events) - #events
  for i, e in ipairs(events) do append(seq + i, 'troupe.locks', e[1], e[2], e[3]) end
end

local function lock_key(name) return P..'lk:l:'..name end
local function queue_key(name) return P..'lk:q:'..name end

local function parse_lock(state)
  if not state then return {m = 0, n = 0, q = 0, lim = 0} end
  local m, n, q, lim = string.match(state, '(%d+) (%d+) (%d+) (%d+)')
  return {m = tonumber(m), n = tonumber(n), q = tonumber(q), lim = tonumber(lim), there = true}
end

-- The only grant of a lock that is a string, and its lease id; nil when it is none.
local function load_thin(name)
  -- Of a hash, this gets nothing.
  local held = C('MGET', lock_key(name))[1]
  if not held then return nil end
  local id, token, since, change, ttl, member, call, digest, behind = struct.unpack(THIN, held)
  return {thin_owner(member, name), 1, token, since, ttl, 1, call, '', 0, digest, 0,
    string.sub(held, behind), string.sub(change, 1, -10)}, id
end

-- Makes a hash of a lock that is a string, before more is made of it.
local function thicken(name)
  local g, id = load_thin(name)
  if g then
    C('DEL', lock_key(name))
    C('HSET', lock_key(name), 's', SOLE, 'g'..id, pack(g))
  end
end

local function load_lock(name)
  thicken(name)
  return parse_lock(C('HGET', lock_key(name), 's'))
end

local function state_of(lock) return lock.m..' '..lock.n..' '..lock.q..' '..lock.lim end

local function save_lock(name, lock)
  if lock.n > 0 or lock.q > 0 then
    C('HSET', lock_key(name), 's', state_of(lock))
  else
    C('DEL', lock_key(name))
    C('ZREM', INDEX, 'n:'..name)
  end
end

-- Whether a lock can be had beside its holders; those who wait are another question.
local function fits(lock, mode, permits)
  if lock.m == 0 then return true end
  if mode == SHARED then return lock.m == SHARED end
  return mode == SEMAPHORE and lock.n + permits <= lock.lim
end

local function is_claimed(g) return string.sub(g[G_CALL], 1, 1) ~= '?' end

local function server_of(call) return string.match(call, '^%??([^ ]*)') end

local function load_grant(name, id)
  local g, sole = load_thin(name)
  if g then return sole == id and g or nil end
  local packed = C('HGET', lock_key(name), 'g'..id)
  return packed and unpack_one(packed)
end

local function save_grant(name, id, g)
  thicken(name)
  C('HSET', lock_key(name), 'g'..id, pack(g))
end

-- Ends a lease. The next waiters are not granted yet.
local function end_lease(lock, name, id, g, kind, reason)
  lock.n = lock.n - g[G_PERMITS]
  if lock.n == 0 then lock.m = 0 end
  if lock.n > 0 or lock.q > 0 then C('HDEL', lock_key(name), 'g'..id, 't'..int(g[G_TOKEN])) end
  save_lock(name, lock)
  C('ZREM', DUE, id..name)
  C('ZREM', INDEX, 'h:'..g[G_OWNER]..'\0'..name..'\0'..id)
  if g[G_AGENT] ~= '' then C('ZREM', P..'lk:b:'..g[G_AGENT], 'l'..id..name) end
  tell(kind, name, g[G_CHANGE], g[G_TOKEN], reason, 0)
end

-- Grants a target of a wish, which has the fields of a wait; returns the grant and when
-- it runs out: soon, if it has to be claimed yet or is a part of a set that is not whole.
local function grant(lock, wish, target, waited, part)
  local name, id = target[T_NAME], target[T_LEASE]
  -- What is left of the same request's earlier grant has the same id, and would count twice.
  local former = wish[W_DIGEST] ~= '' and load_grant(name, id)
  if former then end_lease(lock, name, id, former, 'expired', 'granted anew') end
  local wait = waited and wish[W_NUMBER] or 0
  local call = waited and '?'..wish[W_CALL] or wish[W_CALL]
  local g = {wish[W_OWNER], target[T_PERMITS], next_token(), US, wish[W_TTL], 1, call, wish[W_AGENT],
    wish[W_SESSION], wish[W_DIGEST], wait, target[T_BYTES], target[T_CHANGE]}
  lock.m, lock.n, lock.lim = target[T_MODE], lock.n + target[T_PERMITS], target[T_LIMIT]
  local due = US + ((waited or part) and math.min(CLAIM, wish[W_TTL]) or wish[W_TTL])
  C('HSET', lock_key(name), 's', state_of(lock), 'g'..id, pack(g))
  if lock.m ~= EXCLUSIVE then
    local token = int(g[G_TOKEN])
    C('HSET', lock_key(name), 't'..token, id, 'h', token)
  end
  C('ZADD', DUE, int(due), id..name)
  C('ZADD', INDEX, '0', 'n:'..name, '0', 'h:'..wish[W_OWNER]..'\0'..name..'\0'..id)
  if wish[W_AGENT] ~= '' then
    C('ZADD', P..'lk:b:'..wish[W_AGENT], int(wish[W_SESSION]), 'l'..id..name)
  end
  tell('acquired', name, target[T_CHANGE], g[G_TOKEN], '', wait)
  return g, due
end

local function load_wait(id)
  local packed = C('GET', P..'lk:w:'..id)
  return packed and unpack_one(packed)
end

local function save_wait(id, w)
  C('SET', P..'lk:w:'..id, pack(w))
  C('ZADD', P..'lk:wd', int(w[W_UNTIL]), id)
end

-- Takes a wait out of the queues of its locks. `locks` holds those that are loaded; whoever
-- grants one of them after that has to load the others anew, as a grant may be for several.
local function dequeue(id, w, locks)
  for _, target in ipairs(w[W_TARGETS]) do
    local name = target[T_NAME]
    if C('ZREM', queue_key(name), id) == 1 then
      local lock = locks[name] or load_lock(name)
      locks[name] = lock
      lock.q = lock.q - 1
      save_lock(name, lock)
    end
    C('ZREM', INDEX, 'w:'..w[W_OWNER]..'\0'..name..'\0'..id)
  end
  C('DEL', P..'lk:w:'..id)
  C('ZREM', P..'lk:wd', id)
  if w[W_AGENT] ~= '' then C('ZREM', P..'lk:b:'..w[W_AGENT], 'w'..id) end
end

-- Ends a wait without a grant, and says so to the server that may still hang on it.
local function drop(id, w, locks, kind, reason)
  dequeue(id, w, locks)
  local first = w[W_TARGETS][1]
  tell(kind, first[T_NAME], first[T_CHANGE], 0, reason, w[W_NUMBER])
end

-- Whether a wait is the next of all its locks, and all of them can be had.
local function is_due(id, w, locks)
  for _, target in ipairs(w[W_TARGETS]) do
    local name = target[T_NAME]
    local lock = locks[name] or load_lock(name)
    locks[name] = lock
    if not fits(lock, target[T_MODE], target[T_PERMITS]) then return false end
    if C('ZRANGE', queue_key(name), 0, 0)[1] ~= id then return false end
  end
  return true
end

-- Whether an agent's session, or a later one of it, is known to have ended.
local function is_session_over(agent, token)
  local over = C('GET', P..'lk:so:'..agent)
  return over and token <= tonumber(over)
end

-- Why a wait that is next is over without a grant, if it is: the kind of its end, and more.
local function why_over(w)
  if w[W_UNTIL] <= US then return 'wait_ended', 'waited in vain' end
  if w[W_CALL] ~= '' and C('EXISTS', P..'lk:gone:'..server_of(w[W_CALL])) == 1 then
    -- Whoever still wants it came back by another server, or will hear of this.
    return 'wait_ended', 'its server is gone'
  end
  if w[W_AGENT] ~= '' and is_session_over(w[W_AGENT], w[W_SESSION]) then
    -- Its turn may come while what the session held is given back, before its own.
    return 'session_ended', "the agent's session ended"
  end
end

-- Grants locks to those who are next, as long as they can have them. A wait for several
-- locks may be the next of others than these, so those are looked at too. All of them are
-- read once: what was loaded before one of them was granted must not be granted again.
local moves = 0
local function grant_each(locks)
  local work = {}
  for name in pairs(locks) do work[#work + 1] = name end
  while #work > 0 do
    local at = table.remove(work)
    local l = locks[at]
    while l.q > 0 do
      local id = C('ZRANGE', queue_key(at), 0, 0)[1]
      local w = load_wait(id)
      local over, why
      if w then over, why = why_over(w) end
      if w and not over and not is_due(id, w, locks) then break end
      if moves >= MOST_MOVES then
        C('SADD', P..'lk:more', at)
        break
      end
      moves = moves + 1
      if not w then
        -- Never so by our own doing; a queue must not stop at it.
        C('ZREM', queue_key(at), id)
        l.q = l.q - 1
        save_lock(at, l)
      elseif over then
        drop(id, w, locks, over, why)
      else
        dequeue(id, w, locks)
        for _, target in ipairs(w[W_TARGETS]) do grant(locks[target[T_NAME]], w, target, true) end
      end
      if w and #w[W_TARGETS] > 1 then
        for _, target in ipairs(w[W_TARGETS]) do
          if target[T_NAME] ~= at and locks[target[T_NAME]].q > 0 then
            work[#work + 1] = target[T_NAME]
          end
        end
      end
    end
  end
end

local function grant_next(name, lock) grant_each({[name] = lock}) end

-- Ends up to 64 leases that ran out, of any locks; returns how many.
local function expire()
  local due = C('ZRANGEBYSCORE', DUE, '-inf', int(US), 'LIMIT', 0, 64)
  for _, member in ipairs(due) do
    local id, name = string.sub(member, 1, 22), string.sub(member, 23)
    local g, lock = load_grant(name, id), load_lock(name)
    if g then
      local server = not is_claimed(g) and server_of(g[G_CALL]) or ''
      -- A server claims at once. One that does not would cost each who waits this long.
      if server ~= '' then C('SET', P..'lk:gone:'..server, 1, 'PX', 60000) end
      end_lease(lock, name, id, g, 'expired', is_claimed(g) and '' or 'not claimed')
      grant_next(name, lock)
    else
      C('ZREM', DUE, member)
    end
  end
  return #due
end

-- Ends up to 64 waits whose time is up, of any locks; returns how many.
local function give_up()
  local late = C('ZRANGEBYSCORE', P..'lk:wd', '-inf', int(US), 'LIMIT', 0, 64)
  for _, id in ipairs(late) do
    local w, locks = load_wait(id), {}
    if w then
      drop(id, w, locks, 'wait_ended', 'waited in vain')
      grant_each(locks)
    else
      C('ZREM', P..'lk:wd', id)
    end
  end
  return #late
end

local function is_past(key)
  local soonest = C('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
  return soonest and tonumber(soonest) <= US
end

-- A holder of a lock and when its lease runs out: one of them, '' when there is none.
local function any_holder(name)
  local cursor = '0'
  for _ = 1, 16 do
    local found = C('HSCAN', lock_key(name), cursor, 'MATCH', 'g*', 'COUNT', 16)
    if found[2][1] then
      local g = unpack_one(found[2][2])
      return g[G_OWNER], C('ZSCORE', DUE, string.sub(found[2][1], 2)..name) or '0'
    end
    cursor = found[1]
    if cursor == '0' then break end
  end
  return '', '0'
end
