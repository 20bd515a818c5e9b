-- Notes that the attempts of a reply of agent/attempts are counted for all agents.
--
-- ARGV  1 gen, 2 seq, 3 id
-- Reply {'OK'}
--#include common/prelude
local v = C('HMGET', P..'ag:fig', 'gen', 'seq')
if v[1] == ARGV[1] and tonumber(v[2]) < tonumber(ARGV[2]) then
  C('HSET', P..'ag:fig', 'seq', ARGV[2], 'id', ARGV[3])
end
return {'OK'}
