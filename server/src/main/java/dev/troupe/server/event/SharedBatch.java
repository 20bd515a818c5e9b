package dev.troupe.server.event;

import dev.troupe.server.grpc.EncodedMessage;
import dev.troupe.server.grpc.StreamFormat.Portion;
import dev.troupe.server.grpc.StreamFormat.Slice;
import java.lang.ref.WeakReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The message made last for readers of one filter and one partition. Readers in step, however many,
 * get the same one: same page, same place, same token. Thread-safe.
 */
final class SharedBatch {

  /** Until the next collection of garbage: readers in step are a moment apart. */
  private volatile WeakReference<@Nullable Made> last = new WeakReference<>(null);

  private record Made(Slice slice, Portion<EncodedMessage> portion) {

    boolean isFor(Slice other) {
      return slice.page() == other.page()
          && slice.from() == other.from()
          && slice.most() == other.most()
          && slice.told() == other.told()
          && slice.epoch() == other.epoch()
          && slice.keep() == other.keep();
    }
  }

  /** The message for a slice: the last one made, or a new one. */
  Portion<EncodedMessage> of(Slice slice, Supplier<Portion<EncodedMessage>> make) {
    Made known = last.get();
    if (known != null && known.isFor(slice)) {
      return known.portion();
    }
    Portion<EncodedMessage> portion = make.get();
    last = new WeakReference<>(new Made(slice, portion));
    return portion;
  }
}
