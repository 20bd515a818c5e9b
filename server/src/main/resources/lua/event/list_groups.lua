-- Lists the groups of a topic in the order of their names.
--
-- ARGV  1 topic, 2 the name after which to begin, 3 how many
-- Reply {'OK', '1' when there are more, see event/group_view for each}; {'NO_TOPIC'}
--#include event/group_view
if C('EXISTS', P..'ev:t:'..ARGV[1]) == 0 then return {'NO_TOPIC'} end
local most = tonumber(ARGV[3])
local names = C('ZRANGEBYLEX', P..'ev:gs:'..ARGV[1], ARGV[2] == '' and '-' or '('..ARGV[2], '+',
  'LIMIT', 0, most + 1)
local reply = {'OK', #names > most and '1' or '0'}
for i = 1, math.min(most, #names) do
  local g = load_group(ARGV[1], names[i])
  if g then reply[#reply + 1] = group_view(g, 0) end
end
return reply
