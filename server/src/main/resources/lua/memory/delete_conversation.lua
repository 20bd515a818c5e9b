-- Deletes a conversation.
--
-- ARGV  1 space, 2 fence name, 3 fence token, 4 request id, 5 digest, 6 conversation
-- Reply {'OK', revision, 1 if it was there}; {'NO_SPACE'}; {'STALE_FENCE', highest}; {'REUSED'}
--#include memory/conversation
--#include common/request
--#include common/fence
local answer = replay('DeleteConversation', ARGV[4], ARGV[5])
if answer then return answer end
if not enter(ARGV[1]) then return {'NO_SPACE'} end
local highest = stale_fence(ARGV[2], ARGV[3])
if highest then return {'STALE_FENCE', highest} end
local t, over = load_talk(ARGV[6])
if t or over then delete_talk(ARGV[6], t or over) end
settle()
return remember('DeleteConversation', ARGV[4], ARGV[5], {'OK', int(space.r), t and 1 or 0})
