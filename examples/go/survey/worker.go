package survey

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	troupev1 "github.com/troupe-dev/troupe/proto/gen/go/troupe/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	callTimeout = 10 * time.Second
	// How long a stopped worker tries to finish; without a server it would never.
	drainTimeout = time.Minute
)

// ErrReplaced says that another process took over the worker's id, so that this one has to end.
var ErrReplaced = errors.New("another process took over the worker id")

// Options is how a worker is set up.
type Options struct {
	Namespace, Queue, WorkerID, Root string
	Slots                            int
	Capabilities                     []string
}

type attemptKey struct {
	queue, task string
	token       int64
}

type reportKey struct {
	attempt attemptKey
	kind    troupev1.ReportKind
}

// Worker surveys files for the tasks of one queue. What it holds outlives any of its streams.
type Worker struct {
	options Options
	agents  troupev1.AgentStateServiceClient
	events  troupev1.EventStreamServiceClient
	tasks   troupev1.TaskQueueServiceClient
	session atomic.Int64

	mutex sync.Mutex
	// Attempts that are this worker's as far as it knows.
	held map[attemptKey]*troupev1.Attempt
	// Ends the work on an attempt.
	running map[attemptKey]context.CancelFunc
	// Reports that have no outcome yet.
	unanswered map[reportKey]*troupev1.WorkRequest
	// The stream that is welcome and open; nil when there is none.
	out      *outbox
	draining *outbox
	stopping chan struct{}
}

// NewWorker makes a worker that talks through the connection.
func NewWorker(connection grpc.ClientConnInterface, options Options) *Worker {
	return &Worker{
		options:    options,
		agents:     troupev1.NewAgentStateServiceClient(connection),
		events:     troupev1.NewEventStreamServiceClient(connection),
		tasks:      troupev1.NewTaskQueueServiceClient(connection),
		held:       map[attemptKey]*troupev1.Attempt{},
		running:    map[attemptKey]context.CancelFunc{},
		unanswered: map[reportKey]*troupev1.WorkRequest{},
		stopping:   make(chan struct{}),
	}
}

// Run works until stop is done and nothing is left in hand, at most a minute longer.
func (w *Worker) Run(stop context.Context) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 2)
	registered := make(chan struct{})
	go func() {
		err := w.stayRegistered(ctx, sync.OnceFunc(func() { close(registered) }))
		ended <- err
	}()
	go func() {
		select {
		case <-registered:
		case <-stop.Done():
		}
		ended <- w.workUntilStopped(ctx)
	}()
	defer w.deregister()
	select {
	case err := <-ended:
		return err
	case <-stop.Done():
		w.stop()
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(drainTimeout):
		slog.Warn("gave up on the attempts in hand")
		return nil
	}
}

func (w *Worker) stop() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	close(w.stopping)
	w.send(&troupev1.WorkRequest{Message: &troupev1.WorkRequest_SetSlots{SetSlots: &troupev1.SetSlots{}}})
	w.closeWhenDone()
}

func (w *Worker) isStopping() bool {
	select {
	case <-w.stopping:
		return true
	default:
		return false
	}
}

func (w *Worker) isDone() bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.isStopping() && len(w.held) == 0
}

func (w *Worker) workUntilStopped(ctx context.Context) error {
	var retry backoff
	for !w.isDone() && ctx.Err() == nil {
		err := w.work(ctx, &retry)
		switch status.Code(err) {
		case codes.Aborted:
			return ErrReplaced
		case codes.InvalidArgument:
			return err
		}
		if !w.isDone() {
			slog.Info("work stream ended", "error", err)
			retry.pause(ctx)
		}
	}
	return nil
}

// work runs one stream to its end. What is held and not reported stays for the next.
func (w *Worker) work(ctx context.Context, retry *backoff) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := w.tasks.Work(ctx)
	if err != nil {
		return err
	}
	out := newOutbox()
	out.put(w.hello())
	go pump(ctx, out, stream)
	defer func() {
		w.mutex.Lock()
		defer w.mutex.Unlock()
		w.out = nil
	}()
	for {
		response, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if welcome := response.GetWelcome(); welcome != nil {
			retry.reset()
			go beatWork(ctx, out, period(welcome.GetHeartbeatInterval(), 5*time.Second))
		}
		w.receive(out, response)
	}
}

func pump(ctx context.Context, out *outbox, stream troupev1.TaskQueueService_WorkClient) {
	for {
		messages, closed := out.takeAll()
		for _, message := range messages {
			if stream.Send(message) != nil {
				// The receiving side learns why.
				return
			}
		}
		if closed {
			_ = stream.CloseSend()
			return
		}
		select {
		case <-out.filled:
		case <-ctx.Done():
			return
		}
	}
}

func beatWork(ctx context.Context, out *outbox, interval time.Duration) {
	for wait(ctx, interval); ctx.Err() == nil; wait(ctx, interval) {
		out.put(&troupev1.WorkRequest{
			Message: &troupev1.WorkRequest_Heartbeat{Heartbeat: &troupev1.WorkerHeartbeat{}},
		})
	}
}

func (w *Worker) hello() *troupev1.WorkRequest {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	hello := &troupev1.WorkerHello{
		Namespace:    w.options.Namespace,
		WorkerId:     w.options.WorkerID,
		Queues:       []string{w.options.Queue},
		Capabilities: w.options.Capabilities,
		Slots:        int32(w.options.Slots),
	}
	if w.isStopping() {
		hello.Slots = 0
	}
	for _, attempt := range w.held {
		hello.Held = append(hello.Held, attempt)
	}
	return &troupev1.WorkRequest{Message: &troupev1.WorkRequest_Hello{Hello: hello}}
}

