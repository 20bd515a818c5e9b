// Package lock holds a lock while something is done, by nothing but the generated stubs.
//
// It shows what a holder needs: a wait that survives a broken connection, renewals, word of a lease
// that can no longer be relied on before it runs out, and a fence for what is written meanwhile.
package lock

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	troupev1 "github.com/troupe-dev/troupe/proto/gen/go/troupe/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

const callTimeout = 3 * time.Second

// ErrHeld says that the lock was not to be had in time.
var ErrHeld = errors.New("held by another")

// ErrLost is the cause with which the context of a holder ends whose lease can no longer be relied on.
var ErrLost = errors.New("the lease ran out, or was taken away")

// Options say which lock is wanted, and how.
type Options struct {
	Name  string
	Owner string
	TTL   time.Duration
	Wait  time.Duration
}

// Hold calls do while the lock is held, and gives it back. The context of do ends when the lease can
// no longer be relied on: while a fifth of it is left when it could not be renewed, at the next
// renewal when somebody took it away. The fence goes along with every write of do: a late one is
// refused, whatever went wrong here.
func Hold(ctx context.Context, client troupev1.LockServiceClient, options Options, do func(context.Context, *troupev1.Fence) error) error {
	lease, err := acquire(ctx, client, options)
	if err != nil {
		return err
	}
	h := &holder{client: client, lease: lease, ttl: options.TTL}
	defer h.release()
	// How long a lease that was waited for has been running, only a renewal tells.
	if _, err := h.renew(ctx); err != nil {
		return err
	}
	held, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go h.keep(held, cancel)
	err = do(held, lease.GetFence())
	if errors.Is(context.Cause(held), ErrLost) {
		return errors.Join(ErrLost, err)
	}
	return err
}

// acquire waits for the lock. Whatever breaks meanwhile, a repeat keeps the place in the queue.
func acquire(ctx context.Context, client troupev1.LockServiceClient, options Options) (*troupev1.LockLease, error) {
	requestID := rand.Text()
	end := time.Now().Add(options.Wait)
	for {
		left := max(0, time.Until(end))
		call, cancel := context.WithTimeout(ctx, left+callTimeout)
		answer, err := client.Acquire(call, &troupev1.AcquireRequest{
			Name:      options.Name,
			Owner:     options.Owner,
			Ttl:       durationpb.New(options.TTL),
			Wait:      durationpb.New(left),
			RequestId: requestID,
		})
		cancel()
		switch code := status.Code(err); {
		case err == nil && answer.GetLease() != nil:
			return answer.GetLease(), nil
		case err == nil:
			return nil, fmt.Errorf("%w: %s", ErrHeld, answer.GetHeldBy())
		case left == 0 || code != codes.Unavailable && code != codes.DeadlineExceeded:
			return nil, err
		}
		// Nobody knows what came of it: the same request_id finds out.
		slog.Warn("asking again", "error", err)
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

type holder struct {
	client troupev1.LockServiceClient
	lease  *troupev1.LockLease
	ttl    time.Duration
	// By this machine's own clock, counted from before the call that made the lease last.
	safeUntil time.Time
}

// keep renews until the context ends, and ends it when the lease is lost.
func (h *holder) keep(ctx context.Context, lose context.CancelCauseFunc) {
	pause := h.ttl / 3
	for {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		renewed, err := h.renew(ctx)
		if err != nil || time.Now().After(h.safeUntil.Add(-h.ttl/5)) {
			lose(ErrLost)
			return
		}
		pause = h.ttl / 3
		if !renewed {
			// What does not get through is tried again soon.
			pause = h.ttl / 20
		}
	}
}

// renew returns an error when there is nothing to renew any more.
func (h *holder) renew(ctx context.Context) (bool, error) {
	asked := time.Now()
	// A call that is not answered must not use up the lease.
	ctx, cancel := context.WithTimeout(ctx, min(callTimeout, h.ttl/10))
	defer cancel()
	_, err := h.client.Renew(ctx, &troupev1.RenewRequest{Name: h.lease.GetName(), LeaseId: h.lease.GetLeaseId()})
	if status.Code(err) == codes.FailedPrecondition {
		return false, ErrLost
	}
	if err == nil {
		h.safeUntil = asked.Add(h.ttl)
	}
	return err == nil, nil
}

// release gives the lock back; when that cannot be said, it runs out by itself.
func (h *holder) release() {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	_, err := h.client.ReleaseLock(ctx, &troupev1.ReleaseLockRequest{Name: h.lease.GetName(), LeaseId: h.lease.GetLeaseId()})
	if err != nil {
		slog.Warn("the lock was not given back and runs out by itself", "error", err)
	}
}
