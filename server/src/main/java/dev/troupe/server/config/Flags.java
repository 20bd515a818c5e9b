package dev.troupe.server.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Reads {@code --name=value}, {@code --name value} and, for a truth, {@code --name}. */
final class Flags {

  private Flags() {}

  /** The values in order; what is no flag goes into {@code problems}. */
  static List<GivenValue> read(
      List<String> arguments, Map<String, SettingSpec> byName, List<String> problems) {
    List<GivenValue> values = new ArrayList<>();
    for (int i = 0; i < arguments.size(); i++) {
      String argument = arguments.get(i);
      if (!argument.startsWith("--") || argument.length() == 2) {
        problems.add("flags: " + argument + " is not of the form --setting=value");
        continue;
      }
      int equals = argument.indexOf('=');
      String flag = equals < 0 ? argument : argument.substring(0, equals);
      String name = flag.substring(2);
      SettingSpec setting = byName.get(name);
      if (equals >= 0) {
        values.add(new GivenValue(name, argument.substring(equals + 1), flag));
      } else if (setting != null && setting.type() == boolean.class) {
        values.add(new GivenValue(name, "true", flag));
      } else if (i + 1 < arguments.size() && !arguments.get(i + 1).startsWith("--")) {
        values.add(new GivenValue(name, arguments.get(++i), flag));
      } else if (setting != null) {
        problems.add("flags: " + flag + " needs a value: " + flag + "=<" + setting.kind() + ">");
      } else {
        values.add(new GivenValue(name, "", flag));
      }
    }
    return values;
  }
}
