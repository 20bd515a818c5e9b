-- Gives booked ports to an agent's session.
--
-- ARGV  1 agent, 2 fence name, 3 fence token, 4 request id, 5 digest, 6 token that
--       has to be current (0: any), 7 host, 8 booking ('' when none could be made),
--       9 when it was made us, 10 how long it may be used us, 11 most ports of a
--       session, then the ports
-- Reply {'OK', booking that was used, encoded Agent, its ports...}; {'PORTS'};
--       {'LATE'}; {'NOT_FOUND'}; {'SESSION'}; {'LIMIT', most};
--       {'STALE_FENCE', highest}; {'REUSED'}
--#include agent/ports
--#include common/request
--#include common/fence
local id = ARGV[1]
local answer = replay('LeasePorts', ARGV[4], ARGV[5])
if answer then return answer end
local a = load_agent(id)
if not a then return {'NOT_FOUND'} end
if a.st == TERMINATED or a.st == LOST then return {'SESSION'} end
if ARGV[6] ~= '0' and a.tok ~= ARGV[6] then return {'SESSION'} end
if ARGV[8] == '' then return {'PORTS'} end
if math.abs(US - ARGV[9]) > tonumber(ARGV[10]) then return {'LATE'} end
local count = packed_ports(id, a.tok)
if count + #ARGV - 11 > tonumber(ARGV[11]) then return {'LIMIT', ARGV[11]} end
local highest = stale_fence(ARGV[2], ARGV[3])
if highest then return {'STALE_FENCE', highest} end
take_ports(id, a.tok, ARGV[7], ARGV[8], 12, #ARGV)
local _, packed = packed_ports(id, a.tok)
a.po, a.v = packed, a.v + 1
save(id, a)
tell('updated', id, a)
return remember('LeasePorts', ARGV[4], ARGV[5], {'OK', ARGV[8], whole(a), unpack(ARGV, 12)})
