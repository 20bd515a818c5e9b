-- Lists topics whose names begin with a prefix, in the order of their bytes; read only.
--
-- ARGV  1 prefix, 2 last name listed ('' from the beginning), 3 how many
-- Reply {'OK', 1 if there may be more, then per topic: what event/describe says}
--#include event/describe
local prefix, after = ARGV[1], ARGV[2]
local from = after == '' and '['..prefix or '('..after
local names = C('ZRANGEBYLEX', P..'ev:topics', from, '('..prefix..'\255', 'LIMIT', 0, ARGV[3])
local reply = {'OK', #names == tonumber(ARGV[3]) and 1 or 0}
for _, name in ipairs(names) do reply[#reply + 1] = describe(load_topic(name)) end
return reply
