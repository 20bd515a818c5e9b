-- Which items a filter means; see MemoryFilter.
--
-- Arguments: lists (see tags.lua) of all_tags, any_tags, no_tags, tiers, sources, attributes
-- one after the other; then min_importance, and created from, created before, updated from
-- and updated before us (0: no bound)
--#include memory/tags
local function set_of(list)
  local set = {}
  for _, value in ipairs(list) do set[value] = true end
  return set
end

-- Returns a function that says whether a filter means an item.
local function filter_at(i)
  local all, any, none, tiers, sources, attributes
  all, i = list_at(i)
  any, i = list_at(i)
  none, i = list_at(i)
  tiers, i = list_at(i)
  sources, i = list_at(i)
  attributes, i = list_at(i)
  local least = tonumber(ARGV[i])
  local made_from, made_before = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  local from, before = tonumber(ARGV[i + 3]), tonumber(ARGV[i + 4])
  local is_tier, is_source = set_of(tiers), set_of(sources)
  local by_tags = #all + #any + #none > 0
  local function tags_fit(m)
    local has = set_of(m[M_TAGS])
    for _, tag in ipairs(all) do if not has[tag] then return false end end
    for _, tag in ipairs(none) do if has[tag] then return false end end
    for _, tag in ipairs(any) do if has[tag] then return true end end
    return #any == 0
  end
  local function attributes_fit(m)
    local is = {}
    for k = 1, #m[M_ATTRIBUTES], 2 do is[m[M_ATTRIBUTES][k]] = m[M_ATTRIBUTES][k + 1] end
    for k = 1, #attributes, 2 do if is[attributes[k]] ~= attributes[k + 1] then return false end end
    return true
  end
  return function(m)
    return (#tiers == 0 or is_tier[int(m[M_TIER])])
      and (#sources == 0 or is_source[m[M_SOURCE]])
      and m[M_IMPORTANCE] >= least
      and m[M_MADE] >= made_from and (made_before == 0 or m[M_MADE] < made_before)
      and m[M_CHANGED] >= from and (before == 0 or m[M_CHANGED] < before)
      and (not by_tags or tags_fit(m))
      and (#attributes == 0 or attributes_fit(m))
  end
end
