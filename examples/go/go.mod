module github.com/troupe-dev/troupe/examples/go

go 1.26.0

replace github.com/troupe-dev/troupe/proto/gen/go => ../../proto/gen/go