func (w *Worker) receive(out *outbox, response *troupev1.WorkResponse) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	switch message := response.GetMessage().(type) {
	case *troupev1.WorkResponse_Welcome:
		w.out = out
		w.resume(message.Welcome)
	case *troupev1.WorkResponse_Task:
		w.take(message.Task)
	case *troupev1.WorkResponse_Outcome:
		w.settle(message.Outcome)
	case *troupev1.WorkResponse_Stop:
		w.stopAttempt(message.Stop)
	case *troupev1.WorkResponse_Drain:
		slog.Info("the server drains", "reason", message.Drain.GetReason())
		w.draining = out
		w.closeWhenDone()
	}
}

// The functions from here on are called with the mutex held.

// send loses nothing when there is no stream: reports are kept until they are answered, and the next
// Hello says the rest.
func (w *Worker) send(message *troupev1.WorkRequest) {
	if w.out != nil {
		w.out.put(message)
	}
}

func (w *Worker) resume(welcome *troupev1.WorkerWelcome) {
	kept := map[attemptKey]bool{}
	for _, attempt := range welcome.GetHeld() {
		kept[keyOf(attempt)] = true
	}
	for key := range w.running {
		if !kept[key] {
			w.forget(key)
		}
	}
	// Also those of attempts that are not kept: the first copy may have ended the attempt just
	// before the stream broke, and only the answer tells.
	for _, report := range w.unanswered {
		w.send(report)
	}
	if w.isStopping() {
		// It may have been asked to stop after the Hello was written.
		w.send(&troupev1.WorkRequest{Message: &troupev1.WorkRequest_SetSlots{SetSlots: &troupev1.SetSlots{}}})
	}
	w.closeWhenDone()
}

func (w *Worker) take(task *troupev1.LeasedTask) {
	if w.out == nil {
		// It crossed with the end of this stream; the server gives it to another.
		return
	}
	key := keyOf(task.GetAttempt())
	w.send(&troupev1.WorkRequest{Message: &troupev1.WorkRequest_DeliveryAck{
		DeliveryAck: &troupev1.DeliveryAck{Attempts: []*troupev1.Attempt{task.GetAttempt()}},
	}})
	if w.held[key] == nil {
		ctx, cancel := context.WithCancel(context.Background())
		w.held[key] = task.GetAttempt()
		w.running[key] = cancel
		go w.survey(ctx, task)
	}
}

func (w *Worker) settle(outcome *troupev1.ReportOutcome) {
	key := reportKey{keyOf(outcome.GetAttempt()), outcome.GetKind()}
	if w.unanswered[key] == nil {
		return
	}
	if problem := outcome.GetError(); problem != nil {
		if isPassing(problem.GetReason()) {
			time.AfterFunc(100*time.Millisecond+rand.N(time.Second), func() { w.repeat(key) })
			return
		}
		slog.Warn("a report was refused", "task", key.attempt.task, "message", problem.GetMessage())
	}
	delete(w.unanswered, key)
	if key.kind != troupev1.ReportKind_REPORT_KIND_PROGRESS {
		w.forget(key.attempt)
	}
}

func (w *Worker) repeat(key reportKey) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if report := w.unanswered[key]; report != nil {
		w.send(report)
	}
}

func (w *Worker) stopAttempt(stop *troupev1.StopAttempt) {
	key := keyOf(stop.GetAttempt())
	if stop.GetReason() == troupev1.StopReason_STOP_REASON_LEASE_LOST {
		w.forget(key)
	} else if cancel := w.running[key]; cancel != nil {
		cancel()
		delete(w.running, key)
		w.report(key, troupev1.ReportKind_REPORT_KIND_RELEASE, &troupev1.WorkRequest{
			Message: &troupev1.WorkRequest_Release{
				Release: &troupev1.AttemptRelease{Attempt: stop.GetAttempt(), Reason: "cancelled"},
			},
		})
	}
}

func (w *Worker) report(key attemptKey, kind troupev1.ReportKind, message *troupev1.WorkRequest) {
	w.unanswered[reportKey{key, kind}] = message
	w.send(message)
}

func (w *Worker) forget(key attemptKey) {
	if cancel := w.running[key]; cancel != nil {
		cancel()
	}
	delete(w.running, key)
	delete(w.held, key)
	for kind := range troupev1.ReportKind_name {
		delete(w.unanswered, reportKey{key, troupev1.ReportKind(kind)})
	}
	w.closeWhenDone()
}

func (w *Worker) closeWhenDone() {
	if w.out == nil || len(w.held) > 0 {
		return
	}
	if w.isStopping() || w.draining == w.out {
		w.out.close()
		w.out = nil
	}
}

func keyOf(attempt *troupev1.Attempt) attemptKey {
	return attemptKey{attempt.GetQueue(), attempt.GetTaskId(), attempt.GetFencingToken()}
}

// isPassing is about refusals that say nothing about the report itself: it goes out again.
func isPassing(reason troupev1.ErrorReason) bool {
	switch reason {
	case troupev1.ErrorReason_ERROR_REASON_STORE_UNAVAILABLE,
		troupev1.ErrorReason_ERROR_REASON_OUTCOME_UNKNOWN,
		troupev1.ErrorReason_ERROR_REASON_OVERLOADED,
		troupev1.ErrorReason_ERROR_REASON_SHUTTING_DOWN:
		return true
	}
	return false
}

func period(duration *durationpb.Duration, fallback time.Duration) time.Duration {
	if duration.AsDuration() > 0 {
		return duration.AsDuration()
	}
	return fallback
}
