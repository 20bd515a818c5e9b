-- An agent: its keys, and the moves that several scripts share.
--
-- ag:a:<id>      HASH  b  what the server encodes of the Agent (Protobuf), v version,
--                      tok token of the session, st status number, task current
--                      task, ct, ut, hb created, updated, last heartbeat us, lease
--                      us, ix packed list of the index keys that it stands in beside
--                      the one of its status, that of its type first; me metrics
--                      (Protobuf), which no event tells and no version counts; po
--                      its ports (packed Protobuf); cn number of the session's
--                      last command, if there was one; fs, ff, fl attempts that
--                      succeeded, failed and were lost, fr us that the first took
-- ag:c:<token>:<agent>  ZSET  commands that the session has not acknowledged, '<expires
--                      us>|<AgentCommand>', score = number; at most 100; expires with
--                      the last of them
-- ag:deadline    ZSET  agent -> when it is LOST unless it is heard of, us
-- ag:gone        ZSET  LOST and TERMINATED agents -> when the record goes, us
-- ag:over        ZSET  sessions that are over and of which not everything has been
--                      given back yet, '<token>\n<end us>\n<reason>\n<agent>' -> when
--                      to see to it next, us
-- ag:all         ZSET  every agent, score 0
-- ag:made        ZSET  '<created us, 16 digits><agent>', score 0
-- ag:n           HASH  '<status>:<type>' -> how many agents; busy -> how many are at work
-- ag:types       ZSET  types, score = number of agents
-- ag:ix:<what>   ZSET  agents of a type, status, capability or label, score 0:
--                      'type:<type>', 'status:<number>', 'cap:<capability>',
--                      'label:<bytes of the key>:<key>=<value>'
--#include common/log
--#include common/protobuf_time
local KINDS = {registered = 1, updated = 2, lost = 3, deregistered = 4, commanded = 5}
local RUNNING, TERMINATED, LOST = 3, 7, 8

local function agent_key(id) return P..'ag:a:'..id end

local function commands_key(id, token) return P..'ag:c:'..token..':'..id end

local FIELDS = {
  'b', 'v', 'tok', 'st', 'task', 'ct', 'ut', 'hb', 'lease', 'ix', 'me', 'po', 'fs', 'ff', 'fl', 'fr'
}
local function load_agent(id)
  local values, a = C('HMGET', agent_key(id), unpack(FIELDS)), {}
  if not values[1] then return nil end
  for i, name in ipairs(FIELDS) do a[name] = values[i] end
  a.v, a.st = tonumber(a.v), tonumber(a.st)
  a.was = {st = a.st, task = a.task, ix = a.ix}
  return a
end

