-- Appends entries to a log, for tests.
--
-- ARGV  1 topic, 2 type, 3 subject, 4... data, one entry each
-- Reply {'OK', id and sequence of the last one}
--#include common/log
local id, seq
for i = 4, #ARGV do id, seq = emit(ARGV[1], ARGV[2], ARGV[3], ARGV[i]) end
return {'OK', id, seq}
