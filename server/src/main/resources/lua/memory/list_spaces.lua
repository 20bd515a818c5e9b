-- Names of spaces, in the order of their bytes.
--
-- ARGV  1 what they begin with, 2 name after which to go on ('' from the beginning), 3 how many
-- Reply {'OK', name...}
--#include common/prelude
local from = ARGV[2] ~= '' and '('..ARGV[2] or '['..ARGV[1]
local to = ARGV[1] == '' and '+' or '('..ARGV[1]..'\255'
return {'OK', unpack(C('ZRANGEBYLEX', P..'me:names', from, to, 'LIMIT', 0, ARGV[3]))}
