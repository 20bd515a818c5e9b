package dev.troupe.server.grpc;

import java.util.concurrent.CompletionStage;

/** Streams that are told when the server stops, before the door closes. */
public interface Drainable {

  /** Lets work in hand finish; complete when all streams have ended. Bounded in time by itself. */
  CompletionStage<?> drain();
}
