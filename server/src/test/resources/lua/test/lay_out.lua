-- Lays events out.
--
-- ARGV  per event: topic, encoded Event
-- Reply {'OK'}
--#include common/outbox
for i = 1, #ARGV, 2 do lay_out(ARGV[i], ARGV[i + 1]) end
return {'OK'}
