-- Lists agents that stand in all the given indexes, by id: walks the smallest of
-- them and looks into the others, at most 512 steps a call. The agent that passes
-- the given bytes is the last one, so that a page fits into a message.
--
-- ARGV  1 how many, 2 how many bytes, 3 last id listed ('' from the beginning),
--       then index keys
-- Reply {'OK', last id looked at ('' at the end), encoded Agent...}
--#include agent/agent
local want, room, after = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local walked, least = P..'ag:all', nil
for i = 4, #ARGV do
  local size = C('ZCARD', P..'ag:ix:'..ARGV[i])
  if not least or size < least then walked, least = P..'ag:ix:'..ARGV[i], size end
end
local ids = C('ZRANGEBYLEX', walked, after == '' and '-' or '('..after, '+', 'LIMIT', 0, 512)
local reply, last = {'OK', ''}, ''
for _, id in ipairs(ids) do
  local fits = true
  for i = 4, #ARGV do
    if not C('ZSCORE', P..'ag:ix:'..ARGV[i], id) then
      fits = false
      break
    end
  end
  last = id
  if fits then
    local agent = whole(load_agent(id))
    reply[#reply + 1] = agent
    want, room = want - 1, room - #agent
    if want == 0 or room <= 0 then break end
  end
end
if want == 0 or room <= 0 or #ids == 512 then reply[2] = last end
return reply
