// Package archivist is an agent that reads its inbox and replies to what it gets.
package archivist

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	troupev1 "github.com/troupe-dev/troupe/proto/gen/go/troupe/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	lease       = 15 * time.Second
	callTimeout = 10 * time.Second
	retryAfter  = 300 * time.Millisecond
)

// Archivist files facts and tells who sent them under which number.
type Archivist struct {
	namespace, id string
	agents        troupev1.AgentStateServiceClient
	events        troupev1.EventStreamServiceClient
	filed         int
}

// New makes an archivist that is not registered yet.
func New(connection grpc.ClientConnInterface, namespace, id string) *Archivist {
	return &Archivist{
		namespace: namespace,
		id:        id,
		agents:    troupev1.NewAgentStateServiceClient(connection),
		events:    troupev1.NewEventStreamServiceClient(connection),
	}
}

// Run registers the agent and answers what comes to its inbox until the context ends.
func (a *Archivist) Run(ctx context.Context) error {
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	registered, err := a.agents.RegisterAgent(call, &troupev1.RegisterAgentRequest{
		Namespace:     a.namespace,
		AgentId:       a.id,
		Type:          "archivist",
		LeaseDuration: durationpb.New(lease),
	})
	if err != nil {
		return err
	}
	go a.beat(ctx, registered.Agent.FencingToken)
	slog.Info("archivist: ready", "id", a.id)
	token := ""
	for ctx.Err() == nil {
		if token, err = a.read(ctx, token); err != nil && ctx.Err() == nil {
			slog.Warn("archivist: the inbox is read again", "error", err)
			pause(ctx)
		}
	}
	return nil
}

// beat keeps the session alive, over one stream after the other.
func (a *Archivist) beat(ctx context.Context, token int64) {
	for ctx.Err() == nil {
		stream, err := a.agents.Heartbeat(ctx)
		for err == nil && ctx.Err() == nil {
			err = stream.Send(&troupev1.HeartbeatRequest{
				Namespace: a.namespace, AgentId: a.id, FencingToken: token,
			})
			if err == nil {
				_, err = stream.Recv()
			}
			select {
			case <-ctx.Done():
			case <-time.After(lease / 3):
			}
		}
		pause(ctx)
	}
}

// read takes messages from the inbox; it yields where to go on when the stream breaks.
func (a *Archivist) read(ctx context.Context, token string) (string, error) {
	request := &troupev1.SubscribeRequest{
		Namespace: a.namespace,
		Topics:    []string{"inbox." + a.id},
		// A token comes with each message, so that none is answered twice after a break.
		MaxBatchSize: 1,
		ResumeToken:  token,
	}
	if token == "" {
		request.Start = troupev1.StartPosition_START_POSITION_BEGINNING
	}
	stream, err := a.events.Subscribe(ctx, request)
	if err != nil {
		return token, err
	}
	for {
		response, err := stream.Recv()
		if err != nil {
			return token, err
		}
		batch := response.GetBatch()
		if batch == nil {
			continue
		}
		for _, delivery := range batch.Deliveries {
			a.answer(ctx, delivery.Event)
		}
		token = batch.ResumeToken
	}
}

func (a *Archivist) answer(ctx context.Context, message *troupev1.Event) {
	if message.ReplyTo == "" {
		return
	}
	text := "I file facts, nothing else"
	var content struct{ Fact string }
	if json.Unmarshal([]byte(message.GetTextData()), &content) == nil && content.Fact != "" {
		a.filed++
		text = fmt.Sprintf("filed as number %d: %s", a.filed, content.Fact)
	}
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	reply, err := a.events.Reply(call, &troupev1.ReplyRequest{
		Namespace: a.namespace,
		Request:   message,
		Reply: &troupev1.Event{
			Type:   "fact.filed",
			Source: "agents/" + a.id,
			Actor:  a.id,
			Data:   &troupev1.Event_TextData{TextData: text},
		},
		RequestId: message.Id,
	})
	if err != nil {
		slog.Error("archivist: no reply", "to", message.Id, "error", err)
	} else if !reply.InTime {
		slog.Warn("archivist: the reply came too late", "to", message.Id)
	}
}

func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(retryAfter):
	}
}
