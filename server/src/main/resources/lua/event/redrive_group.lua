-- Delivers dead letters to their group once more, oldest first, at most 64.
--
-- ARGV  1 topic, 2 group, 3 request id, 4 its digest, 5... topic positions; none for all
-- Reply {'OK', how many, '1' when there are more}; {'NO_GROUP'}, {'REUSED'}
--#include event/group
--#include common/request
local first = replay('RedriveEvents', ARGV[3], ARGV[4])
if first then return first end
local g = load_group(ARGV[1], ARGV[2])
if not g then return {'NO_GROUP'} end
local all = #ARGV == 4
local qs = all and C('ZRANGE', gkey(g, 'y'), 0, 63) or {unpack(ARGV, 5)}
local redriven = 0
if #qs > 0 then
  for i, packed in ipairs(C('HMGET', gkey(g, 'z'), unpack(qs))) do
    local q = qs[i]
    -- Not twice in one call.
    if packed and C('ZREM', gkey(g, 'y'), q) == 1 then
      local letter = cmsgpack.unpack(packed)
      local key = letter[3]
      C('HDEL', gkey(g, 'z'), q)
      g.zb = g.zb - #packed
      -- Before a seek it may have been looked at again.
      if C('HEXISTS', gkey(g, 'e'), q) == 0 then
        push(g.records, q, cmsgpack.pack({letter[1], 0, 0, '', key, 0, 'w', {}, letter[2], letter[4]}))
        if g.ordered and key ~= '' and C('HSETNX', gkey(g, 'k'), key, q) == 0 then
          C('ZADD', gkey(g, 'p'), 0, key..'\0'..string.format('%016d', tonumber(q)))
        else
          push(g.waiting, int(US), q)
        end
        redriven = redriven + 1
      end
    end
  end
  g.changed = true
  save_group(g)
  ring_group(g)
end
local more = all and C('EXISTS', gkey(g, 'y')) == 1
return remember('RedriveEvents', ARGV[3], ARGV[4], {'OK', redriven, more and '1' or '0'})
