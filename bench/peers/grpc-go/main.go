// grpc-go's own server with a method that answers a constant, to be held beside Caisson. Its messages are bytes as they are.
// Usage: grpc-go ANSWER-IN-HEX
package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"log"
	"net"
	"os"

	"google.golang.org/grpc"
)

type asIs struct{}

func (asIs) Name() string                      { return "proto" }
func (asIs) Marshal(value any) ([]byte, error) { return *value.(*[]byte), nil }
func (asIs) Unmarshal(data []byte, into any) error {
	*into.(*[]byte) = append([]byte(nil), data...)
	return nil
}

func main() {
	answer, err := hex.DecodeString(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	get := func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		var request []byte
		if err := decode(&request); err != nil {
			return nil, err
		}
		return &answer, nil
	}
	server := grpc.NewServer(grpc.ForceServerCodec(asIs{}))
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "bench.v1.ProductService",
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "GetProduct", Handler: get}},
	}, struct{}{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	log.Fatal(server.Serve(listener))
}
