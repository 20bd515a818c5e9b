-- A topic: its keys, and what several scripts do with it.
--
-- A topic's name stands last in a key. What is said of a group stands elsewhere.
--
-- ev:topics     ZSET    all topics of the partition, score 0
-- ev:aged       ZSET    topic -> when the sweep has to look at it next, us
-- ev:t:<topic>  HASH    ct created us, ver version, seq last topic position, kb bytes
--                       kept; when they are not the default: ma greatest age ms, me
--                       most events, mb most bytes, du durability (1, 2), cp '1' when
--                       compacted, ds description; tr '<stream id> <sequence>' of the
--                       newest event that age, number or bytes took; cz while events
--                       from before the compaction are looked through: id of the last
--                       one looked at
-- ev:e:<topic>  STREAM  the events kept. An entry has the id that it has in the log, and
--                       s sequence in the log, q topic position, y type, u subject,
--                       d encoded Event, k key when there is one
-- ev:k:<topic>  HASH    of a compacted topic: key -> '<stream id> <bytes>' of its last event
-- ev:deleted    STRING  '<stream id> <sequence>' in the log of the last deletion of a topic
-- ev:gs:<topic> ZSET    names of the topic's groups, score 0
-- ev:<digest>   STRING  '<stream id> <sequence> <epoch> <topic position> <ct>' of an event
--                       published, for 10 minutes; of topic, source and id. One that
--                       was written before its topic was deleted does not count
--#include common/log
--#include common/protobuf
local function load_topic(name)
  local v = C('HMGET', P..'ev:t:'..name,
    'ct', 'seq', 'kb', 'ma', 'me', 'mb', 'du', 'cp', 'ds', 'ver')
  return {
    name = name, stream = P..'ev:e:'..name,
    ct = v[1], seq = tonumber(v[2] or 0), kb = tonumber(v[3] or 0),
    ma = tonumber(v[4] or 604800000), me = tonumber(v[5] or 100000),
    mb = tonumber(v[6] or 268435456), du = v[7] or '1', cp = v[8] == '1', ds = v[9] or '',
    ver = tonumber(v[10] or 0)
  }
end

-- Tells a change of a topic as it is now; `more` are further fields of a TopicChange.
-- Returns stream id and sequence of that.
local function tell_topic(kind, t, more)
  local seconds = math.floor(t.ma / 1000)
  return emit('troupe.topics', kind, t.name, pb_bytes(1, t.name)
    ..pb_bytes(3, pb_bytes(1, pb_int(1, seconds)..pb_int(2, (t.ma - seconds * 1000) * 1000000))
      ..pb_int(2, t.me)..pb_int(3, t.mb)..pb_int(4, tonumber(t.du))..pb_int(5, t.cp and 1 or 0)
      ..pb_bytes(6, t.ds))
    ..(more or ''))
end

-- Makes the topic's record, with the settings that it has in `t`, if there is none;
-- false when the partition has all the topics that it may have.
local function open_topic(t)
  if t.ct then return true end
  if C('ZCARD', P..'ev:topics') >= 100000 then return false end
  t.ct, t.ver = int(US), 1
  C('HSET', P..'ev:t:'..t.name, 'ct', t.ct, 'ver', '1')
  C('ZADD', P..'ev:topics', 0, t.name)
  tell_topic('topic.created', t)
  return true
end

-- Appends an event to the log, under a sequence number taken for it, and to its topic;
-- returns its stream id. Afterwards the topic has to be kept by keep_topic, once.
local function append_event(t, seq, type, subject, key, data)
  t.seq = t.seq + 1
  local s, q = int(seq), int(t.seq)
  local id
  if key == '' then
    id = C('XADD', KEYS[1], '*', 's', s, 't', t.name, 'y', type, 'u', subject, 'd', data, 'q', q)
    C('XADD', t.stream, id, 's', s, 'q', q, 'y', type, 'u', subject, 'd', data)
  else
    id = C('XADD', KEYS[1], '*', 's', s, 't', t.name, 'y', type, 'u', subject, 'd', data,
      'q', q, 'k', key)
    C('XADD', t.stream, id, 's', s, 'q', q, 'y', type, 'u', subject, 'd', data, 'k', key)
    if t.cp then
      local keys = P..'ev:k:'..t.name
      local before = C('HGET', keys, key)
      if before then
        local old, bytes = string.match(before, '(%S+) (%d+)')
        -- It may be trimmed, and its key not yet.
        if C('XDEL', t.stream, old) == 1 then t.kb = t.kb - bytes end
      end
      C('HSET', keys, key, id..' '..#data)
    end
  end
  t.kb = t.kb + #data
  t.added = (t.added or 0) + 1
  return id
end

-- Drops the oldest events that the topic's rules no longer keep, at most `most`; returns
-- how many. The newest is kept however large it is.
local function trim_topic(t, most)
  local count = t.count or C('XLEN', t.stream)
  local oldest = US / 1000 - t.ma
  local dropped, behind, taken = 0, nil, nil
  local done = false
  while not done and dropped < most and count > 0 do
    -- By pages, as an event comes with its data.
    local page = C('XRANGE', t.stream, behind or '-', '+',
      'COUNT', math.min(most - dropped, math.max(count - t.me, 8)))
    if #page == 0 then break end
    for _, entry in ipairs(page) do
      local ms, order = string.match(entry[1], '(%d+)%-(%d+)')
      if not (count > t.me or (t.kb > t.mb and count > 1) or tonumber(ms) < oldest) then
        done = true
        break
      end
      local f, seq = entry[2], '0'
      for i = 1, #f, 2 do
        if f[i] == 's' then
          seq = f[i + 1]
        elseif f[i] == 'd' then
          t.kb = t.kb - #f[i + 1]
        elseif f[i] == 'k' and t.cp then
          local last = C('HGET', P..'ev:k:'..t.name, f[i + 1])
          if last and string.match(last, '%S+') == entry[1] then
            C('HDEL', P..'ev:k:'..t.name, f[i + 1])
          end
        end
      end
      behind, taken = ms..'-'..int(order + 1), entry[1]..' '..seq
      dropped, count = dropped + 1, count - 1
      if dropped == most then break end
    end
  end
  if behind then
    C('XTRIM', t.stream, 'MINID', '=', behind)
    C('HSET', P..'ev:t:'..t.name, 'tr', taken)
  end
  t.count = count
  return dropped
end

-- Writes down what appends changed, and trims by number and bytes. Ages are for the sweep.
local function keep_topic(t)
  t.count = C('XLEN', t.stream)
  if t.count <= t.added then
    C('ZADD', P..'ev:aged', 'LT', int(US + t.ma * 1000), t.name)
  end
  if t.count > t.me or t.kb > t.mb then
    trim_topic(t, 64)
    -- A large event may take the place of more small ones than that: the sweep goes on.
    if t.count > t.me or (t.kb > t.mb and t.count > 1) then
      C('ZADD', P..'ev:aged', 'LT', int(US), t.name)
    end
  end
  C('HSET', P..'ev:t:'..t.name, 'seq', int(t.seq), 'kb', int(t.kb))
end
