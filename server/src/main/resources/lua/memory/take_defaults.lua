-- Takes over what the namespace says, unless this partition has what is later.
--
-- ARGV  1 version, 2 when it last changed us, 3 encoded SpaceSettings, 4 the same in numbers
-- Reply {'OK'}
--#include memory/defaults
local row = defaults_row()
if tonumber(row[2]) < tonumber(ARGV[2]) then write_defaults(ARGV[1], ARGV[2], ARGV[3], ARGV[4]) end
return {'OK'}
