-- Reads one task. A script, so that the hash and the lease are of one moment.
--
-- ARGV  1 queue, 2 task
-- Reply {'OK', {field, value...}, lease until us ('' when not LEASED)}; {'NOT_FOUND'}
--#include task/queue
enter(ARGV[1])
local fields = C('HGETALL', Q..'t:'..ARGV[2])
if #fields == 0 then return {'NOT_FOUND'} end
return {'OK', fields, C('ZSCORE', Q..'leases', ARGV[2]) or ''}
