-- A consumer group of a topic: its keys, and what several scripts do with it.
--
-- The keys of a group end in <group> = '<bytes of topic>:<topic>:<name>'. An event of a
-- group is named by its topic position q, and is in exactly one of these states: not yet
-- looked at, in flight (gd), waiting to be delivered (gr), parked behind its key (gp), or
-- over. Those in between have a record (ge), all others have none.
--
-- ev:g:<group>   HASH    gen  of the deliveries: another one after each move
--                        pos, q  stream id and topic position of the newest looked at
--                        tok  newest fencing token
--                        set  encoded GroupSettings, all filled in; ver  its version; sn  the
--                        same for servers, never that of an earlier group of the name
--                        dl ack deadline, rd retry delay, mt member timeout, us
--                        mx most deliveries, mo most in flight, dt dead-letter topic
--                        or '1' when ordered by key, '2' when it was and keys may
--                        still be held; fl '1' when it has a filter
--                        lo '1' when the dead-letter topic lives in this partition
--                        fu '1' when a take stopped because too much is in flight
--                        ct created us; ak acknowledged, dd dead, rr redelivered
--                        zb bytes of the dead letters in gz
-- ev:gd:<group>  ZSET    in flight: q -> ack deadline us
-- ev:gr:<group>  ZSET    waiting: q -> when it may be delivered, us
-- ev:ge:<group>  HASH    q -> packed record, see below
-- ev:gk:<group>  HASH    ordered by key: key -> the q in flight or waiting
-- ev:gp:<group>  ZSET    parked: '<key>\0<q, 16 digits>', score 0
-- ev:gm:<group>  ZSET    member -> last seen us
-- ev:gx:<group>  HASH    member -> session of its stream
-- ev:go:<group>  HASH    member -> how many are in flight to it
-- ev:gf:<ten minutes>:<group>  HASH, 20 min  q -> '<token> <kind>' of the settlement that
--                        ended an event otherwise than by an ack of its first delivery
-- ev:gz:<group>  HASH    dead letters that may be redriven: q -> packed {id, s, key, d}
-- ev:gy:<group>  ZSET    the same: q -> since when, us
-- ev:gs:<topic>  ZSET    names of the topic's groups, score 0
-- ev:gw          ZSET    <group> -> when the sweep has to look at it, us
--
-- A record is packed {1 stream id, 2 deliveries, 3 token, 4 member, 5 key, 6 delivered
-- us, 7 state, 8 history, 9 s and 10 d when the topic may not have it any more}.
-- State: 'f' in flight, 'd' its deadline passed, 'n' given back, 'w' was not delivered.
-- History, of the last 16: {member, delivered us, ended us, reason, token, kind}.
--#include event/topic
--#include common/protobuf_time
--#include common/outbox
local GROUP = {'gen', 'pos', 'q', 'tok', 'ver', 'sn', 'dl', 'rd', 'mx', 'mo', 'or', 'fl', 'fu',
  'ak', 'dd', 'rr', 'zb', 'dt', 'lo', 'mt'}
local function group_tail(topic, name) return #topic..':'..topic..':'..name end
local function gkey(g, kind) return P..'ev:g'..kind..':'..g.tail end
-- What is to be written, in few commands, by save_group.
local function forget_writes(g)
  g.records, g.gone, g.flying, g.landed, g.waiting, g.served = {}, {}, {}, {}, {}, {}
  g.members, g.ended, g.changed = {}, {}, false
  return g
end
local function load_group(topic, name)
  local g = {topic = topic, name = name, tail = group_tail(topic, name), stream = P..'ev:e:'..topic}
  local v = C('HMGET', P..'ev:g:'..g.tail, unpack(GROUP))
  if not v[1] then return nil end
  for i, field in ipairs(GROUP) do g[field] = v[i] end
  for _, field in ipairs({'q', 'tok', 'dl', 'rd', 'mx', 'mo', 'mt', 'ak', 'dd', 'rr', 'zb'}) do
    g[field] = tonumber(g[field] or 0)
  end
  g.ordered = g['or'] == '1'
  return forget_writes(g)
