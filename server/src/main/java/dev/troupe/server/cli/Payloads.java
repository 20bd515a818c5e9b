package dev.troupe.server.cli;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Data given as text, in a file, or on standard input. */
final class Payloads {

  private Payloads() {}

  /** The data; a file named {@code -} stands for standard input. Empty when none is given. */
  static ByteString read(Optional<String> text, Optional<String> file, Console console)
      throws IOException {
    if (text.isPresent() && file.isPresent()) {
      throw new UsageException("the data was given twice: as text and as a file");
    }
    if (text.isPresent()) {
      return ByteString.copyFromUtf8(text.get());
    }
    if (file.isEmpty()) {
      return ByteString.EMPTY;
    }
    if (file.get().equals("-")) {
      return ByteString.readFrom(console.in());
    }
    return ByteString.copyFrom(Files.readAllBytes(Path.of(file.get())));
  }
}
