-- Registers an agent and opens its session; an earlier session is over then.
--
-- ARGV  1 agent, 2 fence name, 3 fence token, 4 request id, 5 digest, 6 encoded
--       Agent, 7 status, 8 lease us, 9 metrics, 10 host, 11 ports wanted, 12 booking
--       ('' when none could be made), 13 when it was made us, 14 how long it may be
--       used us, 15 number of ports, the ports, then the index keys
-- Reply {'OK', replaced 0|1, encoded Agent, booking that was used}; {'PORTS'};
--       {'LATE'}; {'STALE_FENCE', highest}; {'REUSED'}
--#include agent/ports
--#include common/request
--#include common/fence
local id = ARGV[1]
local answer = replay('RegisterAgent', ARGV[4], ARGV[5])
if answer then return answer end
if ARGV[11] ~= '0' then
  if ARGV[12] == '' then return {'PORTS'} end
  if math.abs(US - ARGV[13]) > tonumber(ARGV[14]) then return {'LATE'} end
end
local highest = stale_fence(ARGV[2], ARGV[3])
if highest then return {'STALE_FENCE', highest} end
local former = load_agent(id)
local keys = {}
local last_port = 15 + ARGV[15]
for i = last_port + 1, #ARGV do keys[#keys + 1] = ARGV[i] end
local a = {
  b = ARGV[6], v = 1, tok = int(US), st = tonumber(ARGV[7]), task = '', ct = int(US), hb = int(US),
  lease = tonumber(ARGV[8]), me = ARGV[9]
}
local replaced, former_type = 0, ''
if former then
  former_type = other_type(former, keys)
  unindex(id, former)
  C('HDEL', agent_key(id), 'cn')
  a.v, a.was = former.v + 1, former.was
  a.ct, a.fs, a.ff, a.fl, a.fr = former.ct, former.fs, former.ff, former.fl, former.fr
  a.tok = int(math.max(tonumber(former.tok) + 1, US))
  if former.st ~= TERMINATED and former.st ~= LOST then
    replaced = 1
    session_over(id, former, 'replaced')
  end
end
if last_port > 15 then
  take_ports(id, a.tok, ARGV[10], ARGV[12], 16, last_port)
  local _, packed = packed_ports(id, a.tok)
  a.po = packed
end
index(id, a, keys)
save(id, a)
C('ZADD', P..'ag:made', 0, made_entry(id, a))
C('ZREM', P..'ag:gone', id)
C('ZADD', P..'ag:deadline', int(US + a.lease), id)
tell('registered', id, a, '', former_type)
return remember('RegisterAgent', ARGV[4], ARGV[5], {'OK', replaced, whole(a), ARGV[12]})
