package dev.troupe.server.agent;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.StatusMapper;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.HeartbeatOutcome;
import dev.troupe.v1.HeartbeatRequest;
import dev.troupe.v1.HeartbeatResponse;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One stream of heartbeats, of any number of agents, and of the commands for them. It reads the
 * next message, and fetches commands, only while what it sends is read.
 *
 * <p>The lock guards the fields and the calls to the caller; the store is not called under it.
 */
final class HeartbeatStream implements StreamObserver<HeartbeatRequest> {

  /** Beyond that it waits for answers before it says more. */
  private static final int MOST_UNANSWERED = 4096;

  private final HeartbeatStreams host;
  private final ServerCallStreamObserver<HeartbeatResponse> caller;

  @GuardedBy("this")
  private final Map<Place, Session> sessions = new HashMap<>();

  @GuardedBy("this")
  private boolean over;

  @GuardedBy("this")
  private boolean waitingForReady;

  @GuardedBy("this")
  private int unanswered;

  @GuardedBy("this")
  private boolean leaving;

  /** Whether a session has to fetch commands once the caller is ready. */
  @GuardedBy("this")
  private boolean owing;

  private record Place(Partition partition, String agentId) {}

  /** A session that is alive by this stream; guarded by the stream's lock. */
  private static final class Session {
    final Place place;
    final long token;

    /** Number of the last command sent, or known to be of no more use. */
    long sent;

    boolean fetching;
    boolean again;
    boolean owed;

    Session(Place place, long token) {
      this.place = place;
      this.token = token;
    }
  }

  HeartbeatStream(HeartbeatStreams host, ServerCallStreamObserver<HeartbeatResponse> caller) {
    this.host = host;
    this.caller = caller;
    caller.disableAutoRequest();
    caller.setOnReadyHandler(this::ready);
    caller.setOnCancelHandler(this::end);
    caller.setOnCloseHandler(this::end);
    caller.request(1);
  }

  @Override
  public void onNext(HeartbeatRequest request) {
    try {
      AgentChecks.heartbeat(request);
    } catch (TroupeException refusal) {
      fail(refusal);
      return;
    }
    synchronized (this) {
      unanswered++;
    }
    Beat beat = Beat.of(request);
    host.store()
        .locate(Names.namespace(request.getNamespace()), request.getAgentId())
        .thenCompose(
            partition -> {
              CompletableFuture<Runnable> bell = host.bell().hear(partition).toCompletableFuture();
              boolean heard = bell.isDone();
              return host.batcher()
                  .beat(partition, beat)
                  .thenAccept(
                      outcome -> {
                        Session session = answer(partition, beat, outcome);
                        if (session != null && !heard) {
                          // What was rung before the bell could be heard.
                          bell.thenRun(() -> fetch(session));
                        }
                      });
            })
        .whenComplete(
            (done, failure) -> {
              if (failure != null) {
                fail(failure);
              }
            });
    next();
  }

  private void next() {
    synchronized (this) {
      waitingForReady = true;
    }
    ready();
  }

  private void ready() {
    boolean ask;
    List<Session> fetching = new ArrayList<>();
    synchronized (this) {
      ask = waitingForReady && caller.isReady() && unanswered < MOST_UNANSWERED;
      if (ask) {
        waitingForReady = false;
      }
      if (owing && caller.isReady()) {
        owing = false;
        for (Session session : sessions.values()) {
          if (session.owed) {
            session.owed = false;
            fetching.add(session);
          }
        }
      }
    }
    if (ask) {
      caller.request(1);
    }
    fetching.forEach(this::fetch);
  }

