-- Events that are published with a change, whichever partition their topics live in.
--
-- ob  STREAM  t topic, d encoded Event, in the order written; each is there until a server
--             has appended it to its topic
--#include common/prelude
local function lay_out(topic, event) C('XADD', P..'ob', '*', 't', topic, 'd', event) end
