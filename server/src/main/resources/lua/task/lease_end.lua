-- Until when an attempt may run that began at `begun` and wants to run for `duration`
-- from now (0: the task's own): never past one of its deadlines. Those of the stall
-- and of the whole task may be missing.
--#include common/prelude
local function lease_end(header, duration, begun, stall, total)
  local lease, timeout = struct.unpack('>dd', header, 3)
  local ends = math.min(US + (duration == '0' and lease or duration), begun + timeout)
  if stall then ends = math.min(ends, stall) end
  if total then ends = math.min(ends, total) end
  return ends
end
