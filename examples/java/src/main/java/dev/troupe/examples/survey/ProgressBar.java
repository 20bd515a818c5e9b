package dev.troupe.examples.survey;

import java.io.PrintStream;
import java.util.Locale;

/**
 * Shows how far the survey is: one line that is drawn over on a terminal, a line each tenth
 * elsewhere. Not thread-safe.
 */
final class ProgressBar {

  private static final int WIDTH = 30;

  /** Set by the launcher when it writes to a terminal: Java cannot tell on its own. */
  private static final String TERMINAL = "SURVEY_TERMINAL";

  private final PrintStream out;
  private final boolean terminal;
  private final int total;
  private final long begunNanos = System.nanoTime();
  private int tenths = -1;

  ProgressBar(PrintStream out, int total) {
    this.out = out;
    this.terminal = System.getenv(TERMINAL) != null;
    this.total = total;
  }

  void show(int done, String note) {
    double share = total == 0 ? 1 : (double) done / total;
    double seconds = (System.nanoTime() - begunNanos) / 1e9;
    int full = (int) (share * WIDTH);
    String line =
        String.format(
            Locale.ROOT,
            "[%s%s] %3.0f %%  %d of %d files  %.0f/s  %s",
            "=".repeat(full),
            " ".repeat(WIDTH - full),
            share * 100,
            done,
            total,
            done / Math.max(0.001, seconds),
            note);
    if (terminal) {
      out.print("\r\u001b[K" + line);
      out.flush();
    } else if ((int) (share * 10) > tenths) {
      tenths = (int) (share * 10);
      out.println(line);
    }
  }

  /** Says something that stays. */
  void say(String text) {
    if (terminal) {
      out.print("\r\u001b[K");
    }
    out.println(text);
  }

  void finish() {
    if (terminal) {
      out.println();
    }
  }
}
