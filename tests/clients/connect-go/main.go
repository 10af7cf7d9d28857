// A client that protoc-gen-go and protoc-gen-connect-go make of `caisson proto`: a round trip in each protocol that connect-go speaks.
// Usage: client HOST:PORT TOKEN
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"connectrpc.com/connect"
	"golang.org/x/net/http2"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"

	pb "caisson.example/connect/library/v1"
	"caisson.example/connect/library/v1/libraryv1connect"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func expect(holds bool, what any) {
	if !holds {
		log.Fatalf("unexpected: %v", what)
	}
}

func refused(err error, wanted connect.Code, reason string) {
	var said *connect.Error
	expect(errors.As(err, &said) && said.Code() == wanted, err)
	for _, detail := range said.Details() {
		if info, ok := must(detail.Value()).(*errdetails.ErrorInfo); ok {
			expect(info.Reason == reason, info)
			return
		}
	}
	log.Fatalf("no ErrorInfo in %v", err)
}

// Remembers how each method was asked.
type observed struct {
	http.RoundTripper
	asked map[string]string
}

func (o *observed) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := o.RoundTripper.RoundTrip(request)
	if err == nil {
		o.asked[request.URL.Path[strings.LastIndexByte(request.URL.Path, '/')+1:]] = request.Method + " " + response.Proto
	}
	return response, err
}

func signed[T any](message *T, token string) *connect.Request[T] {
	request := connect.NewRequest(message)
	request.Header().Set("Authorization", "Bearer "+token)
	return request
}

func roundTrip(number int, address, token string, transport http.RoundTripper, wanted string, options ...connect.ClientOption) {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	seen := &observed{transport, map[string]string{}}
	client := &http.Client{Transport: seen}
	books := libraryv1connect.NewBookServiceClient(client, "http://"+address, options...)
	copies := libraryv1connect.NewCopyServiceClient(client, "http://"+address, options...)

	book := &pb.Book{
		Isbn: fmt.Sprintf("97800000001%02d", number), Title: "Notes", Blurb: proto.String(strings.Repeat("On the engine. ", 100)), Pages: proto.Int32(66),
		Price: proto.String("12.50"), Sold: proto.Int64(1 << 60), Topics: []string{"engines", "é"}, Cover: []byte{0, 255},
	}
	made := must(books.CreateBook(ctx, signed(&pb.CreateBookRequest{Book: book}, token)))
	expect(made.Header().Get("X-Request-Id") != "", made.Header())
	made.Msg.AddedAt = nil
	expect(proto.Equal(made.Msg, book), made.Msg)
	_, err := books.CreateBook(ctx, signed(&pb.CreateBookRequest{Book: book}, token))
	refused(err, connect.CodeAlreadyExists, "CONFLICT")
	_, err = books.CreateBook(ctx, connect.NewRequest(&pb.CreateBookRequest{Book: book}))
	refused(err, connect.CodeUnauthenticated, "UNAUTHENTICATED")

	// A read of no side effects is a GET where the protocol has that.
	read := must(books.GetBook(ctx, connect.NewRequest(&pb.GetBookRequest{Isbn: book.Isbn})))
	read.Msg.AddedAt = nil
	expect(proto.Equal(read.Msg, book), read.Msg)
	expect(seen.asked["GetBook"] == wanted, seen.asked)
	expect(strings.HasPrefix(seen.asked["CreateBook"], "POST "), seen.asked)
	_, err = books.GetBook(ctx, connect.NewRequest(&pb.GetBookRequest{Isbn: "9999999999999"}))
	refused(err, connect.CodeNotFound, "NOT_FOUND")

	// Up, and down again.
	up := copies.ImportCopies(ctx)
	up.RequestHeader().Set("Authorization", "Bearer "+token)
	for at := int32(1); at <= 50; at++ {
		if err := up.Send(&pb.ImportCopiesRequest{Copy: &pb.Copy{Branch: "NORTH", Number: int32(number)*100 + at, BookIsbn: book.Isbn}}); err != nil && !errors.Is(err, io.EOF) {
			log.Fatal(err)
		}
	}
	expect(must(up.CloseAndReceive()).Msg.CreatedCount == 50, "an import")
	down := must(copies.ExportCopies(ctx, signed(&pb.ExportCopiesRequest{Filter: fmt.Sprintf("book.isbn == %q", book.Isbn), OrderBy: "number"}, token)))
	count := int32(0)
	for down.Receive() {
		count++
		expect(down.Msg().Copy.Number == int32(number)*100+count, down.Msg())
	}
	expect(down.Err() == nil && count == 50, down.Err())
	denied := must(copies.ExportCopies(ctx, connect.NewRequest(&pb.ExportCopiesRequest{})))
	expect(!denied.Receive(), "a stream for nobody")
	refused(denied.Err(), connect.CodeUnauthenticated, "UNAUTHENTICATED")
}

