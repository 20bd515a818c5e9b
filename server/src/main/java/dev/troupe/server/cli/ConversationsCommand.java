package dev.troupe.server.cli;

import dev.troupe.v1.AppendTurnsRequest;
import dev.troupe.v1.AppendTurnsResponse;
import dev.troupe.v1.ConversationInfo;
import dev.troupe.v1.DeleteConversationRequest;
import dev.troupe.v1.DeleteConversationResponse;
import dev.troupe.v1.GetWindowRequest;
import dev.troupe.v1.GetWindowResponse;
import dev.troupe.v1.ListConversationsRequest;
import dev.troupe.v1.ListConversationsResponse;
import dev.troupe.v1.MemoryServiceGrpc;
import dev.troupe.v1.MemoryServiceGrpc.MemoryServiceBlockingStub;
import dev.troupe.v1.SetSummaryRequest;
import dev.troupe.v1.SetSummaryResponse;
import dev.troupe.v1.Summary;
import dev.troupe.v1.Turn;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code troupe memory conversations}: what was said, turn by turn. */
@Command(
    name = "conversations",
    mixinStandardHelpOptions = true,
    description = "Conversations of a space: what was said, turn by turn.")
final class ConversationsCommand {

  private static final int LARGEST_PAGE = 500;

  private final Console console;

  ConversationsCommand(Console console) {
    this.console = console;
  }

  /** Which conversation is meant. */
  static final class Which {

    @Parameters(index = "0", paramLabel = "SPACE", description = "The space.")
    String space = "";

