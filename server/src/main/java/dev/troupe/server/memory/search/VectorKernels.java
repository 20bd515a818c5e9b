package dev.troupe.server.memory.search;

import java.lang.reflect.InvocationTargetException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Chooses the loops once per process. */
final class VectorKernels {

  private static final Logger LOG = LoggerFactory.getLogger(VectorKernels.class);
  private static final VectorKernel FASTEST = choose();
  private static final VectorKernel BEST =
      FASTEST instanceof PlainKernel ? FASTEST : new WarmingKernel(FASTEST);

  private VectorKernels() {}

  /** The one to be used. */
  static VectorKernel best() {
    return BEST;
  }

  /** The fastest that this JVM can run once it is compiled. */
  static VectorKernel fastest() {
    return FASTEST;
  }

  private static VectorKernel choose() {
    if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
      return new PlainKernel();
    }
    try {
      // By name: a reference would need the module wherever this class is linked.
      return Class.forName("dev.troupe.server.memory.search.SimdKernel")
          .asSubclass(VectorKernel.class)
          .getDeclaredConstructor()
          .newInstance();
    } catch (InvocationTargetException | ExceptionInInitializerError e) {
      LOG.debug("vectors by plain loops", e);
      return new PlainKernel();
    } catch (ReflectiveOperationException | LinkageError e) {
      LOG.warn("jdk.incubator.vector is there, but not the one this was built for: plain loops", e);
      return new PlainKernel();
    }
  }
}
