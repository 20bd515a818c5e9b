package dev.troupe.server.memory.search;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.FieldType;
import org.apache.lucene.document.NumericDocValuesField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexOptions;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.KeepOnlyLastCommitDeletionPolicy;
import org.apache.lucene.index.SnapshotDeletionPolicy;
import org.apache.lucene.index.Term;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.util.BytesRef;
import org.jspecify.annotations.Nullable;

/**
 * The words of a space's items, in a Lucene index in memory.
 *
 * <p>The writer of the space only queues what changes. Who searches next writes it and opens a
 * reader, all that is queued at once, so that many changes cost one refresh and a space that nobody
 * searches for words costs none. When much is queued the background does the writing ahead.
 */
final class TextIndex implements AutoCloseable {

  static final String TEXT = "text";
  static final String KEY = "key";
  static final String SLOT = "slot";
  static final String BORN = "born";

  private static final int WRITE_AHEAD = 512;
  private static final FieldType WORDS = new FieldType();

  static {
    WORDS.setIndexOptions(IndexOptions.DOCS_AND_FREQS);
    WORDS.setTokenized(true);
    WORDS.freeze();
  }

  private sealed interface Change {
    /** The sequence number from which on it is seen. */
    long sequence();

    record Add(long sequence, int slot, String text) implements Change {}

    record Delete(long sequence, int slot, long born) implements Change {}

    record Clear(long sequence) implements Change {}
  }

  private final Supplier<Snapshot> current;
  private final Executor background;
  private final TextAnalysis analysis;
  private final Queue<Change> changes = new ConcurrentLinkedQueue<>();
  private final AtomicInteger queued = new AtomicInteger();
  private final AtomicBoolean writingAhead = new AtomicBoolean();

  /** Keeps the files of a dump while it is written. */
  private final SnapshotDeletionPolicy dumps =
      new SnapshotDeletionPolicy(new KeepOnlyLastCommitDeletionPolicy());

  // Guarded by this.
  private @Nullable Directory files;
  private @Nullable IndexWriter writer;
  private @Nullable DirectoryReader reader;
  private boolean stale;
  private boolean closed;

  /**
   * An empty one, which takes no memory before the first text.
   *
   * @param current the snapshot that new readers of the space get
   * @param background writes ahead, at any time and on any thread
   */
  TextIndex(IndexSettings.Language language, Supplier<Snapshot> current, Executor background) {
    this.current = current;
    this.background = background;
    analysis = new TextAnalysis(language);
  }

  TextAnalysis analysis() {
    return analysis;
  }

  /** Called before the sequence number is published, as the others. */
  void add(long sequence, int slot, String text) {
    queue(new Change.Add(sequence, slot, text));
  }

  /** The version that was born at a sequence number. */
  void delete(long sequence, int slot, long born) {
    queue(new Change.Delete(sequence, slot, born));
  }

  void clear(long sequence) {
    queue(new Change.Clear(sequence));
  }

  private void queue(Change change) {
    changes.add(change);
    queued.incrementAndGet();
  }

  /** Has the background write if much is queued. Called after publishing. */
  void writeAhead() {
    if (queued.get() >= WRITE_AHEAD && writingAhead.compareAndSet(false, true)) {
      background.execute(
          () -> {
            try {
              write();
            } finally {
              writingAhead.set(false);
            }
          });
    }
  }

  /** How many changes are not written yet. */
  int backlog() {
    return queued.get();
  }

  private synchronized void write() {
    try {
      write(current.get().sequence());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * A view of the words as of the current snapshot, which it names: no change after that is in it,
   * and none before is missing.
   */
  synchronized TextView view() {
    try {
      Snapshot snapshot = current.get();
      write(snapshot.sequence());
      DirectoryReader open = refreshed();
      if (open != null) {
        open.incRef();
      }
      return new TextView(snapshot, open);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * What {@link #view} has, to be written to a file; nothing once it is closed, as the space is
   * gone then, which the log says behind the place of the dump.
   */
  synchronized TextDump dump() throws IOException {
    Snapshot snapshot = current.get();
    write(snapshot.sequence());
    if (files == null || closed) {
      return new TextDump(snapshot, null, dumps);
    }
    writer().commit();
    return new TextDump(snapshot, dumps.snapshot(), dumps);
  }

  /** Takes over the files of a dump; called before anything else. */
  synchronized void restore(@Nullable Directory dumped) {
    files = dumped;
    stale = dumped != null;
  }

  private void write(long until) throws IOException {
    for (Change next = changes.peek();
        next != null && next.sequence() <= until && !closed;
        next = changes.peek()) {
      IndexWriter to = writer();
      if (next instanceof Change.Add add) {
        to.addDocument(document(add));
      } else if (next instanceof Change.Delete delete) {
        to.deleteDocuments(new Term(KEY, key(delete.slot(), delete.born())));
      } else {
        to.deleteAll();
      }
      stale = true;
      changes.remove();
      queued.decrementAndGet();
    }
  }

  private IndexWriter writer() throws IOException {
    IndexWriter open = writer;
    if (open == null) {
      IndexWriterConfig config = new IndexWriterConfig(analysis);
      config.setMaxFullFlushMergeWaitMillis(0);
      config.setCommitOnClose(false);
      config.setIndexDeletionPolicy(dumps);
      Directory in = files == null ? new ByteBuffersDirectory() : files;
      files = in;
      open = new IndexWriter(in, config);
      writer = open;
    }
    return open;
  }

  private @Nullable DirectoryReader refreshed() throws IOException {
    if (!stale || closed) {
      return reader;
    }
    IndexWriter from = writer();
    DirectoryReader old = reader;
    DirectoryReader fresh =
        old == null ? DirectoryReader.open(from) : DirectoryReader.openIfChanged(old, from);
    stale = false;
    if (fresh != null) {
      reader = fresh;
      if (old != null) {
        old.decRef();
      }
    }
    return reader;
  }

  private static Document document(Change.Add add) {
    Document document = new Document();
    document.add(new StringField(KEY, key(add.slot(), add.sequence()), Field.Store.NO));
    document.add(new NumericDocValuesField(SLOT, add.slot()));
    document.add(new NumericDocValuesField(BORN, add.sequence()));
    document.add(new Field(TEXT, add.text(), WORDS));
    return document;
  }

  /** Of one version of one item; slots are used again, but never under the same number. */
  static BytesRef key(int slot, long born) {
    return new BytesRef(ByteBuffer.allocate(12).putLong(born).putInt(slot).array());
  }

  @Override
  public synchronized void close() {
    closed = true;
    try {
      if (reader != null) {
        reader.decRef();
        reader = null;
      }
      if (writer != null) {
        writer.rollback();
        writer = null;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
