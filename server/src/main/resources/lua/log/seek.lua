-- Where the log stands, and which entry follows a position; read only.
--
-- ARGV  1 id of the position, '' for the newest
-- Reply {'OK', epoch, last sequence, last id, id of the entry that follows or
--       '', its sequence, now in milliseconds}
--#include log/ends
local epoch, seq, last = log_end()
local follows, sequence = '', 0
if ARGV[1] ~= '' then follows, sequence = first_entry('('..ARGV[1]) end
return {'OK', epoch, seq, last, follows, sequence, math.floor(US / 1000)}
