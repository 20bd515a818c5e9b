package dev.troupe.server.agent;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Ports from the first to the last.
 *
 * @param first 1 or more
 * @param last 65535 or less
 */
record PortRange(int first, int last) {

  private static final int HIGHEST = 65_535;
  private static final Pattern TEXT = Pattern.compile("(\\d{1,5})-(\\d{1,5})");

  static PortRange parse(String text) {
    Matcher matcher = TEXT.matcher(text.strip());
    if (matcher.matches()) {
      int first = Integer.parseInt(matcher.group(1));
      int last = Integer.parseInt(matcher.group(2));
      if (first >= 1 && first <= last && last <= HIGHEST) {
        return new PortRange(first, last);
      }
    }
    throw new IllegalArgumentException(
        "agents.port-range: " + text + " (expected: two ports such as 20000-29999)");
  }

  int size() {
    return last - first + 1;
  }

  @Override
  public String toString() {
    return first + "-" + last;
  }
}
