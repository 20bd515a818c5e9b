-- What there is to say of a topic.
--#include event/topic
-- Returns name, created us, version, ma ms, me, mb, durability, '1' when compacted,
-- description, last position, bytes kept, events kept, position and stream id of the oldest
-- one kept ('0' and '' for none), stream id of the newest one, groups.
local function describe(t)
  local first = C('XRANGE', t.stream, '-', '+', 'COUNT', 1)[1]
  local last = first and C('XREVRANGE', t.stream, '+', '-', 'COUNT', 1)[1]
  local position = '0'
  if first then
    for i = 1, #first[2], 2 do
      if first[2][i] == 'q' then position = first[2][i + 1] end
    end
  end
  return {t.name, t.ct, int(t.ver), int(t.ma), int(t.me), int(t.mb), t.du, t.cp and '1' or '0',
    t.ds, int(t.seq), int(t.kb), C('XLEN', t.stream), position, first and first[1] or '',
    last and last[1] or '', C('ZCARD', P..'ev:gs:'..t.name)}
end
