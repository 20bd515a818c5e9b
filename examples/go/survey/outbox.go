package survey

import (
	"sync"

	troupev1 "github.com/troupe-dev/troupe/proto/gen/go/troupe/v1"
)

// outbox holds what is to be sent on one stream. It never blocks who puts: a sender that waited for
// the stream while the receiver waits for the sender would stop both. Safe for many goroutines.
type outbox struct {
	mutex    sync.Mutex
	messages []*troupev1.WorkRequest
	closed   bool
	filled   chan struct{}
}

func newOutbox() *outbox {
	return &outbox{filled: make(chan struct{}, 1)}
}

func (o *outbox) put(message *troupev1.WorkRequest) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if !o.closed {
		o.messages = append(o.messages, message)
		o.wake()
	}
}

// close ends the stream's sending side once what was put before is sent.
func (o *outbox) close() {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.closed = true
	o.wake()
}

func (o *outbox) wake() {
	select {
	case o.filled <- struct{}{}:
	default:
	}
}

func (o *outbox) takeAll() (messages []*troupev1.WorkRequest, closed bool) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	messages, o.messages = o.messages, nil
	return messages, o.closed
}
