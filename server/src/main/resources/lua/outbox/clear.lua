-- Takes events out of the outbox that are in their topics.
--
-- ARGV  their ids
-- Reply {'OK'}
--#include common/prelude
C('XDEL', P..'ob', unpack(ARGV))
-- An empty stream would be a key that nothing takes away.
if C('XLEN', P..'ob') == 0 then C('DEL', P..'ob') end
return {'OK'}
