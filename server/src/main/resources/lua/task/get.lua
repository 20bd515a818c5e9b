-- Reads one task. A script, so that the hash and the lease are of one moment.
--
-- ARGV  1 queue, 2 task
-- Reply {'OK', {field, value...}, lease until us ('' when not LEASED)}; {'NOT_FOUND'}
--#include task/queue
local q = queue_of(ARGV[1])
local fields = C('HGETALL', task_key(q, ARGV[2]))
if #fields == 0 then return {'NOT_FOUND'} end
return {'OK', fields, C('ZSCORE', q.leases, ARGV[2]) or ''}
