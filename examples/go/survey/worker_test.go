package survey

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	troupev1 "github.com/troupe-dev/troupe/proto/gen/go/troupe/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

var soon = durationpb.New(20 * time.Millisecond)

// fakeTroupe records what the worker says and leaves the answers to the test.
type fakeTroupe struct {
	troupev1.UnimplementedAgentStateServiceServer
	troupev1.UnimplementedEventStreamServiceServer
	troupev1.UnimplementedTaskQueueServiceServer
	registered   chan *troupev1.RegisterAgentRequest
	deregistered chan *troupev1.DeregisterAgentRequest
	published    chan *troupev1.PublishRequest
	streams      chan *workStream
}

type workStream struct {
	t *testing.T
	troupev1.TaskQueueService_WorkServer
	ended chan struct{}
}

func (f *fakeTroupe) RegisterAgent(_ context.Context, request *troupev1.RegisterAgentRequest) (*troupev1.RegisterAgentResponse, error) {
	f.registered <- request
	return &troupev1.RegisterAgentResponse{
		Agent: &troupev1.Agent{AgentId: request.GetAgentId(), FencingToken: 7}, HeartbeatInterval: soon,
	}, nil
}

func (f *fakeTroupe) Heartbeat(stream troupev1.AgentStateService_HeartbeatServer) error {
	for {
		if _, err := stream.Recv(); err != nil {
			return err
		}
	}
}

func (f *fakeTroupe) DeregisterAgent(_ context.Context, request *troupev1.DeregisterAgentRequest) (*troupev1.DeregisterAgentResponse, error) {
	f.deregistered <- request
	return &troupev1.DeregisterAgentResponse{}, nil
}

func (f *fakeTroupe) Publish(_ context.Context, request *troupev1.PublishRequest) (*troupev1.PublishResponse, error) {
	f.published <- request
	return &troupev1.PublishResponse{}, nil
}

func (f *fakeTroupe) Work(stream troupev1.TaskQueueService_WorkServer) error {
	work := &workStream{TaskQueueService_WorkServer: stream, ended: make(chan struct{})}
	f.streams <- work
	select {
	case <-work.ended:
	case <-stream.Context().Done():
	}
	return nil
}

func (f *fakeTroupe) nextStream(t *testing.T) *workStream {
	t.Helper()
	select {
	case stream := <-f.streams:
		stream.t = t
		return stream
	case <-time.After(20 * time.Second):
		t.Fatal("no stream was opened")
		return nil
	}
}

// next returns the next message but for heartbeats.
func (s *workStream) next() *troupev1.WorkRequest {
	s.t.Helper()
	for {
		request, err := s.Recv()
		if err != nil {
			s.t.Fatal(err)
		}
		if request.GetHeartbeat() == nil {
			return request
		}
	}
}

func (s *workStream) answer(response *troupev1.WorkResponse) {
	s.t.Helper()
	if err := s.Send(response); err != nil {
		s.t.Fatal(err)
	}
}

func (s *workStream) welcome(held ...*troupev1.Attempt) {
	s.answer(&troupev1.WorkResponse{Message: &troupev1.WorkResponse_Welcome{
		Welcome: &troupev1.WorkerWelcome{HeartbeatInterval: soon, Held: held},
	}})
}

func (s *workStream) assign(payload string) *troupev1.Attempt {
	attempt := &troupev1.Attempt{Queue: "q", TaskId: "t1", FencingToken: 11}
	s.answer(&troupev1.WorkResponse{Message: &troupev1.WorkResponse_Task{Task: &troupev1.LeasedTask{
		Attempt: attempt, AttemptNumber: 1, Spec: &troupev1.TaskSpec{Payload: []byte(payload)},
	}}})
	if s.next().GetDeliveryAck() == nil {
		s.t.Fatal("the delivery was not acknowledged first")
	}
	return attempt
}

func (s *workStream) accept(attempt *troupev1.Attempt, kind troupev1.ReportKind) {
	s.answer(&troupev1.WorkResponse{Message: &troupev1.WorkResponse_Outcome{
		Outcome: &troupev1.ReportOutcome{Attempt: attempt, Kind: kind},
	}})
}

// start runs a worker against a fake; stop is its SIGTERM, ended what Run returned.
func start(t *testing.T) (fake *fakeTroupe, stop context.CancelFunc, ended chan error) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "a.go"), []byte("import \"a\"\n// TODO\nfunc f() {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	fake = &fakeTroupe{
		registered:   make(chan *troupev1.RegisterAgentRequest, 8),
		deregistered: make(chan *troupev1.DeregisterAgentRequest, 8),
		published:    make(chan *troupev1.PublishRequest, 8),
		streams:      make(chan *workStream, 8),
	}
	server := grpc.NewServer()
	troupev1.RegisterAgentStateServiceServer(server, fake)
	troupev1.RegisterEventStreamServiceServer(server, fake)
	troupev1.RegisterTaskQueueServiceServer(server, fake)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	connection, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	worker := NewWorker(connection, Options{
		Namespace: "n", Queue: "q", WorkerID: "w1", Slots: 2, Root: root, Capabilities: []string{"language=go"},
	})
	stopped, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	ended = make(chan error, 1)
	go func() { ended <- worker.Run(stopped) }()
	return fake, stop, ended
}

