-- Tells operators of something, once a minute for each kind of it.
--
-- ev:al:<kind>  STRING  there for a minute after one was told
--
-- ARGV  1 kind, 2 encoded SystemAlert
-- Reply {'OK'}; {'LIMITED'} when one of its kind was told less than a minute ago
--#include common/log
if not C('SET', P..'ev:al:'..ARGV[1], '1', 'NX', 'PX', 60000) then return {'LIMITED'} end
emit('troupe.system', 'system.alert', ARGV[1], ARGV[2])
return {'OK'}
