-- Conversations of a space, in the order of their names' bytes.
--
-- ARGV  1 space, 2 what they begin with, 3 name after which to go on ('' from the beginning),
--       4 how many
-- Reply {'OK', name to go on after ('' at the end), for each: name, last number, first number,
--       changed us, ends us}; {'NO_SPACE'}
--#include memory/conversation
if not enter(ARGV[1]) then return {'NO_SPACE'} end
local from = ARGV[3] ~= '' and '('..ARGV[3] or '['..ARGV[2]
local to = ARGV[2] == '' and '+' or '('..ARGV[2]..'\255'
local names = C('ZRANGEBYLEX', S..'cx', from, to, 'LIMIT', 0, ARGV[4])
local reply = {'OK', #names == tonumber(ARGV[4]) and names[#names] or ''}
for _, name in ipairs(names) do
  local t = load_talk(name)
  if t then
    for _, value in ipairs({name, int(t[T_LAST]), int(t[T_FIRST]), int(t[T_CHANGED]), int(t[T_ENDS])}) do
      reply[#reply + 1] = value
    end
  end
end
return reply
