-- When a lease runs out.
-- Until when an attempt may run if it is to run until `wanted`: never past one of
-- its deadlines, each of which may be missing.
local function lease_end(wanted, attempt, stall, total)
  local ends = wanted
  if attempt then ends = math.min(ends, attempt) end
  if stall then ends = math.min(ends, stall) end
  if total then ends = math.min(ends, total) end
  return ends
end
