package dev.troupe.server.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** Picks the settings out of the environment. */
final class EnvironmentVariables {

  /**
   * Variables with our prefix that are not settings: of the launcher and the tests, the address
   * that the client commands use, and those that Kubernetes puts into every pod beside a Service
   * named "troupe".
   */
  private static final Pattern NOT_SETTINGS =
      Pattern.compile(
          "TROUPE_(TEST_.*|JAVA_.*|REQUIRE_POLYGLOT|SERVER|NAMESPACE"
              + "|SERVICE_(HOST|PORT.*)|PORT|PORT_\\d+_.*)");

  private EnvironmentVariables() {}

  /** The values, named by setting; variables that fit none go into {@code problems}. */
  static List<GivenValue> read(
      Map<String, String> environment, Map<String, SettingSpec> byVariable, List<String> problems) {
    List<GivenValue> values = new ArrayList<>();
    for (Map.Entry<String, String> variable : new TreeMap<>(environment).entrySet()) {
      String name = variable.getKey();
      SettingSpec setting = byVariable.get(name);
      if (setting != null) {
        values.add(new GivenValue(setting.name(), variable.getValue(), name));
      } else if (name.startsWith(SettingSpec.ENVIRONMENT_PREFIX)
          && !NOT_SETTINGS.matcher(name).matches()) {
        problems.add("environment: " + unknown(name, byVariable));
      }
    }
    return values;
  }

  private static String unknown(String name, Map<String, SettingSpec> byVariable) {
    return name
        + " is no setting"
        + NearestName.to(name, byVariable.keySet())
            .map(nearest -> "; did you mean " + nearest + "?")
            .orElse("");
  }
}
