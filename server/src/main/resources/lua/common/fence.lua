-- Refuses a writer whose fencing token is lower than one seen before.
--
-- fn:<name>  STRING  highest token seen, kept for 24 hours after its last use
--#include common/prelude
-- Returns nil when the fence lets the write pass (no name: no fence), else the
-- highest token. Call it before the first write of the script.
local function stale_fence(name, token)
  if name == '' then return nil end
  local highest = C('GET', P..'fn:'..name)
  if highest and tonumber(token) < tonumber(highest) then return highest end
  C('SET', P..'fn:'..name, token, 'PX', 86400000)
  return nil
end
