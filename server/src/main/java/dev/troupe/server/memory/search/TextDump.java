package dev.troupe.server.memory.search;

import java.io.Closeable;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import org.apache.lucene.index.IndexCommit;
import org.apache.lucene.index.SnapshotDeletionPolicy;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexInput;
import org.apache.lucene.store.IndexOutput;
import org.apache.lucene.util.Version;
import org.jspecify.annotations.Nullable;

/** The words of one snapshot as the files of a Lucene commit, kept as they are until closed. */
final class TextDump implements Closeable {

  private static final int PIECE = 1 << 16;

  private final Snapshot snapshot;
  private final @Nullable IndexCommit commit;
  private final SnapshotDeletionPolicy kept;

  /** Takes over a commit that is kept; null where no item has words. */
  TextDump(Snapshot snapshot, @Nullable IndexCommit commit, SnapshotDeletionPolicy kept) {
    this.snapshot = snapshot;
    this.commit = commit;
    this.kept = kept;
  }

  Snapshot snapshot() {
    return snapshot;
  }

  void write(DumpWriter out) throws IOException {
    Collection<String> names = commit == null ? List.of() : commit.getFileNames();
    out.text(Version.LATEST.toString());
    out.number(names.size());
    if (commit == null) {
      return;
    }
    byte[] piece = new byte[PIECE];
    for (String name : names) {
      try (IndexInput file = commit.getDirectory().openInput(name, IOContext.READONCE)) {
        out.text(name);
        out.number(file.length());
        for (long left = file.length(); left > 0; left -= PIECE) {
          int some = (int) Math.min(PIECE, left);
          file.readBytes(piece, 0, some);
          out.column(piece, some);
        }
      }
    }
  }

  /** The files as they were, in memory; null where there were none. */
  static @Nullable Directory read(DumpReader in) throws IOException {
    String version = in.text();
    if (!version.equals(Version.LATEST.toString())) {
      // The files are opened when somebody looks for words; nobody could read them anew then.
      throw new IOException("it is of Lucene " + version + " (expected: " + Version.LATEST + ")");
    }
    int files = in.count(Long.BYTES);
    if (files == 0) {
      return null;
    }
    Directory directory = new ByteBuffersDirectory();
    byte[] piece = new byte[PIECE];
    for (int i = 0; i < files; i++) {
      try (IndexOutput file = directory.createOutput(in.text(), IOContext.DEFAULT)) {
        for (long left = in.count(1); left > 0; left -= PIECE) {
          int some = (int) Math.min(PIECE, left);
          in.column(piece, some);
          file.writeBytes(piece, some);
        }
      }
    }
    return directory;
  }

  @Override
  public void close() throws IOException {
    if (commit != null) {
      kept.release(commit);
    }
  }
}