func TestATaskIsAcknowledgedSurveyedAndCompleted(t *testing.T) {
	fake, _, _ := start(t)
	stream := fake.nextStream(t)
	if request := <-fake.registered; request.GetType() != "surveyor" || request.GetCapabilities()[0] != "language=go" {
		t.Errorf("registered %v", request)
	}
	hello := stream.next().GetHello()
	want := &troupev1.WorkerHello{
		Namespace: "n", WorkerId: "w1", Queues: []string{"q"}, Capabilities: []string{"language=go"}, Slots: 2,
	}
	if !proto.Equal(hello, want) {
		t.Fatalf("%v (expected: %v)", hello, want)
	}
	stream.welcome()
	attempt := stream.assign(`{"path":"a.go","language":"go"}`)
	if stream.next().GetProgress().GetProgress().GetFraction() != 0.5 {
		t.Error("no progress of one half")
	}
	complete := stream.next().GetComplete()
	if !proto.Equal(complete.GetAttempt(), attempt) {
		t.Errorf("completed %v", complete)
	}
	var got result
	if err := json.Unmarshal(complete.GetResult(), &got); err != nil {
		t.Fatal(err)
	}
	if wanted := (result{"a.go", "go", 3, 1, 1, 1, "w1"}); got != wanted {
		t.Errorf("%+v (expected: %+v)", got, wanted)
	}
	published := <-fake.published
	event := published.GetEvent()
	if published.GetTopic() != "survey.findings" || event.GetId() != "t1/11" || event.GetSource() != "agents/w1" ||
		event.GetType() != "survey.finding" || event.GetSubject() != "a.go" {
		t.Errorf("published %v", published)
	}
	if event.GetTextData() != `{"path":"a.go","todos":1}` {
		t.Errorf("published %s", event.GetTextData())
	}
}

func TestWhatCannotBeReadFailsForGood(t *testing.T) {
	for _, path := range []string{"missing.go", "../outside.go", "."} {
		t.Run(path, func(t *testing.T) {
			fake, _, _ := start(t)
			stream := fake.nextStream(t)
			stream.next()
			stream.welcome()
			stream.assign(`{"path":"` + path + `","language":"go"}`)
			failure := stream.next().GetFail().GetFailure()
			if failure.GetKind() != "unreadable" || !failure.GetNonRetryable() {
				t.Errorf("failed with %v", failure)
			}
		})
	}
}

func TestOnStopTheTaskInHandIsFinishedFirst(t *testing.T) {
	fake, stop, ended := start(t)
	stream := fake.nextStream(t)
	stream.next()
	stream.welcome()
	attempt := stream.assign(`{"path":"a.go","language":"go","pause_ms":300}`)
	stop()
	if slots := stream.next().GetSetSlots(); slots == nil || slots.GetSlots() != 0 {
		t.Fatal("the slots were not set to 0")
	}
	if stream.next().GetProgress() == nil {
		t.Fatal("no progress")
	}
	stream.accept(attempt, troupev1.ReportKind_REPORT_KIND_PROGRESS)
	if stream.next().GetComplete() == nil {
		t.Fatal("not completed")
	}
	if len(fake.deregistered) > 0 {
		t.Fatal("deregistered before the outcome")
	}
	stream.accept(attempt, troupev1.ReportKind_REPORT_KIND_COMPLETE)
	for {
		request, err := stream.Recv()
		if err != nil {
			break
		}
		if request.GetHeartbeat() == nil {
			t.Fatalf("%v after the end", request)
		}
	}
	close(stream.ended)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if request := <-fake.deregistered; request.GetFencingToken() != 7 {
		t.Errorf("deregistered %v", request)
	}
}

func TestAReportWithoutAnOutcomeIsSentAgainOnTheNextStream(t *testing.T) {
	fake, _, _ := start(t)
	first := fake.nextStream(t)
	first.next()
	first.welcome()
	attempt := first.assign(`{"path":"a.go","language":"go"}`)
	first.next()
	first.accept(attempt, troupev1.ReportKind_REPORT_KIND_PROGRESS)
	lost := first.next()
	close(first.ended)
	second := fake.nextStream(t)
	hello := second.next().GetHello()
	if hello.GetWorkerId() != "w1" || len(hello.GetHeld()) != 1 || !proto.Equal(hello.GetHeld()[0], attempt) {
		t.Fatalf("came back with %v", hello)
	}
	second.welcome(attempt)
	if again := second.next(); !proto.Equal(again, lost) {
		t.Fatalf("%v (expected: %v)", again, lost)
	}
}
