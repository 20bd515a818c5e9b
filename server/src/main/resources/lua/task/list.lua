-- Lists tasks of one state, from behind a place on.
--
-- ARGV  1 queue, 2 state letter, 3 how many, 4 place: '' or
--       '<signature>\n<fairness key>\n<score>\n<id>' of the last one listed
-- Reply {'OK', place of the last one ('' at the end), {id, lease until us, field, value...}...}
--#include task/ending
--#include task/ready
enter(ARGV[1])
local state, want = ARGV[2], tonumber(ARGV[3])
local p_sig, p_fair, p_score, p_id = string.match(ARGV[4], '^(.-)\n(.-)\n(.-)\n(.*)$')
local FIELDS = {'st', 'p', 'at', 'fl', 'lo', 're', 'wk', 'tok', 'ra', 'pr', 'e', 'cx', 'ct', 'bt', 'ft'}
local reply, last = {'OK', ''}, ''

local function show(id, signature, fairness, score)
  local values = C('HMGET', Q..'t:'..id, unpack(FIELDS))
  last = signature..'\n'..fairness..'\n'..score..'\n'..id
  if values[1] then
    local row = {id, state == 'L' and score or ''}
    for i, name in ipairs(FIELDS) do
      if values[i] then
        row[#row + 1] = name
        row[#row + 1] = values[i]
      end
    end
    reply[#reply + 1] = row
  end
  want = want - 1
end

-- Where to go on: behind the last one, or where it was if it is gone.
local function start(key, newest_first)
  if not p_id then return 0 end
  local rank = C(newest_first and 'ZREVRANK' or 'ZRANK', key, p_id)
  if rank then return rank + 1 end
  if newest_first then return C('ZCOUNT', key, '('..p_score, '+inf') end
  return C('ZCOUNT', key, '-inf', '('..p_score)
end

local function page(key, signature, fairness, newest_first)
  local from = start(key, newest_first)
  local rows = C(newest_first and 'ZREVRANGE' or 'ZRANGE', key, from, from + want - 1, 'WITHSCORES')
  for i = 1, #rows, 2 do show(rows[i], signature, fairness, rows[i + 1]) end
  p_id = nil
end

if state == 'R' then
  local signatures = C('SMEMBERS', Q..'classes')
  table.sort(signatures)
  for _, signature in ipairs(signatures) do
    if want > 0 and (not p_id or signature >= p_sig) then
      local keys = C('ZRANGE', Q..'c:'..signature, 0, -1)
      table.sort(keys)
      for _, fairness in ipairs(keys) do
        if want <= 0 then break end
        if not p_id or signature > p_sig or fairness >= p_fair then
          if p_id and (signature ~= p_sig or fairness ~= p_fair) then p_id = nil end
          page(group_key(signature, fairness), signature, fairness, false)
        end
      end
    end
  end
elseif state == 'D' then
  page(Q..'delayed', '', '', false)
elseif state == 'L' then
  page(Q..'leases', '', '', false)
elseif ENDED[state] then
  page(Q..'end:'..state, '', '', true)
end
if want <= 0 then reply[2] = last end
return reply
