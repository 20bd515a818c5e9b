-- Goes before any other script, which then writes nothing unless a fence passes.
--
-- ARGV  fence name, fence token, then those of the script
-- Reply that of the script, or {'STALE_FENCE', highest}
--#include common/fence
do
  local name, token = table.remove(ARGV, 1), table.remove(ARGV, 1)
  local highest = stale_fence(name, token)
  if highest then return {'STALE_FENCE', highest} end
end
