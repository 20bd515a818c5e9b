package dev.troupe.server.memory;

import dev.troupe.server.log.LogPosition;
import dev.troupe.server.memory.search.DumpWriter;
import dev.troupe.server.redis.Partition;
import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A dump that is being written, beside the one that it takes the place of. */
final class NewDump implements Closeable {

  private final Path place;
  private final Path draft;
  private final FileChannel channel;
  private final DumpWriter out;
  private long items;

  NewDump(Partition partition, Path place, Path draft) throws IOException {
    this.place = place;
    this.draft = draft;
    Files.deleteIfExists(draft);
    channel =
        FileChannel.open(
                draft,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))
            .position(DumpHeader.BYTES);
    out = new DumpWriter(channel);
    out.text(partition.toString());
  }

  /** Writes spaces as they are now or in a moment, while they change. */
  void write(Map<String, IndexedSpace> spaces) throws IOException {
    List<Map.Entry<String, IndexedSpace>> all = List.copyOf(spaces.entrySet());
    out.number(all.size());
    for (Map.Entry<String, IndexedSpace> space : all) {
      out.text(space.getKey());
      space.getValue().dump(out);
      items += space.getValue().index().size();
    }
    out.end();
  }

  /** Takes the place; see {@link DumpHeader}. */
  DumpHeader commit(long epoch, LogPosition at, LogPosition seen) throws IOException {
    DumpHeader header = new DumpHeader(epoch, at, seen, items, out.length(), out.checksum());
    header.write(channel);
    channel.force(false);
    channel.close();
    Files.move(draft, place, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    return header;
  }

  /** Nothing is left of one that was not committed. */
  @Override
  public void close() throws IOException {
    channel.close();
    Files.deleteIfExists(draft);
  }
}