    @Parameters(index = "1", paramLabel = "CONVERSATION", description = "Its name.")
    String name = "";
  }

  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      description = "Lists the conversations of a space.")
  int list(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "SPACE", description = "The space.") String space,
      @Option(names = "--prefix", defaultValue = "", description = "Only names that begin so.")
          String prefix,
      @Option(names = "--limit", defaultValue = "100", description = "How many; 0 means all.")
          int limit) {
    ListConversationsRequest.Builder request =
        ListConversationsRequest.newBuilder()
            .setNamespace(options.namespace)
            .setSpace(space)
            .setPrefix(prefix);
    try (Connection connection = options.connect()) {
      List<ConversationInfo> conversations =
          Pages.read(
              limit,
              LARGEST_PAGE,
              (size, token) ->
                  stub(connection, options)
                      .listConversations(request.setPageSize(size).setPageToken(token).build()),
              ListConversationsResponse::getConversationsList,
              ListConversationsResponse::getNextPageToken);
      new Printer(console.out(), options.output)
          .list(
              conversations,
              List.of("CONVERSATION", "FIRST TURN", "LAST TURN", "UPDATED", "UNTIL"),
              conversation ->
                  List.of(
                      conversation.getConversation(),
                      Long.toString(conversation.getFirstTurn()),
                      Long.toString(conversation.getLastTurn()),
                      Text.of(conversation.getUpdateTime()),
                      Text.of(conversation.getExpireTime())));
    }
    return ExitStatus.OK;
  }

  @Command(
      name = "append",
      mixinStandardHelpOptions = true,
      description = "Appends a turn to a conversation, which begins with its first one.")
  int append(
      @Mixin ServerOptions options,
      @Mixin Which which,
      @Parameters(index = "2", paramLabel = "TEXT", description = "What is said.") String text,
      @Option(
              names = "--role",
              defaultValue = "user",
              description = "Who speaks, such as user or assistant (default: ${DEFAULT-VALUE}).")
          String role,
      @Option(
              names = "--tokens",
              paramLabel = "N",
              defaultValue = "0",
              description = "Its length in tokens (default: as the server estimates).")
          int tokens,
      @Option(names = "--attribute", description = "KEY=VALUE; repeatable.")
          @Nullable Map<String, String> attributes,
      @Option(
              names = "--expected-last-turn",
              paramLabel = "N",
              description = "Only behind this turn; 0: only as the first one.")
          Optional<Long> last) {
    AppendTurnsRequest.Builder request =
        AppendTurnsRequest.newBuilder()
            .setNamespace(options.namespace)
            .setSpace(which.space)
            .setConversation(which.name)
            .addTurns(
                Turn.newBuilder()
                    .setRole(role)
                    .setText(text)
                    .setTokens(tokens)
                    .putAllAttributes(Given.map(attributes)))
            .setRequestId(UUID.randomUUID().toString());
    last.ifPresent(request::setExpectedLastTurn);
    try (Connection connection = options.connect()) {
      AppendTurnsResponse response = stub(connection, options).appendTurns(request.build());
      new Printer(console.out(), options.output)
          .one(
              response,
              "turn",
              Long.toString(response.getLastTurn()),
              "revision",
              Long.toString(response.getRevision()));
    }
    return ExitStatus.OK;
  }

  @Command(
      name = "window",
      mixinStandardHelpOptions = true,
      description = "Shows the last turns of a conversation, oldest first, and its summary.")
  int window(
      @Mixin ServerOptions options,
      @Mixin Which which,
      @Option(
              names = "--last",
              paramLabel = "N",
              defaultValue = "0",
              description = "How many turns at most, up to 1000 (default: 100).")
          int turns,
      @Option(
              names = "--max-tokens",
              paramLabel = "N",
              defaultValue = "0",
              description = "How many tokens they may have together; 0 means any.")
          long tokens,
      @Option(
              names = "--before",
              paramLabel = "TURN",
              defaultValue = "0",
              description = "Only turns before this one.")
          long before,
      @Option(names = "--after-summary", description = "Only turns that the summary leaves out.")
          boolean afterSummary) {
    try (Connection connection = options.connect()) {
      GetWindowResponse window =
          stub(connection, options)
              .getWindow(
                  GetWindowRequest.newBuilder()
                      .setNamespace(options.namespace)
                      .setSpace(which.space)
                      .setConversation(which.name)
                      .setMaxTurns(turns)
                      .setMaxTokens(tokens)
                      .setBeforeTurn(before)
                      .setAfterSummary(afterSummary)
                      .build());
      if (options.output == OutputFormat.JSON) {
        new Printer(console.out(), options.output).one(window);
      } else {
        print(window);
      }
    }
    return ExitStatus.OK;
  }

  private void print(GetWindowResponse window) {
    Table table = new Table("TURN", "TIME", "ROLE", "TOKENS", "TEXT");
    if (window.hasSummary()) {
      Summary summary = window.getSummary();
      table.add(
          "1-" + summary.getLastTurn(),
          Text.of(summary.getTime()),
          "(summary " + summary.getVersion() + ")",
          "",
          summary.getText());
    }
    for (Turn turn : window.getTurnsList()) {
      table.add(
          Long.toString(turn.getNumber()),
          Text.of(turn.getTime()),
          turn.getRole(),
          Integer.toString(turn.getTokens()),
          turn.getText());
    }
    table.print(console.out());
    if (window.getTruncated() && window.getTurnsCount() > 0) {
      console.err().println("more before these: --before " + window.getTurns(0).getNumber());
      console.err().flush();
    }
  }

  @Command(
      name = "summarise",
      mixinStandardHelpOptions = true,
      description = "Sets the summary of a conversation up to a turn.")
  int summarise(
      @Mixin ServerOptions options,
      @Mixin Which which,
      @Parameters(index = "2", paramLabel = "TEXT", description = "The summary.") String text,
      @Option(
              names = "--up-to",
              paramLabel = "TURN",
              required = true,
              description = "The last turn that it covers.")
          long last,
      @Option(
              names = "--expected-version",
              paramLabel = "N",
              defaultValue = "0",
              description = "Of the summary that it replaces; 0: there is none yet.")
          long version,
      @Option(
              names = "--keep",
              paramLabel = "N",
              description = "Delete the turns that it covers but for the last so many.")
          Optional<Integer> keep) {
    SetSummaryRequest.Builder request =
        SetSummaryRequest.newBuilder()
            .setNamespace(options.namespace)
            .setSpace(which.space)
            .setConversation(which.name)
            .setText(text)
            .setLastTurn(last)
            .setExpectedVersion(version)
            .setRequestId(UUID.randomUUID().toString());
    keep.ifPresent(request::setKeepTurns);
    try (Connection connection = options.connect()) {
      SetSummaryResponse response = stub(connection, options).setSummary(request.build());
      new Printer(console.out(), options.output)
          .one(
              response,
              "up to turn",
              Long.toString(response.getSummary().getLastTurn()),
              "version",
              Long.toString(response.getSummary().getVersion()),
              "revision",
              Long.toString(response.getRevision()));
    }
    return ExitStatus.OK;
  }

  @Command(
      name = "delete",
      mixinStandardHelpOptions = true,
      description = "Deletes a conversation with its turns and summary.")
  int delete(@Mixin ServerOptions options, @Mixin Which which) {
    try (Connection connection = options.connect()) {
      DeleteConversationResponse response =
          stub(connection, options)
              .deleteConversation(
                  DeleteConversationRequest.newBuilder()
                      .setNamespace(options.namespace)
                      .setSpace(which.space)
                      .setConversation(which.name)
                      .setRequestId(UUID.randomUUID().toString())
                      .build());
      new Printer(console.out(), options.output)
          .one(response, "deleted", response.getDeleted() ? "yes" : "no, there was none");
    }
    return ExitStatus.OK;
  }

  private static MemoryServiceBlockingStub stub(Connection connection, ServerOptions options) {
    return Connection.within(
        MemoryServiceGrpc.newBlockingStub(connection.channel()), options.timeoutOrUsual());
  }
}
