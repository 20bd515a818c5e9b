package dev.troupe.client;

import com.google.protobuf.ByteString;
import java.util.concurrent.CompletionStage;

/** Works on one task without holding a thread. */
@FunctionalInterface
public interface AsyncTaskHandler {

  /**
   * Begins and returns at once; the stage ends like {@link TaskHandler#handle}. It has to watch
   * {@link TaskContext#stopped} itself.
   */
  CompletionStage<ByteString> handle(TaskContext task);
}
