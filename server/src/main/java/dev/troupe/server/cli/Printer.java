package dev.troupe.server.cli;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import java.io.PrintWriter;
import java.util.List;
import java.util.function.Function;

/** Prints messages in the format that was asked for. */
final class Printer {

  // Fields at their default are printed too, so that scripts find what they look for.
  private static final JsonFormat.Printer JSON =
      JsonFormat.printer().alwaysPrintFieldsWithNoPresence().omittingInsignificantWhitespace();

  private final PrintWriter out;
  private final OutputFormat format;

  Printer(PrintWriter out, OutputFormat format) {
    this.out = out;
    this.format = format;
  }

  /** A list: a table, or one document per line. */
  <M extends MessageOrBuilder> void list(
      List<M> messages, List<String> headings, Function<M, List<String>> row) {
    if (format == OutputFormat.JSON) {
      messages.forEach(this::json);
      return;
    }
    Table table = new Table(headings.toArray(String[]::new));
    messages.forEach(message -> table.add(row.apply(message).toArray(String[]::new)));
    table.print(out);
  }

  /** One thing: a document, or a line per field; names and values take turns. */
  void one(MessageOrBuilder message, String... namesAndValues) {
    if (format == OutputFormat.JSON) {
      json(message);
      return;
    }
    Table table = new Table();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      table.add(namesAndValues[i], namesAndValues[i + 1]);
    }
    table.print(out);
  }

  /** One message of a stream, which is printed at once. */
  void next(MessageOrBuilder message, String... cells) {
    if (format == OutputFormat.JSON) {
      json(message);
    } else {
      out.println(String.join("  ", List.of(cells).stream().map(Text::printable).toList()));
      out.flush();
    }
  }

  private void json(MessageOrBuilder message) {
    try {
      out.println(JSON.print(message));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("the server's answer has no JSON form", e);
    }
    out.flush();
  }
}