// Writes up, what became of them and what has changed down, on one stream: over HTTP/2.
func syncAuthors(address, token string, transport http.RoundTripper, options ...connect.ClientOption) {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	authors := libraryv1connect.NewAuthorServiceClient(&http.Client{Transport: transport}, "http://"+address, options...)
	sync := authors.SyncAuthors(ctx)
	sync.RequestHeader().Set("Authorization", "Bearer "+token)
	send := func(id string, request *pb.SyncAuthorsRequest) {
		request.RequestId = id
		if err := sync.Send(request); err != nil {
			log.Fatal(err)
		}
	}
	send("watch", &pb.SyncAuthorsRequest{Action: &pb.SyncAuthorsRequest_Watch{Watch: &pb.WatchAuthorsRequest{}}})
	begun := must(sync.Receive())
	expect(begun.RequestId == "watch" && begun.GetResult().GetPosition() != "", begun)
	send("write", &pb.SyncAuthorsRequest{Action: &pb.SyncAuthorsRequest_Create{Create: &pb.CreateAuthorRequest{Author: &pb.Author{Name: "Ada"}}}})
	var id string
	for hasResult, hasChange := false, false; !hasResult || !hasChange; {
		message := must(sync.Receive())
		if result := message.GetResult(); result != nil {
			expect(message.RequestId == "write" && (id == "" || id == result.Author.Id), message)
			id, hasResult = result.Author.Id, true
		} else {
			change := message.GetChange()
			expect(change.GetKind() == pb.WatchAuthorsResponse_KIND_CREATED && (id == "" || id == change.Author.Id), message)
			id, hasChange = change.Author.Id, true
		}
	}
	expect(sync.CloseRequest() == nil && sync.CloseResponse() == nil, "an end")
}

func main() {
	address, token := os.Args[1], os.Args[2]
	clear := &http2.Transport{AllowHTTP: true, DialTLSContext: func(ctx context.Context, network, to string, _ *tls.Config) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, to)
	}}
	http1 := http.DefaultTransport
	compressed := connect.WithSendGzip()
	roundTrip(1, address, token, http1, "GET HTTP/1.1", connect.WithHTTPGet())
	roundTrip(2, address, token, clear, "GET HTTP/2.0", connect.WithHTTPGet(), connect.WithProtoJSON())
	roundTrip(3, address, token, clear, "POST HTTP/2.0", compressed)
	roundTrip(4, address, token, clear, "POST HTTP/2.0", connect.WithGRPC(), compressed)
	roundTrip(5, address, token, clear, "POST HTTP/2.0", connect.WithGRPC(), connect.WithProtoJSON())
	roundTrip(6, address, token, http1, "POST HTTP/1.1", connect.WithGRPCWeb())
	roundTrip(7, address, token, clear, "POST HTTP/2.0", connect.WithGRPCWeb(), compressed)
	syncAuthors(address, token, clear)
	syncAuthors(address, token, clear, connect.WithGRPC())
	fmt.Println("round trip done")
}
