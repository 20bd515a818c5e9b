package survey

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	firstCeiling = 100 * time.Millisecond
	lastCeiling  = 2 * time.Second
)

// backoff waits between attempts: full jitter below a ceiling that doubles. Not for two goroutines.
type backoff struct{ ceiling time.Duration }

func (b *backoff) reset() { b.ceiling = 0 }

func (b *backoff) pause(ctx context.Context) {
	b.ceiling = min(max(2*b.ceiling, firstCeiling), lastCeiling)
	wait(ctx, 10*time.Millisecond+rand.N(b.ceiling))
}

// wait waits for a time, or until the context is done.
func wait(ctx context.Context, period time.Duration) {
	timer := time.NewTimer(period)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
