package dev.troupe.server.grpc;

import io.grpc.Status;
import java.util.Set;

/**
 * What became of a call.
 *
 * @param reason of a refusal; empty when the call was taken, or refused without one
 * @param fields that a refusal names
 */
record Answer(Status.Code code, String reason, Set<String> fields) {

  static Answer taken() {
    return new Answer(Status.Code.OK, "", Set.of());
  }

  static Answer refused(Refusal refusal) {
    return new Answer(refusal.code(), refusal.reason(), refusal.fields().keySet());
  }

  boolean isTaken() {
    return code == Status.Code.OK;
  }

  boolean namesFields() {
    return reason.equals("INVALID_FIELD");
  }
}