end

-- Writes all that has changed. An event may be concerned only once until then.
local function save_group(g)
  local writes = {
    {'HDEL', 'e', g.gone}, {'HSET', 'e', g.records}, {'ZREM', 'd', g.landed},
    {'ZADD', 'd', g.flying}, {'ZREM', 'r', g.served}, {'ZADD', 'r', g.waiting}
  }
  for _, w in ipairs(writes) do
    if #w[3] > 0 then C(w[1], gkey(g, w[2]), unpack(w[3])) end
  end
  for member, change in pairs(g.members) do
    if change ~= 0 and C('HINCRBY', gkey(g, 'o'), member, change) <= 0 then
      C('HDEL', gkey(g, 'o'), member)
    end
  end
  if #g.ended > 0 then
    local key = P..'ev:gf:'..int(US / 600000000)..':'..g.tail
    C('HSET', key, unpack(g.ended))
    C('PEXPIRE', key, 1200000)
  end
  if g.letters then keep_topic(g.letters) end
  if g.changed then
    C('HSET', P..'ev:g:'..g.tail, 'pos', g.pos, 'q', int(g.q), 'tok', int(g.tok),
      'ak', int(g.ak), 'dd', int(g.dd), 'rr', int(g.rr), 'zb', int(g.zb), 'fu', g.fu or '0')
  end
  forget_writes(g)
