package survey

import (
	"context"
	"log/slog"
	"os"
	"time"

	troupev1 "github.com/troupe-dev/troupe/proto/gen/go/troupe/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// stayRegistered keeps the agent's session until the context is done. It calls registered after the
// first registration, and returns an error when there is no point in going on.
func (w *Worker) stayRegistered(ctx context.Context, registered func()) error {
	var retry backoff
	for ctx.Err() == nil {
		interval, err := w.register(ctx)
		switch {
		case err == nil:
			registered()
			retry.reset()
			for alive := true; alive && ctx.Err() == nil; {
				if alive, err = w.beat(ctx, interval); err != nil {
					return err
				}
				// A stream that broke is opened anew; the session outlives it.
				retry.pause(ctx)
			}
		case status.Code(err) == codes.InvalidArgument:
			return err
		default:
			slog.Warn("agent session", "error", err)
			retry.pause(ctx)
		}
	}
	return nil
}

func (w *Worker) register(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	answer, err := w.agents.RegisterAgent(ctx, &troupev1.RegisterAgentRequest{
		Namespace:    w.options.Namespace,
		AgentId:      w.options.WorkerID,
		Type:         "surveyor",
		Status:       troupev1.AgentStatus_AGENT_STATUS_RUNNING,
		Capabilities: w.options.Capabilities,
		Host:         host,
		ProcessId:    int64(os.Getpid()),
	})
	if err != nil {
		return 0, err
	}
	w.session.Store(answer.GetAgent().GetFencingToken())
	return period(answer.GetHeartbeatInterval(), 3*time.Second), nil
}

// beat sends heartbeats until the stream ends, and says whether the session may still be alive.
func (w *Worker) beat(ctx context.Context, interval time.Duration) (bool, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := w.agents.Heartbeat(ctx)
	if err != nil {
		return true, nil
	}
	go func() {
		for ctx.Err() == nil {
			request := &troupev1.HeartbeatRequest{
				Namespace:    w.options.Namespace,
				AgentId:      w.options.WorkerID,
				FencingToken: w.session.Load(),
			}
			if w.isStopping() {
				request.Status = troupev1.AgentStatus_AGENT_STATUS_DRAINING
			}
			if stream.Send(request) != nil {
				return
			}
			wait(ctx, interval)
		}
	}()
	for {
		answer, err := stream.Recv()
		if err != nil {
			return true, nil
		}
		switch answer.GetOutcome() {
		case troupev1.HeartbeatOutcome_HEARTBEAT_OUTCOME_REPLACED:
			w.session.Store(0)
			return false, ErrReplaced
		case troupev1.HeartbeatOutcome_HEARTBEAT_OUTCOME_EXPIRED:
			return false, nil
		case troupev1.HeartbeatOutcome_HEARTBEAT_OUTCOME_GO_AWAY:
			return true, nil
		}
	}
}

func (w *Worker) deregister() {
	token := w.session.Load()
	if token == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	_, err := w.agents.DeregisterAgent(ctx, &troupev1.DeregisterAgentRequest{
		Namespace:    w.options.Namespace,
		AgentId:      w.options.WorkerID,
		FencingToken: token,
		Reason:       "stopped",
	})
	if err != nil {
		slog.Info("the session is left to expire", "error", err)
	}
}
