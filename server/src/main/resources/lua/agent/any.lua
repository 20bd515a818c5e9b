-- Says whether the partition has agents, alive or not.
--
-- Reply {'OK', 0|1}
--#include common/prelude
return {'OK', C('EXISTS', P..'ag:all')}
