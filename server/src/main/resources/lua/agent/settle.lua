-- Forgets sessions that are over: all that they held was given back.
--
-- ARGV  entries of ag:over
-- Reply {'OK'}
--#include agent/agent
C('ZREM', P..'ag:over', unpack(ARGV))
return {'OK'}
