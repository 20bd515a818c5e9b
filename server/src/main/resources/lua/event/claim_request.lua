-- Remembers a request that goes to several partitions, so that its id is not used for
-- another one.
--
-- rq:send:<request id>  STRING  digest of the request, kept for 10 minutes
--
-- ARGV  1 request id, 2 digest
-- Reply {'OK'}; {'REUSED'}
--#include common/prelude
local key = P..'rq:send:'..ARGV[1]
local digest = C('GET', key)
if digest and digest ~= ARGV[2] then return {'REUSED'} end
C('SET', key, ARGV[2], 'PX', 600000)
return {'OK'}
