-- Refuses a wait that is part of a circle of owners, if it still waits.
--
-- ARGV  1 wait id, 2 circle
-- Reply {'OK', 1 if it was refused now}
--#include lock/lock
--#include common/request
local w = load_wait(ARGV[1])
if not w then return {'OK', 0} end
local locks = {}
drop(ARGV[1], w, locks, 'deadlock', ARGV[2])
remember('Acquire', w[W_REQUEST], w[W_DIGEST], {'DEADLOCK', ARGV[2]}, 60000)
grant_each(locks)
settle()
return {'OK', 1}
