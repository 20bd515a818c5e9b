// Command archivist files the facts that other agents send to its inbox.
package main

import (
	"context"
	"flag"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/troupe-dev/troupe/examples/go/archivist"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

func main() {
	if err := run(); err != nil {
		slog.Error("archivist", "error", err)
		os.Exit(1)
	}
}

func run() error {
	server := flag.String("server", "localhost:7070", "server as `HOST:PORT`")
	namespace := flag.String("namespace", "", "namespace; empty means default")
	id := flag.String("id", "archivist", "id of the agent")
	flag.Parse()

	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	connection, err := grpc.NewClient(*server,
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	return archivist.New(connection, *namespace, *id).Run(stop)
}
