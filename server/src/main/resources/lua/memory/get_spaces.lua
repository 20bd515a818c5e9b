-- Reads spaces by name.
--
-- ARGV  names
-- Reply {'OK', for each: a space row, or nil}
--#include memory/read_space
local reply = {'OK'}
for i, name in ipairs(ARGV) do reply[i + 1] = enter(name) and space_row() end
return reply
