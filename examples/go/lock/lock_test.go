package lock

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	troupev1 "github.com/troupe-dev/troupe/proto/gen/go/troupe/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// fakeLocks has one lock, which is free; it takes notes, and fails as it is told to.
type fakeLocks struct {
	troupev1.UnimplementedLockServiceServer
	mu             sync.Mutex
	acquired       []*troupev1.AcquireRequest
	brokenAcquires int
	heldBy         string
	renewals       int
	renewalFails   codes.Code
	released       []string
}

func (f *fakeLocks) Acquire(_ context.Context, request *troupev1.AcquireRequest) (*troupev1.AcquireResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.acquired = append(f.acquired, request)
	if f.brokenAcquires > 0 {
		f.brokenAcquires--
		return nil, status.Error(codes.Unavailable, "stopping")
	}
	if f.heldBy != "" {
		return &troupev1.AcquireResponse{Refusal: troupev1.Refusal_REFUSAL_TIMED_OUT, HeldBy: f.heldBy}, nil
	}
	return &troupev1.AcquireResponse{Lease: &troupev1.LockLease{
		Name: request.GetName(), LeaseId: "secret", Fence: &troupev1.Fence{Name: "locks/l", Token: 7},
	}}, nil
}

func (f *fakeLocks) Renew(context.Context, *troupev1.RenewRequest) (*troupev1.RenewResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.renewalFails != codes.OK {
		return nil, status.Error(f.renewalFails, "no")
	}
	f.renewals++
	return &troupev1.RenewResponse{}, nil
}

func (f *fakeLocks) ReleaseLock(_ context.Context, request *troupev1.ReleaseLockRequest) (*troupev1.ReleaseLockResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.released = append(f.released, request.GetLeaseId())
	return &troupev1.ReleaseLockResponse{Released: true}, nil
}

func (f *fakeLocks) failRenewals(code codes.Code) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.renewalFails = code
}

func serve(t *testing.T, fake *fakeLocks) troupev1.LockServiceClient {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	troupev1.RegisterLockServiceServer(server, fake)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	connection, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return troupev1.NewLockServiceClient(connection)
}

func TestWhatIsDoneUnderALockHasItsFenceAndTheLockIsGivenBack(t *testing.T) {
	fake := &fakeLocks{brokenAcquires: 2}
	var fence *troupev1.Fence
	err := Hold(t.Context(), serve(t, fake), Options{"l", "me", 30 * time.Second, 30 * time.Second},
		func(_ context.Context, given *troupev1.Fence) error {
			fence = given
			return nil
		})
	if err != nil || fence.GetToken() != 7 {
		t.Fatal(err, fence)
	}
	if len(fake.released) != 1 || fake.released[0] != "secret" {
		t.Error("released", fake.released)
	}
	first, last := fake.acquired[0], fake.acquired[2]
	if first.GetRequestId() == "" || first.GetRequestId() != last.GetRequestId() {
		t.Error("a wait that broke has to be the same wait again", first, last)
	}
	if last.GetWait().AsDuration() >= first.GetWait().AsDuration() {
		t.Error("the repeat has to end when the first call would have", first, last)
	}
}

func TestNothingIsDoneUnderALockThatIsNotToBeHad(t *testing.T) {
	fake := &fakeLocks{heldBy: "you"}
	err := Hold(t.Context(), serve(t, fake), Options{"l", "me", 30 * time.Second, 0},
		func(context.Context, *troupev1.Fence) error {
			t.Error("done")
			return nil
		})
	if !errors.Is(err, ErrHeld) || len(fake.released) != 0 {
		t.Error(err, fake.released)
	}
}

func TestAHolderIsToldBeforeALeaseThatCannotBeRenewedRunsOut(t *testing.T) {
	fake := &fakeLocks{}
	begun := time.Now()
	err := Hold(t.Context(), serve(t, fake), Options{"l", "me", 4 * time.Second, 0},
		func(ctx context.Context, _ *troupev1.Fence) error {
			fake.failRenewals(codes.Unavailable)
			<-ctx.Done()
			return nil
		})
	if took := time.Since(begun); !errors.Is(err, ErrLost) || took < 3*time.Second || took > 4*time.Second {
		t.Error(err, took)
	}
}

func TestAHolderIsToldAtTheNextRenewalThatTheLockWasTakenAway(t *testing.T) {
	fake := &fakeLocks{}
	begun := time.Now()
	err := Hold(t.Context(), serve(t, fake), Options{"l", "me", 6 * time.Second, 0},
		func(ctx context.Context, _ *troupev1.Fence) error {
			fake.failRenewals(codes.FailedPrecondition)
			<-ctx.Done()
			return nil
		})
	if took := time.Since(begun); !errors.Is(err, ErrLost) || took > 4*time.Second {
		t.Error(err, took)
	}
}
