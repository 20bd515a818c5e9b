-- Reads what the namespace says, as this partition has it.
--
-- Reply {'OK', {version (0: never set), when it last changed us, encoded SpaceSettings}}
--#include memory/defaults
return {'OK', defaults_row()}
