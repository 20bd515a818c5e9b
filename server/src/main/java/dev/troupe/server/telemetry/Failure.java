package dev.troupe.server.telemetry;

import ch.qos.logback.classic.pattern.ThrowableProxyConverter;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.core.CoreConstants;
import dev.troupe.server.error.TroupeException;
import java.util.concurrent.CompletionException;

/**
 * What comes behind a message of the log when something failed: of a refusal its reason, as the
 * line that names what was refused says the rest and there is one for each duty while Redis is
 * away; of all else where in the code it came from.
 */
public final class Failure extends ThrowableProxyConverter {

  /** Characters of a cause's message; drivers put whole commands into theirs. */
  private static final int MOST = 200;

  @Override
  protected String throwableProxyToString(IThrowableProxy failure) {
    IThrowableProxy cause =
        isA(CompletionException.class, failure) && failure.getCause() != null
            ? failure.getCause()
            : failure;
    return isA(TroupeException.class, cause)
        ? ": " + cause.getMessage() + root(cause) + CoreConstants.LINE_SEPARATOR
        : CoreConstants.LINE_SEPARATOR + super.throwableProxyToString(failure);
  }

  /** The innermost cause, such as the answer of Redis, in a line. */
  private static String root(IThrowableProxy failure) {
    IThrowableProxy root = failure;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    if (root == failure) {
      return "";
    }
    String kind = root.getClassName().replaceAll(".*[.$]", "");
    String message = String.valueOf(root.getMessage()).lines().findFirst().orElse("");
    return " (" + kind + ": " + message.substring(0, Math.min(MOST, message.length())) + ")";
  }

  @Override
  public String convert(ILoggingEvent event) {
    String failure = super.convert(event);
    return failure.isEmpty() ? CoreConstants.LINE_SEPARATOR : failure;
  }

  private static boolean isA(Class<?> kind, IThrowableProxy failure) {
    return failure.getClassName().equals(kind.getName());
  }
}
