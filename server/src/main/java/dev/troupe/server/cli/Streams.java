package dev.troupe.server.cli;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.Iterator;
import java.util.function.ToIntFunction;

/** Reads a server's stream up to a limit. */
final class Streams {

  private Streams() {}

  /**
   * Hands out responses until the limit is reached or the time is up. A stream that the server ends
   * before, or one that it never begins, has failed, as these streams have no end of their own.
   *
   * @param limit how many items to read; 0 means no limit
   * @param bounded whether the end of the time is a wanted end
   * @param take handles one response and returns how many items it held
   * @return OK, or TIMED_OUT when the time was up before the limit was reached
   * @throws StatusRuntimeException when the stream has failed
   * @throws UsageException when the limit is below 0
   */
  static <R> int read(Iterator<R> responses, long limit, boolean bounded, ToIntFunction<R> take) {
    Given.limit(limit);
    long taken = 0;
    boolean begun = false;
    try {
      while (limit == 0 || taken < limit) {
        if (!responses.hasNext()) {
          throw Status.UNAVAILABLE.withDescription("the stream was ended").asRuntimeException();
        }
        taken += take.applyAsInt(responses.next());
        begun = true;
      }
    } catch (StatusRuntimeException e) {
      if (!bounded || !begun || e.getStatus().getCode() != Status.Code.DEADLINE_EXCEEDED) {
        throw e;
      }
      return limit == 0 ? ExitStatus.OK : ExitStatus.TIMED_OUT;
    }
    return ExitStatus.OK;
  }

  /**
   * What a refusal of a stream is to be told as: of its token, as wrong usage of {@code --from}.
   *
   * @param from what was given
   * @param expected what may be given
   */
  static RuntimeException refused(StatusRuntimeException refusal, String from, String expected) {
    if (!Failures.reason(refusal).equals("INVALID_RESUME_TOKEN")) {
      return refusal;
    }
    String why = String.valueOf(refusal.getStatus().getDescription());
    return new UsageException(
        "--from: "
            + from
            + " (expected: "
            + expected
            + ")\n  the server says: "
            + why.replaceFirst("^resume_token: ", ""));
  }
}
