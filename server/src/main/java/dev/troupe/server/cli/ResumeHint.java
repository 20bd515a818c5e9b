package dev.troupe.server.cli;

/** How far a stream was read, told when the command ends: by itself, or by Ctrl-C. */
final class ResumeHint implements AutoCloseable {

  private final Console console;
  private final Thread interrupted = new Thread(this::tell, "tells how to resume");
  private volatile String token = "";
  private volatile boolean empty = true;

  ResumeHint(Console console) {
    this.console = console;
    Runtime.getRuntime().addShutdownHook(interrupted);
  }

  /** A response was read that came with a token. */
  void at(String resumeToken) {
    token = resumeToken;
  }

  /** Something was read that was asked for. */
  void read() {
    empty = false;
  }

  /** Says something that is no part of what was asked for. */
  void say(String text) {
    console.err().println(text);
    console.err().flush();
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(interrupted);
    } catch (IllegalStateException e) {
      // It is being told.
      return;
    }
    tell();
  }

  private void tell() {
    if (!token.isEmpty()) {
      if (empty) {
        say("nothing came");
      }
      say("to go on from here: --from " + token);
    }
  }
}
