package dev.troupe.server.lock;

import com.google.protobuf.ByteString;
import dev.troupe.server.redis.Reply;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Some names in the order of their bytes.
 *
 * @param more whether there may be others behind them
 */
record NamePage(List<String> names, boolean more) {

  private static final Comparator<ByteString> BYTES =
      ByteString.unsignedLexicographicalComparator();

  /** Puts together what {@code lock/list} found: two lists, each cut off somewhere. */
  static NamePage of(Reply reply, int most) {
    TreeSet<ByteString> names = new TreeSet<>(BYTES);
    ByteString end = null;
    boolean more = false;
    for (int at = 1; at < reply.size(); at += 2) {
      Reply list = reply.nested(at + 1);
      for (int i = 0; i < list.size(); i++) {
        names.add(list.bytes(i));
      }
      if (reply.number(at) == 1) {
        more = true;
        // Behind the end of a list that was cut there may be names that are not known yet.
        end = lesser(end, list.bytes(list.size() - 1));
      }
    }
    List<String> page = new ArrayList<>();
    for (ByteString name : end == null ? names : names.headSet(end, true)) {
      if (page.size() == most) {
        more = true;
        break;
      }
      page.add(name.toStringUtf8());
    }
    return new NamePage(page, more);
  }

  private static ByteString lesser(@Nullable ByteString one, ByteString other) {
    return one == null || BYTES.compare(other, one) < 0 ? other : one;
  }
}
