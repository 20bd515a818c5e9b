package dev.troupe.server.event;

import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.grpc.Checks;
import dev.troupe.v1.Event;
import dev.troupe.v1.Recipients;
import dev.troupe.v1.ReplyRequest;
import dev.troupe.v1.RequestRequest;
import dev.troupe.v1.SendMessageRequest;
import java.time.Duration;

/** What the contract demands of messages to agents. */
final class MessageChecks {

  private static final int RECIPIENTS = 256;
  private static final int CAPABILITIES = 16;

  /** The name of an inbox is that of the agent behind "inbox.". */
  private static final int AGENT_BYTES = Checks.NAME_BYTES - Inboxes.PREFIX.length();

  private MessageChecks() {}

  static void send(SendMessageRequest request, long maxData) {
    Checks checks = new Checks().namespace(request.getNamespace());
    if (request.hasTo()) {
      recipients(checks, request.getTo());
    } else {
      checks.violation("to", "required");
    }
    PublishChecks.event(checks, "message", request.hasMessage(), request.getMessage(), maxData);
    checks.requestId(request.getRequestId()).fence(request.hasFence(), request.getFence()).done();
  }

  private static void recipients(Checks checks, Recipients to) {
    boolean byId = to.getAgentIdsCount() > 0;
    boolean byKind = !to.getType().isEmpty() || to.getCapabilitiesCount() > 0;
    checks.that(byId || to.getAll() || byKind, "to", "empty (expected agent_ids, all, or a kind)");
    checks.that(
        !byId || (!to.getAll() && !byKind), "to.agent_ids", "not together with other recipients");
    checks.atMost("to.agent_ids", to.getAgentIdsCount(), RECIPIENTS);
    for (int i = 0; i < Math.min(to.getAgentIdsCount(), RECIPIENTS); i++) {
      agent(checks, "to.agent_ids[" + i + "]", to.getAgentIds(i));
    }
    checks.optionalName("to.type", to.getType());
    checks.names("to.capabilities", to.getCapabilitiesList(), CAPABILITIES);
  }

  private static void agent(Checks checks, String field, String id) {
    checks.that(!id.isEmpty(), field, "required").text(field, id, AGENT_BYTES);
  }

  static void request(RequestRequest request, long maxData) {
    Checks checks = new Checks().namespace(request.getNamespace());
    agent(checks, "agent_id", request.getAgentId());
    PublishChecks.event(checks, "message", request.hasMessage(), request.getMessage(), maxData);
    checks.that(
        request.getMessage().getReplyTo().isEmpty(), "message.reply_to", "set by the server");
    checks.that(request.hasWait(), "wait", "required");
    checks.duration(
        "wait", request.hasWait(), request.getWait(), Duration.ofMillis(1), Duration.ofMinutes(10));
    checks.requestId(request.getRequestId()).fence(request.hasFence(), request.getFence()).done();
  }

  static void reply(ReplyRequest request, long maxData) {
    Checks checks = new Checks().namespace(request.getNamespace());
    Event asked = request.getRequest();
    checks.that(request.hasRequest(), "request", "required");
    if (request.hasRequest()) {
      checks.optionalName("request.id", asked.getId());
      checks.name("request.correlation_id", asked.getCorrelationId());
      checks.name("request.reply_to", asked.getReplyTo());
      checks.that(
          asked.getReplyTo().equals(Inboxes.REPLIES)
              || !asked.getReplyTo().startsWith(EventFilter.SYSTEM),
          "request.reply_to",
          "one of the server's own topics");
      checks.that(asked.getReplyTo().indexOf('*') < 0, "request.reply_to", "'*' is for patterns");
      checks.that(
          !asked.hasReplyDeadline() || Timestamps.isValid(asked.getReplyDeadline()),
          "request.reply_deadline",
          "not a valid timestamp");
    }
    PublishChecks.event(checks, "reply", request.hasReply(), request.getReply(), maxData);
    checks.requestId(request.getRequestId()).fence(request.hasFence(), request.getFence()).done();
  }

  /** How long a request waits, in milliseconds, at least one. */
  static long waitMillis(RequestRequest request) {
    return Math.max(1, Durations.toMillis(request.getWait()));
  }
}
