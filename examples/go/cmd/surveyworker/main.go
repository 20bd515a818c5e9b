// Command surveyworker surveys source files for the tasks of a queue.
package main

import (
	"context"
	"flag"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/troupe-dev/troupe/examples/go/survey"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
)

func main() {
	if err := run(); err != nil {
		slog.Error("surveyworker", "error", err)
		os.Exit(1)
	}
}

func run() error {
	var options survey.Options
	server := flag.String("server", "localhost:7070", "server as `HOST:PORT`")
	flag.StringVar(&options.Namespace, "namespace", "", "namespace; empty means default")
	flag.StringVar(&options.Queue, "queue", "", "queue to work on")
	flag.StringVar(&options.WorkerID, "worker-id", "", "id of the worker, the same after a restart")
	flag.IntVar(&options.Slots, "slots", 4, "tasks at a time")
	flag.StringVar(&options.Root, "root", ".", "directory that paths of tasks are below")
	flag.Func("capability", "`KEY=VALUE`; may be given several times", func(value string) error {
		options.Capabilities = append(options.Capabilities, value)
		return nil
	})
	flag.Parse()

	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	connection, err := grpc.NewClient(*server,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		// The default waits up to two minutes between attempts.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay: 100 * time.Millisecond, Multiplier: 2, Jitter: 0.5, MaxDelay: 2 * time.Second,
			},
			MinConnectTimeout: 5 * time.Second,
		}))
	if err != nil {
		return err
	}
	defer connection.Close()
	return survey.NewWorker(connection, options).Run(stop)
}
