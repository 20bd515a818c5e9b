-- A task's header, packed by the server: TaskHeader.java. Times are in us.
--
--  1 B flags   1 when the task has a dedupe key or one of the timers at 27; 2 when it
--              has a priority, signature, fairness key or delay; most have neither
--  2 B priority
--  3 d lease, d attempt timeout, d stall timeout
-- 27 d queue lifetime, d total deadline
-- 43 B dedupe scope (1 until started, 2 until finished, 3 for a time)
-- 44 Hc0 signature, Hc0 fairness key, Hc0 dedupe key
--    d delay, B conflict policy (1 reject, 3 replace), d ms of the dedupe scope 3
--    H most failures (0: the queue's), d first back-off, d longest, Hc0 fatal kinds
--
-- Each reader takes what it needs into locals: a table of it all would cost more
-- than the commands of most scripts.
local function group_of(header)
  if string.byte(header) < 2 then return '', '' end
  local signature, fairness = struct.unpack('>Hc0Hc0', header, 44)
  return signature, fairness
end
