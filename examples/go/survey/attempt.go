package survey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	troupev1 "github.com/troupe-dev/troupe/proto/gen/go/troupe/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

type payload struct {
	Path     string  `json:"path"`
	Language string  `json:"language"`
	PauseMs  float64 `json:"pause_ms"`
}

type result struct {
	Path         string `json:"path"`
	Language     string `json:"language"`
	Lines        int    `json:"lines"`
	Declarations int    `json:"declarations"`
	Imports      int    `json:"imports"`
	Todos        int    `json:"todos"`
	Worker       string `json:"worker"`
}

// refusal ends an attempt with a failure.
type refusal struct {
	kind, message string
	final         bool
}

func (r refusal) Error() string { return r.message }

// survey works on one attempt and reports how it ended, unless the attempt was taken away.
func (w *Worker) survey(ctx context.Context, task *troupev1.LeasedTask) {
	attempt := task.GetAttempt()
	key := keyOf(attempt)
	done, err := w.count(ctx, task)
	w.mutex.Lock()
	defer w.mutex.Unlock()
	cancel := w.running[key]
	if cancel == nil || ctx.Err() != nil {
		return
	}
	cancel()
	delete(w.running, key)
	if err == nil {
		w.report(key, troupev1.ReportKind_REPORT_KIND_COMPLETE, &troupev1.WorkRequest{
			Message: &troupev1.WorkRequest_Complete{
				Complete: &troupev1.AttemptComplete{Attempt: attempt, Result: done},
			},
		})
		return
	}
	failure := &troupev1.Failure{Kind: "internal", Message: err.Error()}
	var refused refusal
	if errors.As(err, &refused) {
		failure.Kind = refused.kind
		failure.NonRetryable = refused.final
	}
	w.report(key, troupev1.ReportKind_REPORT_KIND_FAIL, &troupev1.WorkRequest{
		Message: &troupev1.WorkRequest_Fail{Fail: &troupev1.AttemptFail{Attempt: attempt, Failure: failure}},
	})
}

func (w *Worker) count(ctx context.Context, task *troupev1.LeasedTask) ([]byte, error) {
	var asked payload
	if err := json.Unmarshal(task.GetSpec().GetPayload(), &asked); err != nil || asked.Path == "" {
		return nil, refusal{"bad_payload", fmt.Sprintf("payload: %v (expected: JSON with path)", err), true}
	}
	if asked.Language == "" {
		asked.Language = LanguageOf(asked.Path)
	}
	if asked.PauseMs > 0 && task.GetAttemptNumber() == 1 {
		wait(ctx, time.Duration(asked.PauseMs*float64(time.Millisecond)))
	}
	content, err := w.read(asked.Path)
	if err != nil {
		return nil, refusal{"unreadable", err.Error(), true}
	}
	w.reportHalfWay(task.GetAttempt())
	counts := Count(asked.Language, content)
	if counts.Todos > 0 {
		if err := w.publish(ctx, task.GetAttempt(), asked.Path, counts.Todos); err != nil {
			return nil, err
		}
	}
	return json.Marshal(result{
		asked.Path, asked.Language, counts.Lines, counts.Declarations, counts.Imports, counts.Todos,
		w.options.WorkerID,
	})
}

// read reads a file of the surveyed directory and none outside, whatever the task's producer wrote.
func (w *Worker) read(path string) ([]byte, error) {
	root, err := os.OpenRoot(w.options.Root)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.ReadFile(path)
}

func (w *Worker) reportHalfWay(attempt *troupev1.Attempt) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	key := keyOf(attempt)
	if w.running[key] == nil {
		return
	}
	w.report(key, troupev1.ReportKind_REPORT_KIND_PROGRESS, &troupev1.WorkRequest{
		Message: &troupev1.WorkRequest_Progress{Progress: &troupev1.AttemptProgress{
			Attempt:  attempt,
			Progress: &troupev1.Progress{Fraction: 0.5},
		}},
	})
}

func (w *Worker) publish(ctx context.Context, attempt *troupev1.Attempt, path string, todos int) error {
	text, err := json.Marshal(map[string]any{"path": path, "todos": todos})
	if err != nil {
		return err
	}
	request := &troupev1.PublishRequest{
		Namespace: w.options.Namespace,
		Topic:     "survey.findings",
		Event: &troupev1.Event{
			// The same for every repeat of this attempt, so that it is taken once.
			Id:              fmt.Sprintf("%s/%d", attempt.GetTaskId(), attempt.GetFencingToken()),
			Source:          "agents/" + w.options.WorkerID,
			Type:            "survey.finding",
			Subject:         path,
			Datacontenttype: "application/json",
			Data:            &troupev1.Event_TextData{TextData: string(text)},
		},
	}
	var retry backoff
	for {
		call, cancel := context.WithTimeout(ctx, callTimeout)
		_, err := w.events.Publish(call, request)
		cancel()
		switch status.Code(err) {
		case codes.OK:
			return nil
		case codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted:
			retry.pause(ctx)
		default:
			return refusal{"publish_refused", err.Error(), false}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}
