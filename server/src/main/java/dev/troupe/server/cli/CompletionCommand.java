package dev.troupe.server.cli;

import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code troupe completion}: what a shell needs to complete our command lines. */
@Command(
    name = "completion",
    mixinStandardHelpOptions = true,
    description = "Prints a shell completion script: source <(troupe completion bash)")
final class CompletionCommand implements Callable<Integer> {

  enum Shell {
    BASH,
    ZSH
  }

  private final Console console;
  private final Supplier<String> script;

  // One script serves both: it recognises zsh and loads its emulation of bash's completion.
  @Parameters(paramLabel = "SHELL", description = "bash or zsh.")
  Shell shell = Shell.BASH;

  CompletionCommand(Console console, Supplier<String> script) {
    this.console = console;
    this.script = script;
  }

  @Override
  public Integer call() {
    console.out().print(script.get());
    console.out().flush();
    return ExitStatus.OK;
  }
}