end
local function push(list, a, b)
  list[#list + 1] = a
  if b then list[#list + 1] = b end
end
local function count(g, member, change) g.members[member] = (g.members[member] or 0) + change end

-- The sweep looks at the group at that time at the latest.
local function look_at(g, us) C('ZADD', P..'ev:gw', 'LT', int(us), g.tail) end
-- Tells the servers that something may be deliverable that no event tells of.
local function ring_group(g) C('PUBLISH', P..'bell', 'g\n'..g.topic..'\n'..g.name) end

-- The event of a record: s and d, or nil when the topic does not have it any more.
local function event_of(g, r)
  if r[9] then return r[9], r[10] end
  local found = C('XRANGE', g.stream, r[1], r[1])
  if #found == 0 then return nil end
  local s, d
  local f = found[1][2]
  for i = 1, #f, 2 do
    if f[i] == 's' then s = f[i + 1] elseif f[i] == 'd' then d = f[i + 1] end
  end
  return s, d
end

-- How many events the group has not yet looked at, of those that the topic still has.
local function lag_of(g)
  local next = C('XRANGE', g.stream, '('..g.pos, '+', 'COUNT', 1)[1]
  local fields = next and next[2] or {}
  for i = 1, #fields, 2 do
    if fields[i] == 'q' then
      return math.max(0, tonumber(C('HGET', P..'ev:t:'..g.topic, 'seq') or 0) - fields[i + 1] + 1)
    end
  end
  return 0
end

-- The group is through with an event: the next of its key may come.
local function end_event(g, q, r)
  push(g.gone, q)
  g.changed = true
  local key = r[5]
  if g['or'] == '0' or key == '' or C('HGET', gkey(g, 'k'), key) ~= q then return end
  local next = C('ZRANGEBYLEX', gkey(g, 'p'), '['..key..'\0', '('..key..'\1', 'LIMIT', 0, 1)[1]
  if next then
    local nq = int(tonumber(string.sub(next, #key + 2)))
    C('ZREM', gkey(g, 'p'), next)
    C('HSET', gkey(g, 'k'), key, nq)
    push(g.waiting, int(US), nq)
    g.ready = true
  else
    C('HDEL', gkey(g, 'k'), key)
  end
end
-- Remembers how an event ended, for a settlement that comes again.
local function remember_end(g, q, r, kind)
  if kind ~= 'A' or r[2] > 1 or #r[8] > 0 or r[9] then push(g.ended, q, int(r[3])..' '..kind) end
end
-- Its delivery is over; counts for the member and for the history.
local function end_delivery(g, r, reason, kind)
  local h = r[8]
  h[#h + 1] = {r[4], r[6], US, reason, r[3], kind}
  if #h > 16 then table.remove(h, 1) end
  if r[7] == 'f' then count(g, r[4], -1) end
end

local function big(field, s)
  if s == '' then return '' end
  return pb_varint(field * 8 + 2)..pb_varint(#s)..s
end
-- Gives an event up: it is appended to the dead-letter topic, or laid into the outbox
-- when that one lives elsewhere.
local function bury(g, q, r, reason)
  local s, d = event_of(g, r)
  local at = tonumber(string.match(r[1], '%d+')) * 1000
  local where = pb_time(3, at)..pb_int(5, tonumber(s or 0))..pb_int(6, tonumber(q))
  local tries = {}
  for i, h in ipairs(r[8]) do
    tries[i] = pb_bytes(5, pb_bytes(1, h[1])..pb_time(2, h[2])..pb_time(3, h[3])..pb_bytes(4, h[4]))
  end
  local front = pb_bytes(1, g.topic)..pb_bytes(2, g.name)
  local back = pb_bytes(4, reason)..table.concat(tries)
  local letter = front
    ..pb_bytes(3, pb_bytes(1, g.topic)..(d and pb_bytes(2, d) or '')..where)..back
  local event = pb_bytes(1, q..'-'..int(r[3]))..pb_bytes(2, 'groups/'..g.topic..'/'..g.name)
    ..pb_bytes(3, 'event.dead')..pb_bytes(4, g.topic)..pb_time(5, US)..big(18, letter)..big(19, r[5])
  local t = g.letters
  if g.lo == '1' and not t then
    t = load_topic(g.dt)
    -- Full of topics: it goes by the outbox, which tries again and again.
    if not open_topic(t) then t = nil end
  end
  if t then
    g.letters = t
    append_event(t, take_sequence('1'), 'event.dead', g.topic, r[5], event)
  else
    lay_out(g.dt, event)
    g.laid_out = true
  end
  emit('troupe.topics', 'event.dead', g.topic,
    front..pb_bytes(6, front..pb_bytes(3, pb_bytes(1, g.topic)..where)..back))
  if d then
    local kept = cmsgpack.pack({r[1], s, r[5], d})
    -- After a move it may be there from before.
    g.zb = g.zb - C('HSTRLEN', gkey(g, 'z'), q)
    C('HSET', gkey(g, 'z'), q, kept)
    C('ZADD', gkey(g, 'y'), int(US), q)
    g.zb = g.zb + #kept
    -- Of very many the oldest can no longer be redriven; their topic still has them.
    local spare = 64
    while spare > 0 and (g.zb > 67108864 or C('ZCARD', gkey(g, 'y')) > 10000) do
      local oldest = C('ZPOPMIN', gkey(g, 'y'))[1]
      if not oldest then break end
      g.zb = g.zb - C('HSTRLEN', gkey(g, 'z'), oldest)
      C('HDEL', gkey(g, 'z'), oldest)
      spare = spare - 1
    end
  end
  g.dd = g.dd + 1
  end_event(g, q, r)
end

-- Takes back what was not settled in time, at most `most`: it waits to be delivered again,
-- or is dead. Nothing else of these events may have been changed before. Returns how many.
local function expire(g, most)
  local late = C('ZRANGEBYSCORE', gkey(g, 'd'), '-inf', int(US), 'LIMIT', 0, most)
  if #late == 0 then return 0 end
  for i, packed in ipairs(C('HMGET', gkey(g, 'e'), unpack(late))) do
    local q, r = late[i], cmsgpack.unpack(packed)
    end_delivery(g, r, 'deadline passed', 'd')
    if r[2] >= g.mx then
      remember_end(g, q, r, 'X')
      bury(g, q, r, 'max_deliveries')
    else
      r[7] = 'd'
      push(g.records, q, cmsgpack.pack(r))
      push(g.waiting, int(US), q)
    end
  end
  C('ZREM', gkey(g, 'd'), unpack(late))
  g.changed, g.ready = true, true
  return #late
end
