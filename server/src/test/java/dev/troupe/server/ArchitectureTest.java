package dev.troupe.server;

import static com.tngtech.archunit.base.DescribedPredicate.alwaysTrue;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import dev.troupe.server.agent.AgentDirectory;
import dev.troupe.server.agent.SessionEnd;
import dev.troupe.server.agent.SessionEndListener;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;

/** The shape of the house, kept by the build. */
@AnalyzeClasses(
    packages = "dev.troupe.server",
    importOptions = ImportOption.DoNotIncludeTests.class)
final class ArchitectureTest {

  private static final String[] FEATURES = {
    "..server.task..",
    "..server.event..",
    "..server.agent..",
    "..server.lock..",
    "..server.memory.."
  };

  /** What agents offer to other features: to hear of a session's end, and to find agents. */
  private static final DescribedPredicate<JavaClass> SMALL_INTERFACES =
      belongToAnyOf(SessionEnd.class, SessionEndListener.class, AgentDirectory.class);

  @ArchTest
  static final ArchRule PACKAGES_FORM_NO_CYCLES =
      slices()
          .matching("dev.troupe.server.(*)..")
          .should()
          .beFreeOfCycles()
          .because("a cycle is one package in two places");

  @ArchTest
  static final ArchRule FEATURES_STAND_ALONE =
      slices()
          .matching("dev.troupe.server.(task|event|agent|lock|memory)..")
          .should()
          .notDependOnEachOther()
          .ignoreDependency(alwaysTrue(), SMALL_INTERFACES)
          .because("what two features share belongs to a kernel, or to a small interface");

  @ArchTest
  static final ArchRule KERNELS_KNOW_NO_FEATURE =
      noClasses()
          .that()
          .resideInAnyPackage(
              "..server.grpc..",
              "..server.redis..",
              "..server.log..",
              "..server.outbox..",
              "..server.config..",
              "..server.lifecycle..",
              "..server.telemetry..",
              "..server.error..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(FEATURES)
          .because("a kernel serves features that are yet to be written");

  @ArchTest
  static final ArchRule ONLY_THE_REDIS_AND_LOG_KERNELS_TOUCH_REDISSON =
      noClasses()
          .that()
          .resideOutsideOfPackages("..server.redis..", "..server.log..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.redisson..")
          .because("no driver type may cross a store's face");

  @ArchTest
  static final ArchRule STORES_KNOW_NO_GRPC =
      noClasses()
          .that()
          .haveSimpleNameEndingWith("Store")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.grpc..")
          .because("a store speaks the domain");

  @ArchTest
  static final ArchRule NOBODY_WAITS_FOR_A_STAGE =
      noClasses()
          .that()
          .resideInAnyPackage(
              "..server.task..",
              "..server.event..",
              "..server.agent..",
              "..server.lock..",
              "..server.memory..",
              "..server.log..",
              "..server.grpc..")
          .should()
          .callMethod(CompletableFuture.class, "join")
          .orShould()
          .callMethod(CompletableFuture.class, "get")
          .orShould()
          .callMethod(Thread.class, "sleep", long.class)
          .because("a blocked event loop stops every call on it");

  @ArchTest
  static final ArchRule NOBODY_ASKS_THE_CLOCK_OF_THE_MACHINE =
      noClasses()
          .should()
          .callMethod(Instant.class, "now")
          .orShould()
          .callMethod(System.class, "currentTimeMillis")
          .because("the clock of Redis decides, and others are injected");
}
