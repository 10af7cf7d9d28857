module caisson.example/connect

go 1.26.0

require (
	connectrpc.com/connect v1.21.1
	golang.org/x/net v0.58.0
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260526163538-3dc84a4a5aaa
	google.golang.org/protobuf v1.36.12
)

require golang.org/x/text v0.41.0 // indirect