-- A field of a number from 16 on, whose key takes two bytes.
local function pb_late(field, s)
  if not s or s == '' then return '' end
  local key = field * 8 + 2
  return string.char(key % 128 + 128, math.floor(key / 128))..pb_varint(#s)..s
end

-- The Agent that events tell of: what the server encoded, and behind it what the
-- scripts know.
local function encoded(a)
  return a.b..pb_int(3, a.st)..pb_bytes(9, a.task)..pb_int(10, a.v)..pb_int(11, tonumber(a.tok))
    ..pb_bytes(12, pb_int(1, math.floor(a.lease / 1000000))..pb_int(2, a.lease % 1000000 * 1000))
    ..pb_time(13, tonumber(a.ct))..pb_time(14, tonumber(a.ut))..pb_time(15, tonumber(a.hb))
    ..pb_late(19, a.po)
end

local function figures(a)
  if not (a.fs or a.ff or a.fl) then return '' end
  local succeeded, failed, lost = tonumber(a.fs or 0), tonumber(a.ff or 0), tonumber(a.fl or 0)
  local all = pb_int(1, succeeded)..pb_int(2, failed)..pb_int(3, lost)
  if succeeded == 0 then return all end
  local mean = math.floor(a.fr / succeeded)
  return all..string.char(33)..struct.pack('<d', succeeded / (succeeded + failed + lost))
    ..pb_bytes(5, pb_int(1, math.floor(mean / 1000000))..pb_int(2, mean % 1000000 * 1000))
end

-- The whole Agent, for those who ask for it.
local function whole(a) return encoded(a)..pb_late(16, a.me)..pb_late(20, figures(a)) end

local function tell(kind, id, a, reason, former_type)
  emit('troupe.agents', 'agent.'..kind, id,
    pb_int(1, KINDS[kind])..pb_bytes(2, encoded(a))..pb_bytes(3, reason or '')..pb_time(4, US)
      ..pb_bytes(5, former_type or ''))
end

-- The type of an agent, if it is another one than that of the index keys to come,
-- of which the type's is the first.
local function other_type(a, keys)
  local former = cmsgpack.unpack(a.ix)[1]
  return former ~= keys[1] and string.sub(former, 6) or ''
end

local function unindex(id, a)
  C('ZREM', P..'ag:ix:status:'..a.st, id)
  for _, key in ipairs(cmsgpack.unpack(a.ix)) do C('ZREM', P..'ag:ix:'..key, id) end
end

-- Puts an agent into the indexes of its type, capabilities and labels; `keys`
-- must fit `a.b`. It has to be saved after that.
local function index(id, a, keys)
  for _, key in ipairs(keys) do C('ZADD', P..'ag:ix:'..key, 0, id) end
  a.ix = cmsgpack.pack(keys)
end

local function made_entry(id, a) return string.format('%016d', a.ct)..id end

local function counter(field, by)
  if C('HINCRBY', P..'ag:n', field, by) == 0 then C('HDEL', P..'ag:n', field) end
end

-- Counts an agent, or with -1 no longer, as it is or was.
local function tally(a, by)
  local type = string.sub(cmsgpack.unpack(a.ix)[1], 6)
  counter(a.st..':'..type, by)
  if a.st == RUNNING or (a.task ~= '' and a.st ~= TERMINATED and a.st ~= LOST) then
    counter('busy', by)
  end
  if C('ZINCRBY', P..'ag:types', by, type) == '0' then C('ZREM', P..'ag:types', type) end
end

local function save(id, a)
  a.ut = int(US)
  local was = a.was
  if not was or was.st ~= a.st or was.task ~= a.task or was.ix ~= a.ix then
    if was then tally(was, -1) end
    tally(a, 1)
    a.was = {st = a.st, task = a.task, ix = a.ix}
  end
  C('ZADD', P..'ag:ix:status:'..a.st, 0, id)
  C('HSET', agent_key(id), 'b', a.b, 'v', a.v, 'tok', a.tok, 'st', a.st, 'task', a.task, 'ct', a.ct,
    'ut', a.ut, 'hb', a.hb, 'lease', int(a.lease), 'ix', a.ix, 'me', a.me or '',
    'po', a.po or '')
  C('ZADD', P..'ag:all', 0, id)
end

local function change_status(id, a, status)
  C('ZREM', P..'ag:ix:status:'..a.st, id)
  a.st = status
  save(id, a)
end

-- Drops a session's commands and notes that what it held has to be given back.
-- `reason` is one of lost, deregistered and replaced.
local function session_over(id, a, reason)
  C('DEL', commands_key(id, a.tok))
  C('ZADD', P..'ag:over', int(US), a.tok..'\n'..int(US)..'\n'..reason..'\n'..id)
end

-- Ends a session; the record stays readable for the retention.
local function end_session(id, a, status, retention, reason)
  if a.st ~= TERMINATED and a.st ~= LOST then session_over(id, a, reason) end
  a.v, a.po = a.v + 1, ''
  change_status(id, a, status)
  C('ZREM', P..'ag:deadline', id)
  C('ZADD', P..'ag:gone', int(US + retention), id)
end
