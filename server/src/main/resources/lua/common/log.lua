-- The partition log.
--
-- log   STREAM  s = dense sequence, t = topic, y = type, u = subject, d = data
-- head  HASH    seq = last sequence, epoch = when this log began, in us
--#include common/prelude
local function emit(topic, type, subject, data)
  local seq = C('HINCRBY', P..'head', 'seq', 1)
  if seq == 1 then C('HSET', P..'head', 'epoch', int(US)) end
  return C('XADD', KEYS[1], '*', 's', seq, 't', topic, 'y', type, 'u', subject, 'd', data), seq
end

-- Protobuf by hand: fields of an encoded message can simply be strung together.
local function pb_varint(n)
  local s = ''
  while n >= 128 do
    s = s..string.char(n % 128 + 128)
    n = math.floor(n / 128)
  end
  return s..string.char(n)
end
local function pb_int(field, n)
  if n == 0 then return '' end
  return string.char(field * 8)..pb_varint(n)
end
local function pb_bytes(field, s)
  if s == '' then return '' end
  return pb_varint(field * 8 + 2)..pb_varint(#s)..s
end
local function pb_time(field, us)
  local seconds = math.floor(us / 1000000)
  return pb_bytes(field, pb_int(1, seconds)..pb_int(2, (us - seconds * 1000000) * 1000))
end
