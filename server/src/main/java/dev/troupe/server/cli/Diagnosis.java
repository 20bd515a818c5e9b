package dev.troupe.server.cli;

/**
 * What one check of {@code troupe doctor} found.
 *
 * @param subject what was looked at
 * @param ok whether it is as it should be
 * @param finding what was found
 * @param advice what to do about it; empty when nothing
 */
record Diagnosis(String subject, boolean ok, String finding, String advice) {

  static Diagnosis ok(String subject, String finding) {
    return new Diagnosis(subject, true, finding, "");
  }

  static Diagnosis fail(String subject, String finding, String advice) {
    return new Diagnosis(subject, false, finding, advice);
  }
}
