// Command heldlock publishes an event while it holds a lock, under the lock's fence.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/troupe-dev/troupe/examples/go/lock"
	troupev1 "github.com/troupe-dev/troupe/proto/gen/go/troupe/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

func main() {
	if err := run(); err != nil {
		slog.Error("heldlock", "error", err)
		os.Exit(1)
	}
}

func run() error {
	server := flag.String("server", "localhost:7070", "server as `HOST:PORT`")
	name := flag.String("lock", "deploy", "name of the lock")
	wait := flag.Duration("wait", 10*time.Second, "how long to wait for it")
	flag.Parse()

	connection, err := grpc.NewClient(*server, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	owner := fmt.Sprintf("heldlock-%d", os.Getpid())
	options := lock.Options{Name: *name, Owner: owner, TTL: 30 * time.Second, Wait: *wait}
	return lock.Hold(context.Background(), troupev1.NewLockServiceClient(connection), options,
		func(ctx context.Context, fence *troupev1.Fence) error {
			_, err := troupev1.NewEventStreamServiceClient(connection).Publish(ctx, &troupev1.PublishRequest{
				Topic: "deployments",
				Event: &troupev1.Event{
					Id: owner, Source: owner, Type: "deployment.began", Subject: *name,
				},
				Fence: fence,
			})
			return err
		})
}
