-- Lists the names of locks, in the order of their bytes: those that begin with a prefix,
-- or those that an owner holds or waits for. Looks at 512 entries of a kind a call.
--
-- ARGV  1 'n' for a prefix, 'o' for an owner, 2 the prefix or owner, 3 last name listed
--       ('' from the beginning)
-- Reply {'OK', 1 if there may be more, names, 1 if there may be more waited for, names that
--       the owner waits for}; each name once in a list
--#include lock/lock
local what, given, after = ARGV[1], ARGV[2], ARGV[3]

-- Order is left to the index: Lua compares strings by the locale of the server.
local function names(prefix, narrower)
  -- Behind its name an entry of an owner has a zero byte, and no name has a control character.
  local from = after == '' and '['..prefix..narrower or '('..prefix..after..(what == 'o' and '\1' or '')
  local members = C('ZRANGEBYLEX', INDEX, from, '('..prefix..narrower..'\255', 'LIMIT', 0, 512)
  local found = {}
  for _, member in ipairs(members) do
    local name = string.sub(member, #prefix + 1, what == 'o' and -24 or -1)
    if name ~= found[#found] then found[#found + 1] = name end
  end
  return #members == 512 and 1 or 0, found
end

if what == 'n' then
  local more, found = names('n:', given)
  return {'OK', more, found, 0, {}}
end
local more_held, held = names('h:'..given..'\0', '')
local more_waited, waited = names('w:'..given..'\0', '')
return {'OK', more_held, held, more_waited, waited}
