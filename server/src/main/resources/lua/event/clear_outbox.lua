-- Takes out of the outbox what has arrived.
--
-- ARGV  ids
-- Reply {'OK'}
--#include common/prelude
C('XDEL', P..'ev:ob', unpack(ARGV))
return {'OK'}
