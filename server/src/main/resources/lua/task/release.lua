-- Gives an attempt back.
--
-- ARGV  1 queue, 2 task, 3 token, 4 wait us, 5 reason
-- Reply {'OK', state}; {'NOT_FOUND'}; {'STALE', state}; {'CONFLICT', state}
--#include task/retry
enter(ARGV[1])
local id, token = ARGV[2], ARGV[3]
local v = load_task(id)
local refusal = not_current(v, token, 'R')
if refusal then return refusal end
local state = release_attempt(id, v, tonumber(ARGV[4]), ARGV[5])
C('HSET', Q..'t:'..id, 'etok', token, 'eo', 'R', 'es', state)
return {'OK', state}