  /** Answers a heartbeat; returns the session if it is alive. */
  private @Nullable Session answer(Partition partition, Beat beat, Beat.Outcome outcome) {
    HeartbeatResponse.Builder response =
        HeartbeatResponse.newBuilder()
            .setAgentId(beat.agentId())
            .setFencingToken(beat.token())
            .setOutcomeValue(outcome.code());
    if (outcome.leaseMicros() > 0) {
      response
          .setLeaseExpireTime(Timestamps.fromMicros(outcome.untilMicros()))
          .setHeartbeatInterval(Durations.fromMicros(outcome.leaseMicros() / 3));
    }
    Session session;
    boolean commanded = false;
    synchronized (this) {
      unanswered--;
      session = remember(new Place(partition, beat.agentId()), beat.token(), outcome);
      if (!over) {
        caller.onNext(response.build());
      }
      if (session != null) {
        // It may have heard of them on the stream before this one.
        session.sent = Math.max(session.sent, Math.min(beat.acknowledged(), outcome.lastCommand()));
        commanded = outcome.lastCommand() > session.sent;
      }
    }
    if (session != null && commanded) {
      fetch(session);
    }
    leaveIfAnswered();
    ready();
    return session;
  }

  @GuardedBy("this")
  private @Nullable Session remember(Place place, long token, Beat.Outcome outcome) {
    Session session = sessions.get(place);
    if (outcome.code() != HeartbeatOutcome.HEARTBEAT_OUTCOME_EXTENDED_VALUE) {
      if (session != null && session.token == token) {
        sessions.remove(place);
        host.bell().disconnected(place.partition, place.agentId, this);
      }
      return null;
    }
    if (over) {
      return null;
    }
    if (session == null || session.token != token) {
      session = new Session(place, token);
      sessions.put(place, session);
    }
    host.bell().connected(place.partition, place.agentId, this);
    return session;
  }

  /** A session was given a command. */
  void commanded(Partition partition, String agentId, long token) {
    Session session;
    synchronized (this) {
      session = sessions.get(new Place(partition, agentId));
    }
    if (session != null && session.token == token) {
      fetch(session);
    }
  }

  /** Sends what a session has not been sent yet; one fetch at a time keeps the order. */
  private void fetch(Session session) {
    long after;
    synchronized (this) {
      if (over) {
        return;
      }
      if (session.fetching) {
        session.again = true;
        return;
      }
      if (!caller.isReady()) {
        session.owed = true;
        owing = true;
        return;
      }
      session.fetching = true;
      after = session.sent;
    }
    host.commands()
        .pending(session.place.partition, session.place.agentId, session.token, after)
        .whenComplete((commands, failure) -> fetched(session, failure == null ? commands : null));
  }

  /** The next heartbeat makes up for a failure. */
  private void fetched(Session session, CommandStore.@Nullable Commands commands) {
    boolean again;
    synchronized (this) {
      session.fetching = false;
      again = session.again;
      session.again = false;
      if (commands != null && !over) {
        session.sent = Math.max(session.sent, commands.last());
        if (!commands.pending().isEmpty()) {
          caller.onNext(
              HeartbeatResponse.newBuilder()
                  .setAgentId(session.place.agentId)
                  .setFencingToken(session.token)
                  .setOutcome(HeartbeatOutcome.HEARTBEAT_OUTCOME_COMMAND)
                  .addAllCommands(commands.pending())
                  .build());
        }
      }
    }
    if (again) {
      fetch(session);
    }
  }

  private synchronized void fail(Throwable failure) {
    if (!over) {
      end();
      caller.onError(StatusMapper.toStatus(failure));
    }
  }

  /** The last message of a server that stops; the agents go on elsewhere. */
  synchronized void goAway() {
    if (!over) {
      end();
      caller.onNext(
          HeartbeatResponse.newBuilder()
              .setOutcome(HeartbeatOutcome.HEARTBEAT_OUTCOME_GO_AWAY)
              .build());
      caller.onCompleted();
    }
  }

  @Override
  public void onError(Throwable failure) {
    end();
  }

  @Override
  public void onCompleted() {
    synchronized (this) {
      leaving = true;
    }
    leaveIfAnswered();
  }

  private synchronized void leaveIfAnswered() {
    if (leaving && unanswered == 0 && !over) {
      end();
      caller.onCompleted();
    }
  }

  private synchronized void end() {
    over = true;
    host.ended(this);
    sessions
        .keySet()
        .forEach(place -> host.bell().disconnected(place.partition, place.agentId, this));
    sessions.clear();
  }
}
