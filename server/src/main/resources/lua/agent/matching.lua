-- Conditions on agents: keys of indexes that an agent has to stand in.
--#include agent/agent
local needed, any = {}, {}

-- Reads them from ARGV: the number of those of which one is enough, these, then those
-- that have to match all, up to the end.
local function read_conditions(first)
  local rest = first + 1 + ARGV[first]
  for i = first + 1, rest - 1 do any[#any + 1] = P..'ag:ix:'..ARGV[i] end
  for i = rest, #ARGV do needed[#needed + 1] = P..'ag:ix:'..ARGV[i] end
  if #any == 1 then
    needed[#needed + 1] = any[1]
    any = {}
  end
end

local function matches(id)
  for _, key in ipairs(needed) do
    if not C('ZSCORE', key, id) then return false end
  end
  for _, key in ipairs(any) do
    if C('ZSCORE', key, id) then return true end
  end
  return not any[1]
end
