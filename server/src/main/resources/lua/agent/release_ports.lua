-- Takes ports from an agent's session. They are free once the host's partition has
-- freed them; the reply says which it has to.
--
-- ARGV  1 agent, 2 fence name, 3 fence token, 4 request id, 5 digest, 6 token that
--       has to be current (0: any), then the ports
-- Reply {'OK', 0, encoded Agent, then per port: host, port, booking}; {'NOT_FOUND'};
--       {'SESSION'}; {'STALE_FENCE', highest}; {'REUSED'}
--#include agent/ports
--#include common/request
--#include common/fence
local id = ARGV[1]
local answer = replay('ReleasePorts', ARGV[4], ARGV[5])
if answer then return answer end
local a = load_agent(id)
if not a then return {'NOT_FOUND'} end
if a.st == TERMINATED or a.st == LOST then return {'SESSION'} end
if ARGV[6] ~= '0' and a.tok ~= ARGV[6] then return {'SESSION'} end
local highest = stale_fence(ARGV[2], ARGV[3])
if highest then return {'STALE_FENCE', highest} end
local unwanted, rows = {}, {}
for i = 7, #ARGV do unwanted[ARGV[i]] = true end
local all = C('HGETALL', ports_key(id))
for i = 1, #all, 2 do
  local host, port = string.match(all[i], '^(.*)\n(%d+)$')
  local booking, token, has = port_record(all[i + 1])
  if has and token == a.tok and unwanted[port] then
    C('HSET', ports_key(id), all[i], booking..'\n'..token..'\n0')
    rows[#rows + 1], rows[#rows + 2], rows[#rows + 3] = host, port, booking
  end
end
if rows[1] then
  local _, packed = packed_ports(id, a.tok)
  a.po, a.v = packed, a.v + 1
  save(id, a)
  tell('updated', id, a)
end
return remember('ReleasePorts', ARGV[4], ARGV[5], {'OK', 0, whole(a), unpack(rows)})
