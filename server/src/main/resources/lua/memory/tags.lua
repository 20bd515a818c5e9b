-- Reads lists of arguments: each is its length and then its members.
local function list_at(i)
  local list, n = {}, tonumber(ARGV[i])
  for k = 1, n do list[k] = ARGV[i + k] end
  return list, i + n + 1
end
