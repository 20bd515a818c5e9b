-- Makes names of as many topics as a partition may have.
--
-- Reply {'OK'}
--#include common/prelude
for i = 1, 100000 do C('ZADD', P..'ev:topics', 0, 'made-'..i) end
return {'OK'}
