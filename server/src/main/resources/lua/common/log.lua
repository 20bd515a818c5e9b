-- The partition log.
--
-- log   STREAM  s = dense sequence, t = topic, y = type, u = subject, d = data
-- head  HASH    seq = last sequence, epoch = when this log began, in us
--#include common/prelude
-- Takes the next n sequence numbers, each of which has to be appended then; returns
-- the last of them.
local function take_sequence(n)
  local last = C('HINCRBY', P..'head', 'seq', n)
  if last == n + 0 then C('HSET', P..'head', 'epoch', int(US)) end
  return last
end
local function append(seq, topic, type, subject, data)
  return C('XADD', KEYS[1], '*', 's', int(seq), 't', topic, 'y', type, 'u', subject, 'd', data)
end
local function emit(topic, type, subject, data)
  local seq = take_sequence('1')
  return append(seq, topic, type, subject, data), seq
end
