-- Changes of a topic's settings.
--#include event/topic
-- Writes settings down, pairs of a field of ev:t: and its value; '' is the default.
local function write_settings(t, args, first)
  local key = P..'ev:t:'..t.name
  local was_compacted = t.cp
  for i = first, #args, 2 do
    if args[i + 1] == '' then C('HDEL', key, args[i]) else C('HSET', key, args[i], args[i + 1]) end
  end
  local now = load_topic(t.name)
  if now.cp and not was_compacted then
    C('HSET', key, 'cz', '0-0')
  elseif was_compacted and not now.cp then
    C('HDEL', key, 'cz')
    C('UNLINK', P..'ev:k:'..t.name)
  end
  -- The sweep does what they demand of events that are there.
  C('ZADD', P..'ev:aged', 'LT', int(US), t.name)
  return now
end
